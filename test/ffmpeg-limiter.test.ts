import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { FfmpegLimiter } from '#dist/audio/ffmpeg-limiter.js'
import { Ffmpeg, type FfmpegRun } from '#dist/audio/ffmpeg.js'
import { mockClock } from './fixtures/mock-clock.js'

const never = new AbortController().signal
const work = t.testdir()

t.test('lets so many in at a time, the first to come first', async t => {
  const limiter = new FfmpegLimiter({ maxProcesses: 2 })
  const order: string[] = []
  const enter = (name: string) =>
    limiter.enter(never).then(leave => {
      order.push(name)
      return leave
    })
  const [leaveA, leaveB] = await Promise.all([enter('a'), enter('b')])
  const waiting = [enter('c'), enter('d'), enter('e')]
  t.same(limiter.stats(), { processes: 2, waiting: 3 })
  leaveB()
  leaveB()
  const leaveC = await waiting[0]!
  t.same(order, ['a', 'b', 'c'], 'a turn is given back once')
  t.same(limiter.stats(), { processes: 2, waiting: 2 })
  leaveA()
  leaveC()
  const rest = await Promise.all(waiting.slice(1))
  t.same(order, ['a', 'b', 'c', 'd', 'e'])
  rest.forEach(leave => leave())
  t.same(limiter.stats(), { processes: 0, waiting: 0 })
})

t.test('STT_ERR_FFMPEG_BUSY: a turn that does not come in time', async t => {
  const clock = mockClock(t)
  const limiter = new FfmpegLimiter({ maxProcesses: 1, maxWaitMs: 1_000 })
  const leave = await limiter.enter(never)
  const refused = t.rejects(limiter.enter(never), {
    code: 'STT_ERR_FFMPEG_BUSY',
    retryable: true,
    message: 'no ffmpeg process was free for 1000 ms (maxProcesses is 1)',
  })
  clock.advance(999)
  t.equal(limiter.stats().waiting, 1)
  const patient = limiter.enter(never)
  clock.advance(1)
  await refused
  t.same(limiter.stats(), { processes: 1, waiting: 1 }, 'the next keeps its place')
  leave()
  ;(await patient)()
  t.same(limiter.stats(), { processes: 0, waiting: 0 })
  t.equal(clock.running, 0)
})

t.test('refuses more than may wait', async t => {
  const limiter = new FfmpegLimiter({ maxProcesses: 1, maxWaiting: 1 })
  const leave = await limiter.enter(never)
  const waiting = limiter.enter(never)
  await t.rejects(limiter.enter(never), { code: 'STT_ERR_FFMPEG_BUSY', message: /maxWaiting is 1/ })
  leave()
  ;(await waiting)()
})

t.test('forgets whoever waits no more', async t => {
  const clock = mockClock(t)
  const limiter = new FfmpegLimiter({ maxProcesses: 1 })
  const leave = await limiter.enter(never)
  const controller = new AbortController()
  const waiting = limiter.enter(controller.signal)
  controller.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  await t.rejects(limiter.enter(controller.signal), { name: 'AbortError' })
  t.same(limiter.stats(), { processes: 1, waiting: 0 })
  t.equal(clock.running, 0)
  leave()
})

t.test('has defaults, and says what is wrong with an option', async t => {
  const make = (options: object) => () => new FfmpegLimiter(options)
  t.same(new FfmpegLimiter().stats(), { processes: 0, waiting: 0 })
  new FfmpegLimiter({ maxProcesses: Infinity, maxWaitMs: Infinity, maxWaiting: 0 })
  t.throws(make({ maxProcesses: 0 }), new RangeError('maxProcesses must be an integer from 1; got 0'))
  t.throws(make({ maxProcesses: 1.5 }), RangeError)
  t.throws(make({ maxProcesses: '2' }), new TypeError('maxProcesses must be an integer from 1; got string'))
  t.throws(make({ maxWaitMs: 0 }), new RangeError('maxWaitMs must be a number above 0; got 0'))
  t.throws(make({ maxWaitMs: NaN }), RangeError)
  t.throws(make({ maxWaiting: -1 }), new RangeError('maxWaiting must be an integer from 0; got -1'))
  t.throws(
    make({ processes: 1 }),
    /^options must be of maxProcesses, maxWaitMs, maxWaiting; got 'processes'$/,
  )
  t.throws(make(null as never), new TypeError('options must be an object; got null'))
})

/** A run whose ffmpeg is this script. `over` resolves with what it heard last. */
async function run(script: string, limiter: FfmpegLimiter, more: Partial<FfmpegRun> = {}) {
  const command = join(await mkdtemp(join(work, 'run-')), 'ffmpeg')
  await writeFile(command, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  let tell: (heard: string) => void
  const over = new Promise<string>(resolve => (tell = resolve))
  const ffmpeg: Ffmpeg = new Ffmpeg({
    command,
    limiter,
    stallTimeoutMs: 30_000,
    onOutput: () => {},
    onExit: () => tell('exit'),
    onError: error => tell(error.code),
    ...more,
  })
  return { ffmpeg, over }
}

/** Resolves once the slot has been given back. */
async function isFree(limiter: FfmpegLimiter): Promise<void> {
  const leave = await limiter.enter(never)
  leave()
}

t.test('a run waits for its turn with what is written to it', async t => {
  const limiter = new FfmpegLimiter({ maxProcesses: 1 })
  const first = await run('cat > /dev/null', limiter)
  const output: Buffer[] = []
  const second = await run('exec cat', limiter, { onOutput: bytes => output.push(bytes) })
  const firstPid = first.ffmpeg.pid!
  const written = new Promise<void>(resolve => {
    second.ffmpeg.write(Buffer.from('held back'), () => {
      t.throws(() => process.kill(firstPid, 0), { code: 'ESRCH' }, 'the first has gone')
      resolve()
    })
  })
  second.ffmpeg.pause()
  second.ffmpeg.end()
  t.equal(second.ffmpeg.pid, undefined)
  t.same(second.ffmpeg.said.complaints, '')
  first.ffmpeg.end()
  t.equal(await first.over, 'exit')
  await written
  t.same(output, [], 'it was paused')
  second.ffmpeg.resume()
  t.equal(await second.over, 'exit')
  t.equal(Buffer.concat(output).toString(), 'held back')
  await isFree(limiter)
})

t.test('a run that is killed while it waits leaves the queue', async t => {
  const limiter = new FfmpegLimiter({ maxProcesses: 1 })
  const first = await run('cat > /dev/null', limiter)
  const second = await run('cat > /dev/null', limiter, { onError: () => t.fail('it was killed') })
  const written = new Promise<void>(resolve => second.ffmpeg.write(Buffer.from('x'), resolve))
  t.same(limiter.stats(), { processes: 1, waiting: 1 })
  await second.ffmpeg.kill()
  await written
  t.same(limiter.stats(), { processes: 1, waiting: 0 })
  await new Promise<void>(resolve => second.ffmpeg.write(Buffer.from('x'), resolve))
  await first.ffmpeg.kill()
  await isFree(limiter)
})

t.test('a run that waits too long fails, and nothing written to it is stuck', async t => {
  const clock = mockClock(t)
  const limiter = new FfmpegLimiter({ maxProcesses: 1, maxWaitMs: 500 })
  const leave = await limiter.enter(never)
  const { ffmpeg, over } = await run('exit 0', limiter)
  const written = new Promise<void>(resolve => ffmpeg.write(Buffer.from('x'), resolve))
  clock.advance(500)
  t.equal(await over, 'STT_ERR_FFMPEG_BUSY')
  await written
  leave()
})

t.test('the slot is free again whatever became of the process', async t => {
  const limiter = new FfmpegLimiter({ maxProcesses: 1 })
  const outcomes: [name: string, script: string, more: Partial<FfmpegRun>, heard: string][] = [
    ['succeeds', 'cat > /dev/null', {}, 'exit'],
    ['fails', 'exit 3', {}, 'STT_ERR_DECODE'],
    ['is ended by a signal', 'kill -9 $$', {}, 'STT_ERR_DECODE'],
    ['stands still', 'exec sleep 600', { stallTimeoutMs: 1 }, 'STT_ERR_DECODE'],
    ['does not exist', '', { command: '/nonexistent/ffmpeg' }, 'STT_ERR_FFMPEG_NOT_FOUND'],
    ['cannot even be tried', '', { command: 'ff\0mpeg' }, 'STT_ERR_DECODE'],
  ]
  for (const [name, script, more, heard] of outcomes) {
    const { ffmpeg, over } = await run(script, limiter, more)
    ffmpeg.end()
    t.equal(await over, heard, name)
    await isFree(limiter)
    t.same(limiter.stats(), { processes: 0, waiting: 0 }, name)
  }
  const killed = await run('echo; exec cat > /dev/null', limiter)
  while (killed.ffmpeg.pid === undefined) await new Promise(setImmediate)
  await killed.ffmpeg.kill()
  t.same(limiter.stats(), { processes: 0, waiting: 0 }, 'killed')
})

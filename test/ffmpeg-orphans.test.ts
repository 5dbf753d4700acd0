import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setImmediate, setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { decode } from '#dist/audio/decode.js'
import { encode, randomSplit } from './fixtures/audio.js'

const work = t.testdir()
const PROGRAM = join(import.meta.dirname, 'fixtures', 'decoding-program.mjs')

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A process without a parent stays in the list until the system's first process takes note of its end. */
async function isZombie(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return /\) Z /.test(state)
}

/** Resolves when the process has ended; tap's own timeout ends the wait for one that does not. */
async function hasEnded(pid: number): Promise<void> {
  while (isAlive(pid) && !(await isZombie(pid))) await setTimeout(10)
}

/** The real ffmpeg with more arguments; the ids of its processes are written down before they start. */
async function watchedFfmpeg(args = '') {
  const directory = await mkdtemp(join(work, 'run-'))
  const command = join(directory, 'ffmpeg')
  await writeFile(command, `#!/bin/sh\necho $$ >> '${directory}/pids'\nexec ffmpeg ${args} "$@"\n`, {
    mode: 0o755,
  })
  const pids = async () => {
    const lines = await readFile(join(directory, 'pids'), 'utf8').catch(() => '')
    return lines.split('\n').filter(Boolean).map(Number)
  }
  return { command, pids }
}

/** Long enough that nothing is over before it is killed: ffmpeg runs at real time, or nobody reads what it makes. */
const longFile = (name: string, args: string[]) =>
  encode(work, name, ['-f', 'lavfi', '-i', 'sine=duration=120:sample_rate=8000', ...args])

/** What lies in the directory for temporary files, after a program has been killed in the middle of decoding. */
async function killParent(t: Test, way: string, path: string): Promise<string[]> {
  const { command, pids } = await watchedFfmpeg(way.endsWith('not read') ? '' : '-re')
  const temporary = await mkdtemp(join(work, 'temporary-'))
  const program = spawn(process.execPath, [PROGRAM, way, command, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temporary },
  })
  const [line] = (await once(createInterface(program.stdout), 'line')) as [string]
  t.equal(line, 'decoding', way)
  const [child = 0] = await pids()
  t.ok(isAlive(child), `${way}: ffmpeg is at work`)
  program.kill('SIGKILL')
  await once(program, 'exit')
  await hasEnded(child)
  t.pass(`${way}: ffmpeg has gone`)
  return readdir(temporary)
}

t.test('no ffmpeg outlives a parent that is killed, and no temporary file', async t => {
  const ogg = await longFile('long.ogg', ['-c:a', 'libvorbis'])
  const m4a = await longFile('long.m4a', ['-c:a', 'aac'])
  for (const way of ['written', 'written, not read', 'by path', 'by path, not read']) {
    t.same(await killParent(t, way, ogg), [], way)
  }
  t.same(await killParent(t, 'spooled', m4a), [], 'spooled')
})

t.test('a child that is killed fails its stream, which closes', async t => {
  const ogg = await longFile('killed.ogg', ['-c:a', 'libvorbis'])
  const file = await readFile(ogg)
  for (const [way, options] of [
    ['written', {}],
    ['by path', { path: ogg }],
  ] as const) {
    const { command, pids } = await watchedFfmpeg('-re')
    const decoder = decode({ ...options, ffmpegPath: command, decoder: 'ffmpeg' })
    if (way === 'written') decoder.write(file)
    const events: string[] = []
    for (const event of ['error', 'close', 'end']) decoder.on(event, () => events.push(event))
    const failed = once(decoder, 'error') as Promise<[Error]>
    await new Promise(resolve => decoder.once('data', resolve))
    const [child = 0] = await pids()
    process.kill(child, 'SIGKILL')
    t.match((await failed)[0], { code: 'STT_ERR_DECODE', message: /^ffmpeg was ended by SIGKILL/ }, way)
    await setImmediate()
    t.same(events, ['error', 'close'], way)
  }
})

t.test('a stream that is destroyed at any moment leaves nothing', async t => {
  const temporary = join(work, 'temporary')
  await mkdir(temporary)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const args = ['-t', '2', '-b:a', '32k', '-c:a', 'aac']
  const path = await encode(work, 'short.m4a', ['-f', 'lavfi', '-i', 'sine=duration=2', ...args])
  const file = await readFile(path)
  for (let turns = 1; turns < 4_000; turns = Math.ceil(turns * 1.7)) {
    for (const options of [{}, { path }]) {
      const { command, pids } = await watchedFfmpeg()
      const decoder = decode({ ...options, ffmpegPath: command, decoder: 'ffmpeg' })
      decoder.on('error', error => t.fail(error.message))
      if (!('path' in options)) Readable.from(randomSplit(file, turns, 2_000)).pipe(decoder)
      decoder.resume()
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      decoder.destroy()
      if (!decoder.closed) await once(decoder, 'close')
      for (const pid of await pids()) t.notOk(isAlive(pid), `after ${turns} turns`)
    }
    t.same(await readdir(temporary), [], `after ${turns} turns`)
  }
})

t.test('of the open temporary file the child has no copy but its input', async t => {
  const m4a = await longFile('open.m4a', ['-c:a', 'aac'])
  const { command, pids } = await watchedFfmpeg('-re')
  const decoder = decode({ ffmpegPath: command })
  decoder.end(await readFile(m4a))
  await once(decoder, 'data')
  const [child = 0] = await pids()
  t.equal((await stat(`/proc/${child}/fd/0`)).size, (await stat(m4a)).size)
  decoder.destroy()
  await once(decoder, 'close')
  t.notOk(isAlive(child))
})

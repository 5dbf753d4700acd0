import { once } from 'node:events'
import { createReadStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turnOfLoop } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { sttStream, type SttEvent, type SttStream, type SttStreamOptions } from '#dist/index.js'
import { rawServer } from './fixtures/raw-server.js'
import { scriptedServer, tone, toneWav } from './fixtures/scripted.js'
import { virtualTime } from './fixtures/virtual-time.js'

const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

/** A stream whose results are kept, on a server that hears LAMP. */
async function listening(t: Test, options: SttStreamOptions = { input }) {
  const server = await scriptedServer(t)
  const stream = sttStream({ url: server.url, ...options })
  const finals: string[] = []
  stream.on('data', (event: SttEvent) => {
    if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
  })
  const heardMs = () => server.sessions.reduce((sum, { audioMs }) => sum + audioMs, 0)
  return { stream, finals, heardMs }
}

const written = (stream: SttStream, chunk: Buffer) =>
  new Promise<void>((resolve, reject) => stream.write(chunk, error => (error ? reject(error) : resolve())))

t.test('ends under a source that flows on, with the finals of what came before', async t => {
  const { stream, finals, heardMs } = await listening(t)
  const source = new PassThrough()
  source.pipe(stream)
  source.write(tone(1_500))
  while (stream.stats().bytesIn < 48_000) await turnOfLoop()
  const stopped = stream.stop()
  source.write(tone(1_500))
  t.equal(source.listenerCount('data'), 0, 'nothing pipes any more')
  await stopped
  t.strictSame(finals, ['turn the lamp on'])
  t.equal(heardMs(), 1_500)
  t.equal(source.destroyed, false, "the source is its owner's")
  t.equal(source.readableLength, 48_000, 'and still has what it held')
})

t.test('does not warn of a file that is cut off where it was stopped', async t => {
  for (const [end, expected] of [
    ['end', ['STT_WARN_TRUNCATED']],
    ['stop', []],
  ] as const) {
    const { stream, finals } = await listening(t, {})
    const warnings: string[] = []
    stream.on('warning', ({ code }: { code: string }) => warnings.push(code))
    await written(stream, toneWav(3_000).subarray(0, 48_044))
    stream[end]()
    await once(stream, 'close')
    t.strictSame(warnings, expected)
    t.strictSame(finals, ['turn the lamp on'])
  }
})

t.test('drops what a live writer goes on writing', async t => {
  const { stream, finals, heardMs } = await listening(t)
  await written(stream, tone(1_500))
  const stopped = stream.stop()
  t.equal(stream.write(tone(1_000)), true)
  await written(stream, tone(1_000))
  await new Promise<void>(resolve => stream.write('text', 'utf8', () => resolve()))
  await new Promise<void>(resolve => stream.end(tone(1_000), resolve))
  await stopped
  stream.write(tone(1_000))
  stream.end()
  await turnOfLoop()
  t.strictSame(finals, ['turn the lamp on'])
  t.equal(heardMs(), 1_500)
  t.equal(stream.stats().bytesIn, 48_000)
})

t.test('lets a writer go on that waited for room', async t => {
  const server = await rawServer(peer => void peer.ws.pause())
  t.teardown(() => server.close())
  const stream = sttStream({ url: server.url, input })
  while (stream.write(tone(1_000)));
  const drained = once(stream, 'drain')
  void stream.stop()
  await drained
  t.equal(stream.write(tone(1_000)), true)
  stream.destroy()
})

t.test('may be called twice, after end, and in any state', async t => {
  const { stream } = await listening(t)
  t.equal(stream.stop(), stream.stop())
  await stream.stop()
  await stream.stop()

  const ended = (await listening(t)).stream
  ended.end(tone(300))
  await ended.stop()

  const destroyed = (await listening(t)).stream
  destroyed.destroy()
  await destroyed.stop()
  t.equal(destroyed.closed, true)
  await destroyed.stop()

  const stoppedFirst = (await listening(t)).stream
  const stopped = stoppedFirst.stop()
  stoppedFirst.destroy()
  await stopped
  t.throws(() => stoppedFirst.endTurn(), { name: 'TypeError' })
})

t.test('rejects with what the stream failed with, unless nobody waits', async t => {
  const { stream } = await listening(t, {})
  stream.on('error', () => {})
  stream.write('no audio at all, and long enough to be looked at')
  const stopped = stream.stop()
  await t.rejects(stopped, { code: 'STT_ERR_DECODE' })
  await t.rejects(stream.stop(), { code: 'STT_ERR_DECODE' })

  const other = (await listening(t, {})).stream
  other.write('no audio at all, and long enough to be looked at')
  void other.stop() // never awaited: no unhandled rejection
  await once(other, 'error')
})

t.test('leaves the rest of a path unread', async t => {
  const path = join(t.testdir(), 'long.wav')
  writeFileSync(path, toneWav(240_000))
  const { stream, finals, heardMs } = await listening(t, { path, pace: 1 })
  await once(stream, 'data')
  await virtualTime(t).passUntil(stream.stop())
  t.ok(heardMs() > 0 && heardMs() < 20_000, `${heardMs()} ms of 240 000: what was read ahead, and no more`)
  t.equal(finals[0], 'turn the lamp on')
})

t.test(
  'in a pipeline, the last function has its finals; then it rejects: the source was cut off',
  async t => {
    const path = join(t.testdir(), 'long.s16le')
    writeFileSync(path, tone(60_000))
    const server = await scriptedServer(t)
    for (const endless of [() => createReadStream(path), () => Readable.from(forever())]) {
      const stream = sttStream({ url: server.url, input, pace: 4 })
      const finals: string[] = []
      const piped = pipeline(endless(), stream, async (events: AsyncIterable<SttEvent>) => {
        for await (const event of events) {
          if (event.type === 'speechStarted') void stream.stop()
          if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
        }
        finals.push('end')
      })
      await t.rejects(piped, { code: 'ERR_STREAM_PREMATURE_CLOSE' })
      t.equal(finals.at(-1), 'end')
      t.ok(finals.length > 1)
    }
  },
)

t.test('in a pipeline, an iterable is pumped to its end into nothing', async t => {
  const { stream, finals } = await listening(t)
  async function* audio() {
    yield tone(1_500)
    const closed = stream.stop()
    yield tone(1_500)
    await closed
    yield tone(1_500)
  }
  await pipeline(audio, stream)
  t.strictSame(finals, ['turn the lamp on'])
})

async function* forever() {
  for (;;) {
    await turnOfLoop()
    yield tone(100)
  }
}

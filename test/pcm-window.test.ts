import t from 'tap'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode } from '#dist/audio/decode.js'
import { durationMs, type PcmFormat } from '#dist/audio/pcm-format.js'
import { PcmWindow } from '#dist/audio/pcm-window.js'
import { wavHeader } from '#dist/audio/wav-header.js'
import { sttStream } from '#dist/index.js'
import type { SttEvent } from '#dist/stt/events.js'
import { encode, randomBytes, randomSplit, readAll, sine } from './fixtures/audio.js'
import { scriptedServer } from './fixtures/scripted.js'

const STANDARD: PcmFormat = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
const FORMAT: PcmFormat = { encoding: 's24le', sampleRateHertz: 8_000, channels: 2 }
/** A second. */
const PCM = randomBytes(8_000 * 6, 1)

t.test('lets the asked part through, exact to the sample, whatever the chunks', async t => {
  const parts: [startMs: number | undefined, durationMs: number | undefined, from: number, to: number][] = [
    [undefined, undefined, 0, 8_000],
    [0, 250, 0, 2_000],
    [500, undefined, 4_000, 8_000],
    [125, 250, 1_000, 3_000],
    [0.3, 0.3, 2, 5],
    [900, 500, 7_200, 8_000],
    [2_000, 500, 8_000, 8_000],
  ]
  for (const [startMs, durationMs, from, to] of parts) {
    for (const chunks of [[PCM], randomSplit(PCM, 2, 700)]) {
      const window = new PcmWindow({ startMs, durationMs })
      const taken = Buffer.concat(chunks.map(chunk => window.take(chunk, FORMAT)))
      t.ok(taken.equals(PCM.subarray(from * 6, to * 6)), `${startMs} for ${durationMs} ms`)
      t.equal(window.isOver, durationMs !== undefined && to < 8_000)
    }
  }
})

t.test('a decoder ends with its window and drops what is written behind it', async t => {
  const decoder = decode({ input: FORMAT, startMs: 100, durationMs: 200 })
  let ended = 0
  decoder.on('windowEnd', () => ended++)
  for (const chunk of randomSplit(PCM, 3, 900)) decoder.write(chunk)
  const samples = await readAll(decoder.end())
  t.ok(samples.equals(PCM.subarray(800 * 6, 2_400 * 6)))
  t.equal(ended, 1)
})

t.test('whoever writes beyond the window is not left waiting, whoever decodes', async t => {
  const mp3 = ['-f', 'lavfi', '-i', 'sine=440:d=20', '-c:a', 'libmp3lame', '-b:a', '320k']
  const sources: [name: string, file: Buffer, options: DecodeOptions][] = [
    ['reader', randomBytes(20 * 48_000, 2), { input: FORMAT, durationMs: 5_000 }],
    ['codec', await readFile(await encode(t.testdir(), 'long.mp3', mp3)), { durationMs: 5_000 }],
  ]
  for (const [name, file, options] of sources) {
    const decoder = decode(options)
    let bytes = 0
    decoder.on('data', (samples: Buffer) => (bytes += samples.length))
    // In one piece, so that the window ends while its write is under way.
    decoder.end(file)
    await once(decoder, 'close')
    t.equal(decoder.source?.decodedBy, name)
    t.ok(decoder.writableFinished, name)
    t.equal(durationMs(decoder.format!, bytes), 5_000)
  }
})

t.test('what ffmpeg decodes passes the window too', async t => {
  const pcm = sine({ ...FORMAT, encoding: 'f32le' }, 440, 1)
  const path = join(t.testdir(), 'tone.wav')
  await writeFile(path, Buffer.concat([wavHeader({ ...FORMAT, encoding: 'f32le' }, pcm.length), pcm]))
  const decoder = decode({ path, decoder: 'ffmpeg', startMs: 500, durationMs: 250 })
  const samples = await readAll(decoder)
  t.ok(samples.equals(pcm.subarray(4_000 * 8, 6_000 * 8)))
  t.same(decoder.source, { container: 'wav', decodedBy: 'ffmpeg' })
})

t.test('a window beyond the end is warned of', async t => {
  const pcm = sine(STANDARD, 440, 1)
  const wav = Buffer.concat([wavHeader(STANDARD, pcm.length), pcm])
  const dir = t.testdir({ 'tone.wav': wav })
  const mp3 = await encode(dir, 'tone.mp3', ['-i', join(dir, 'tone.wav')])
  for (const options of [{ path: join(dir, 'tone.wav') }, { path: mp3 }, {}] as DecodeOptions[]) {
    const decoder = decode({ ...options, startMs: 5_000 })
    const codes: string[] = []
    decoder.on('warning', ({ code }: { code: string }) => codes.push(code))
    if (!options.path) decoder.end(wav)
    t.equal((await readAll(decoder)).length, 0)
    t.same(codes, ['STT_WARN_BEYOND_END'])
  }
})

t.test('a stream of a part ends by itself, and its times are those of the whole source', async t => {
  const { url } = await scriptedServer(t)
  const input: PcmFormat = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
  const stream = sttStream({ url, input, startMs: 60_000, durationMs: 2_000, includeWordTimestamps: true })
  // A source that never ends.
  const feed = setInterval(() => stream.write(Buffer.alloc(320_000)), 1)
  t.teardown(() => clearInterval(feed))
  const events = (await stream.toArray()) as SttEvent[]
  const finals = events.filter(event => event.type === 'transcription').filter(({ isFinal }) => isFinal)
  t.ok(finals.length > 0)
  for (const { startMs = 0, endMs = 0 } of finals)
    t.ok(startMs >= 60_000 && endMs <= 62_100, `${startMs} to ${endMs}`)
  const { decodedMs, sentMs, skippedMs, lostMs, queueMs } = stream.stats()
  t.match(
    { decodedMs, sentMs, skippedMs, lostMs, queueMs },
    { decodedMs: 2_000, sentMs: 2_000, skippedMs: 0, lostMs: 0, queueMs: 0 },
  )
})

t.test('refuses parts that cannot be', async t => {
  t.throws(() => decode({ startMs: -1 }), {
    name: 'RangeError',
    message: 'startMs must be a number from 0 ms; got -1',
  })
  t.throws(() => decode({ durationMs: 0 }), {
    name: 'RangeError',
    message: 'durationMs must be a number above 0 ms; got 0',
  })
  t.throws(() => decode({ startMs: '1' as never }), { name: 'TypeError' })
  t.throws(() => sttStream({ url: 'ws://localhost', durationMs: 0 }), {
    name: 'RangeError',
    message: /^durationMs/,
  })
})

import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { sttStream, type SttEvent, type SttStreamOptions } from '#dist/index.js'
import { encode, splitEvery } from './fixtures/audio.js'
import { goForward, readSamples, youngMan } from './fixtures/speech.js'
import { interleave } from './fixtures/stamped-channels.js'

/**
 * Real speech through the real recogniser and the whole pipeline. Words are asserted that are really spoken; the
 * recogniser is a modest one, so not whole sentences of open speech.
 */
const RAW = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

async function transcribe(source: Readable | undefined, options: SttStreamOptions = {}) {
  const stream = sttStream({ url: 'local', includeWordTimestamps: true, ...options })
  source?.pipe(stream)
  const events = (await stream.toArray()) as SttEvent[]
  const results = events.filter(event => event.type === 'transcription')
  const finals = results.filter(({ isFinal }) => isFinal)
  return {
    events,
    results,
    finals,
    text: finals.map(({ transcript }) => transcript).join(' '),
    stats: stream.stats(),
  }
}

t.test('hears a raw recording with growing interims, word times and usage', async t => {
  const { events, results, finals, text } = await transcribe(createReadStream(goForward.path), { input: RAW })
  t.equal(text, 'go forward ten meters')
  t.ok(results.filter(({ isFinal }) => !isFinal).length >= 3)
  const words = finals.flatMap(({ wordTimestamps }) => wordTimestamps)
  t.strictSame(
    words.map(({ word }) => word),
    ['go', 'forward', 'ten', 'meters'],
  )
  for (const [index, { startMs, endMs, confidence = -1 }] of words.entries()) {
    t.ok(startMs < endMs && startMs >= (words[index - 1]?.endMs ?? 0) && endMs <= 2_790)
    t.ok(confidence > 0 && confidence <= 1)
  }
  t.equal(events.findLast(({ type }) => type === 'usage')?.type, 'usage')
})

t.test('hears the same words in every container and through a telephone', async t => {
  const dir = t.testdir()
  const raw = ['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', goForward.path]
  for (const [name, args] of Object.entries({
    'a.mp3': ['-ar', '44100', '-b:a', '96k'],
    'a.flac': ['-ar', '48000', '-ac', '2'],
    'a.ogg': ['-c:a', 'libopus', '-b:a', '24k'],
    'moov-last.m4a': ['-c:a', 'aac', '-b:a', '64k'],
    'pcm24.wav': ['-c:a', 'pcm_s24le', '-ar', '22050'],
  })) {
    const path = await encode(dir, name, [...raw, ...args])
    t.match((await transcribe(createReadStream(path))).text, /go forward ten meters/, name)
  }
  const mulaw = readFileSync(await encode(dir, 'a.ul', [...raw, '-ar', '8000', '-f', 'mulaw']))
  const { text } = await transcribe(Readable.from(splitEvery(mulaw, 160)), {
    input: { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 },
  })
  t.match(text, /forward/, 'mulaw in 20 ms chunks')
})

t.test('hears two streams at once without mixing them', async t => {
  const [command, novel] = await Promise.all([
    transcribe(createReadStream(goForward.path), { input: RAW }),
    transcribe(undefined, { path: youngMan.path }),
  ])
  t.equal(command.text, 'go forward ten meters')
  const said = new Set(youngMan.transcript.split(' '))
  const heard = novel.text.split(' ').filter(word => said.has(word))
  t.ok(heard.length >= said.size / 2, `${heard.length} of ${said.size} words`)
})

t.test('hears two people who talk at once, each in a channel of his own', async t => {
  const novel = readSamples(youngMan)
  const channels = [readFileSync(goForward.path), Buffer.from(novel.buffer)]
  const fourSeconds = channels.map(pcm => Buffer.concat([pcm, Buffer.alloc(4_000 * 32 - pcm.length)]))
  const { finals } = await transcribe(Readable.from([interleave(fourSeconds)]), {
    input: { ...RAW, channels: 2 },
    channels: 'separate',
    mergeWaitMs: false,
  })
  const wordsOf = (side: number) =>
    finals.filter(({ channel }) => channel === side).flatMap(({ transcript }) => transcript.split(' '))
  t.equal(wordsOf(0).join(' '), goForward.transcript)
  const said = new Set(youngMan.transcript.split(' '))
  const heard = wordsOf(1).filter(word => said.has(word))
  t.ok(heard.length >= said.size / 2, `${heard.length} of ${said.size} words`)
  const startsMs = finals.map(({ startMs }) => startMs)
  t.strictSame(
    startsMs,
    startsMs.toSorted((a = 0, b = 0) => a - b),
    'in time order',
  )
})

t.test('ends turns by hand', async t => {
  const stream = sttStream({ url: 'local', input: RAW, inworldSttV1Config: { vadThreshold: 0 } })
  stream.resume()
  const recording = readFileSync(goForward.path)
  for (let turn = 1; turn <= 2; turn++) {
    stream.write(recording)
    t.match(await stream.endTurn(), { transcript: /go forward ten/, turnId: turn })
  }
  stream.end()
  await new Promise(resolve => stream.once('close', resolve))
})

const folder = process.env.STTSTREAM_SPEECH_FOLDER ?? ''
t.test(
  'hears other recordings',
  { skip: folder === '' && 'STTSTREAM_SPEECH_FOLDER names no folder of recordings' },
  async t => {
    for (const [file, expected] of Object.entries({
      'goog_brooklyn.wav': /brooklyn bridge/,
      'ms_whatstheweatherlike.wav': /weather/,
      'ibm_weather.ogg': /thunderstorms .* tornadoes/,
    })) {
      t.match((await transcribe(createReadStream(join(folder, file)))).text, expected, file)
    }
  },
)

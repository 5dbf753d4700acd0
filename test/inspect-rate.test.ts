import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { Inspector } from '#dist/audio/inspect.js'
import type { InspectWarning } from '#dist/audio/inspect-warning.js'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { SpeechFeatures } from '#dist/audio/speech-features.js'
import { HOP_MS } from '#dist/audio/speech-frames.js'
import { encoded, randomSplit } from './fixtures/audio.js'
import { seededRandom } from './fixtures/chunks.js'
import { cards, commands, librivox, readSamples } from './fixtures/speech.js'

const RATE = 16_000
/** Of sound as declared, pauses not counted: with less nothing is said. */
const ENOUGH_SECONDS = 1.28

/** What inspection says of 16-bit samples that are declared as of this rate. */
function inspect(samples: Int16Array, declaredHertz: number): InspectWarning[] {
  const warnings: InspectWarning[] = []
  const format = { encoding: 's16le', sampleRateHertz: declaredHertz, channels: 1 } as const
  const inspector = new Inspector(format, warning => warnings.push(warning))
  inspector.look(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
  inspector.end()
  return warnings
}

/** Each by itself, at 16 kHz, by name: 1 to 11 s of seven speakers and more where the folder is there. */
const recordings: Record<string, Int16Array> = {
  ...Object.fromEntries(
    [...commands, ...cards, ...librivox].map(each => [basename(each.path), readSamples(each)]),
  ),
  ...folderOfSpeech(),
}

/** Recordings that only some machines have. */
function folderOfSpeech(): Record<string, Int16Array> {
  const folder = process.env.STTSTREAM_SPEECH_FOLDER ?? ''
  const files = folder === '' ? [] : readdirSync(folder).filter(file => /\.(wav|flac)$/.test(file))
  return Object.fromEntries(files.map(file => [file, ffmpeg(['-i', join(folder, file)], RATE)]))
}

/** The same recordings at another rate of their own: converted all in one, then cut apart. */
function recordingsAt(rate: number): [name: string, samples: Int16Array][] {
  if (rate === RATE) return Object.entries(recordings)
  const raw = ['-f', 's16le', '-ar', String(RATE), '-ac', '1', '-i', '-']
  const all = ffmpeg(raw, rate, Buffer.from(joined(Object.values(recordings)).buffer))
  let at = 0
  return Object.entries(recordings).map(([name, { length }]) => {
    const start = at
    at += Math.round((length * rate) / RATE)
    return [name, all.subarray(start, at)]
  })
}

function ffmpeg(input: string[], rate: number, bytes?: Buffer): Int16Array {
  const args = ['-v', 'error', ...input, '-ac', '1', '-ar', String(rate), '-f', 's16le', '-']
  const output = execFileSync('ffmpeg', args, { input: bytes, maxBuffer: 1e8 })
  return new Int16Array(output.buffer.slice(output.byteOffset, output.byteOffset + output.length))
}

/** One after the other. */
function joined(some: readonly Int16Array[]): Int16Array {
  return Int16Array.from(some.flatMap(samples => [...samples]))
}

function soundSeconds(samples: Int16Array, declaredHertz: number): number {
  const speech = new SpeechFeatures({ encoding: 's16le', sampleRateHertz: declaredHertz, channels: 1 })
  speech.add(new DataView(samples.buffer, samples.byteOffset, samples.byteLength))
  return (speech.frames * HOP_MS) / 1_000
}

const rateWarning = (warnings: readonly InspectWarning[]) =>
  warnings.find(({ code }) => code === 'STT_WARN_SAMPLE_RATE')

t.test('no recording is warned of at its own rate', async t => {
  for (const rate of [8_000, 11_025, 16_000, 24_000, 44_100, 48_000]) {
    for (const [name, samples] of recordingsAt(rate))
      t.strictSame(inspect(samples, rate), [], `${name} at ${rate} Hz`)
  }
})

t.test('of recordings declared at twice or half their rate at least nine in ten are told', async t => {
  for (const rate of [8_000, 16_000, 44_100]) {
    const all = recordingsAt(rate)
    for (const speed of [2, 0.5]) {
      const declaredHertz = rate * speed
      const long = all.filter(([, samples]) => soundSeconds(samples, declaredHertz) >= ENOUGH_SECONDS)
      const missed = long.filter(
        ([, samples]) => rateWarning(inspect(samples, declaredHertz))?.evidence['speed'] !== speed,
      )
      t.ok(long.length >= 5, `${declaredHertz} Hz: ${long.length} are long enough`)
      if (declaredHertz < 8_000) t.equal(missed.length, long.length, 'below 8 kHz nothing is judged')
      else
        t.ok(
          missed.length <= long.length / 10,
          `${declaredHertz} Hz: missed ${missed.map(([name]) => name).join()}`,
        )
    }
  }
})

const readers = joined(librivox.map(readSamples))

t.test('the warning says what was found and what to declare, in any encoding and split', async t => {
  const floats = Float32Array.from(readers, sample => sample / 32_768)
  for (const encoding of ['s16be', 's24le', 'f32le', 'mulaw', 'alaw'] satisfies PcmEncoding[]) {
    const warnings: InspectWarning[] = []
    const format = { encoding, sampleRateHertz: 32_000, channels: 1 }
    const inspector = new Inspector(format, warning => warnings.push(warning))
    for (const chunk of randomSplit(encoded(encoding, floats), 6, 3_000)) inspector.look(chunk)
    inspector.end()
    t.match(warnings, [{ code: 'STT_WARN_SAMPLE_RATE', message: 'sampleRateHertz: 16000?' }], encoding)
    t.match(warnings[0]?.evidence, {
      declaredHertz: 32_000,
      suggestedHertz: 16_000,
      speed: 2,
      pitchHertz: Number,
    })
  }
})

t.test('the channel that has sound is heard', async t => {
  const stereo = Int16Array.from({ length: 2 * readers.length }, (_, i) => (i % 2 ? readers[i >> 1]! : 0))
  const warnings: InspectWarning[] = []
  const inspector = new Inspector({ encoding: 's16le', sampleRateHertz: 32_000, channels: 2 }, w =>
    warnings.push(w),
  )
  inspector.look(Buffer.from(stereo.buffer))
  inspector.end()
  t.ok(rateWarning(warnings))
})

t.test('what is no speech is not judged, whatever its rate', async t => {
  const random = seededRandom(1)
  const tone = (hertz: number) => (i: number) => Math.sin((2 * Math.PI * hertz * i) / RATE)
  const scale = [0, 2, 4, 5, 7, 9, 11, 12].map(step => 220 * 2 ** (step / 12))
  const chord = (i: number) =>
    [1, 1.25, 1.5].reduce((sum, ratio) => sum + tone(scale[(i >> 13) % 8]! * ratio)(i), 0) / 3
  const sounds: Record<string, (i: number) => number> = {
    noise: () => random() * 2 - 1,
    'a tone': tone(440),
    'a ring tone': i => (i % (6 * RATE) < 2 * RATE ? (tone(440)(i) + tone(480)(i)) / 2 : 0),
    'a busy tone': i => (i % RATE < RATE / 2 ? (tone(480)(i) + tone(620)(i)) / 2 : 0),
    DTMF: i => (i % 3_200 < 1_600 ? (tone(697 + 73 * ((i >> 12) % 4))(i) + tone(1_209)(i)) / 2 : 0),
    music: chord,
    hum: i => tone(50)(i) + 0.2 * (random() - 0.5),
    whispers: i => Math.max(0, tone(4)(i)) * (random() * 2 - 1),
    silence: i => (i % 4_001 === 0 ? 0.1 : 0),
  }
  for (const [name, sound] of Object.entries(sounds)) {
    const samples = Int16Array.from({ length: 30 * RATE }, (_, i) => Math.round(8_000 * sound(i)))
    for (const declaredHertz of [8_000, 16_000, 32_000, 44_100]) {
      t.equal(rateWarning(inspect(samples, declaredHertz)), undefined, `${name} at ${declaredHertz} Hz`)
    }
  }
})

t.test('little speech is not judged', async t => {
  t.strictSame(inspect(readers.subarray(0, 1.5 * RATE), 2 * RATE), [])
})

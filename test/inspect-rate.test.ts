import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Inspector } from '#dist/audio/inspect.js'
import type { InspectWarning } from '#dist/audio/inspect-warning.js'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { encoded, randomSplit } from './fixtures/audio.js'
import { seededRandom } from './fixtures/chunks.js'
import { cards, commands, librivox, readSamples, type Recording } from './fixtures/speech.js'

const RATE = 16_000

/** What inspection says of 16-bit samples that are declared as of this rate. */
function inspect(samples: Int16Array, declaredHertz: number): InspectWarning[] {
  const warnings: InspectWarning[] = []
  const format = { encoding: 's16le', sampleRateHertz: declaredHertz, channels: 1 } as const
  const inspector = new Inspector(format, warning => warnings.push(warning))
  inspector.look(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength))
  inspector.end()
  return warnings
}

/** Each recording by itself would be too short: those of a kind come one after the other, up to 30 s. */
function joined(recordings: readonly Recording[], times = 1): Int16Array {
  const parts = Array.from({ length: times }, () => recordings.map(readSamples)).flat()
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all.subarray(0, 30 * RATE)
}

const speakers: Record<string, Int16Array> = {
  'a man who commands': joined(commands, 3),
  'a man who names cards': joined(cards, 3),
  readers: joined(librivox),
  ...folderOfSpeech(),
}

/** Recordings that only some machines have, of 3 s or more, over and over: a second has no pace. */
function folderOfSpeech(): Record<string, Int16Array> {
  const folder = process.env.STTSTREAM_SPEECH_FOLDER ?? ''
  const files = folder === '' ? [] : readdirSync(folder).filter(file => /\.(wav|flac)$/.test(file))
  const decode = (file: string, ...times: string[]) => {
    const args = ['-v', 'error', ...times, '-i', join(folder, file), '-t', '30']
    return execFileSync('ffmpeg', [...args, '-ac', '1', '-ar', '16000', '-f', 's16le', '-'], {
      maxBuffer: 2e6,
    })
  }
  const long = files.filter(file => decode(file).length > 3 * 2 * RATE)
  return Object.fromEntries(
    long.map(file => {
      const bytes = decode(file, '-stream_loop', '20')
      return [file, new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))]
    }),
  )
}

const rateWarning = (warnings: readonly InspectWarning[]) =>
  warnings.find(({ code }) => code === 'STT_WARN_SAMPLE_RATE')

t.test('speech at its own rate is not warned of', async t => {
  for (const [name, samples] of Object.entries(speakers)) t.strictSame(inspect(samples, RATE), [], name)
})

t.test('speech declared at twice or half its rate is told of most speakers', async t => {
  for (const [declaredHertz, speed] of [
    [2 * RATE, 2],
    [RATE / 2, 0.5],
  ] as const) {
    const all = Object.entries(speakers)
    const missed = all.filter(
      ([, samples]) => rateWarning(inspect(samples, declaredHertz))?.evidence['speed'] !== speed,
    )
    t.ok(missed.length <= all.length / 3, `${speed} times: missed ${missed.map(([name]) => name).join()}`)
  }
})

t.test('the warning says what was found and what to declare, in any encoding and split', async t => {
  const samples = speakers['readers'] ?? t.fail('no readers')
  const floats = Float32Array.from(samples as Int16Array, sample => sample / 32_768)
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
  const samples = speakers['readers'] as Int16Array
  const stereo = Int16Array.from({ length: 2 * samples.length }, (_, i) => (i % 2 ? samples[i >> 1]! : 0))
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
  const samples = (speakers['readers'] as Int16Array).subarray(0, 3 * RATE)
  t.strictSame(inspect(samples, 2 * RATE), [])
})

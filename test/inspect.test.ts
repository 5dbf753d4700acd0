import t, { type Test } from 'tap'
import { Inspector } from '#dist/audio/inspect.js'
import type { InspectWarning } from '#dist/audio/inspect-warning.js'
import {
  blockAlign,
  bytesPerSample,
  PCM_ENCODINGS,
  type PcmEncoding,
  type PcmFormat,
} from '#dist/audio/pcm-format.js'
import { encoded, randomSplit, sine, splitEvery, wavFile } from './fixtures/audio.js'
import { seededRandom } from './fixtures/chunks.js'
import { cards, commands, librivox, readSamples, type Recording } from './fixtures/speech.js'

const RATE = 16_000

function inspect(format: PcmFormat, chunks: Iterable<Buffer>): InspectWarning[] {
  const warnings: InspectWarning[] = []
  const inspector = new Inspector(format, warning => warnings.push(warning))
  for (const chunk of chunks) inspector.look(chunk)
  inspector.end()
  return warnings
}

/** One finding at most is expected, and the same for every split. */
function findingIn(t: Test, format: PcmFormat, bytes: Buffer): InspectWarning | undefined {
  const warnings = inspect(format, [bytes])
  const block = blockAlign(format)
  t.strictSame(inspect(format, randomSplit(bytes, block, 9_000)), warnings, 'any split finds the same')
  t.strictSame(inspect(format, splitEvery(bytes, 640 * block + 1)), warnings, 'torn samples too')
  t.ok(warnings.length <= 1, `one at most: ${warnings.map(({ code }) => code).join()}`)
  return warnings[0]
}

const mono = (encoding: PcmEncoding): PcmFormat => ({ encoding, sampleRateHertz: RATE, channels: 1 })

/** Recordings one after the other, full scale 1. */
function speechOf(recordings: readonly Recording[]): Float32Array {
  const all = recordings.map(readSamples)
  const samples = new Float32Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const recording of all) for (const sample of recording) samples[at++] = sample / 32_768
  return samples
}

/** A man's voice and others', 12 s at a usual level: its peaks reach −6 dBFS. */
const speech = normal(speechOf([...commands, ...librivox]).subarray(0, 12 * RATE))

function normal(samples: Float32Array): Float32Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  return samples.map(sample => (sample * 0.5) / peak)
}

const seconds = (count: number, value: (i: number) => number) =>
  Float32Array.from({ length: count * RATE }, (_, i) => value(i))

function interleaved(...channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0)] = channels
  return Float32Array.from(
    { length: first.length * channels.length },
    (_, i) => channels[i % channels.length]![Math.floor(i / channels.length)]!,
  )
}

t.test('speech is not warned of, in any encoding', async t => {
  for (const encoding of PCM_ENCODINGS)
    t.equal(findingIn(t, mono(encoding), encoded(encoding, speech)), undefined, encoding)
})

t.test('nor is any recording by itself, as it was made', async t => {
  for (const recording of [...commands, ...librivox, ...cards]) {
    t.strictSame(inspect(mono('s16le'), [encoded('s16le', speechOf([recording]))]), [], recording.path)
  }
})

t.test('nor are tones, noise and clicks', async t => {
  const random = seededRandom(1)
  const sounds = {
    noise: seconds(25, () => (random() - 0.5) * 0.8),
    'faint noise': seconds(25, () => (random() - 0.5) * 0.02),
    clicks: seconds(25, i => (i % 300 === 0 ? 0.9 : 0)),
  }
  for (const encoding of PCM_ENCODINGS) {
    for (const [name, samples] of Object.entries(sounds)) {
      t.equal(findingIn(t, mono(encoding), encoded(encoding, samples)), undefined, `${name}, ${encoding}`)
    }
  }
  for (const encoding of PCM_ENCODINGS) {
    for (const frequencyHertz of [50, 440, 1_004, 3_400, 7_000]) {
      const bytes = sine(mono(encoding), frequencyHertz, 22)
      t.equal(findingIn(t, mono(encoding), bytes), undefined, `${frequencyHertz} Hz, ${encoding}`)
    }
  }
})

t.test('silence from the beginning on is told after 10 s, in any encoding', async t => {
  for (const encoding of PCM_ENCODINGS) {
    const bytes = encoded(
      encoding,
      seconds(12, () => 0),
    )
    const warning = findingIn(t, mono(encoding), bytes)
    t.match(warning, { code: 'STT_WARN_SILENT', evidence: { durationMs: 10_000 } }, encoding)
    t.match(
      warning?.message,
      encoding === 'alaw' ? 'louder than -72.2 dBFS' : 'every sample is zero',
      encoding,
    )
  }
})

t.test('a silent file is told at its end, a moment of silence is not', async t => {
  const silence = (count: number) =>
    encoded(
      's16le',
      seconds(count, () => 0),
    )
  t.match(findingIn(t, mono('s16le'), silence(3)), {
    code: 'STT_WARN_SILENT',
    evidence: { durationMs: 3_000, peak: 0 },
  })
  t.equal(findingIn(t, mono('s16le'), silence(0.5)), undefined)
  t.strictSame(inspect(mono('s16le'), []), [])
})

t.test('dither is silence; one click, wherever it is, is not', async t => {
  const random = seededRandom(2)
  const dither = encoded(
    's16le',
    seconds(12, () => Math.round(random() * 2 - 1) / 32_767),
  )
  t.match(findingIn(t, mono('s16le'), dither), { code: 'STT_WARN_SILENT', evidence: { peak: 1 / 32_768 } })
  for (let round = 0; round < 20; round++) {
    const click = Math.floor(random() * 10 * RATE)
    const bytes = encoded(
      's16le',
      seconds(12, i => (i === click ? 0.1 : 0)),
    )
    t.strictSame(inspect(mono('s16le'), [bytes]), [], `a click at sample ${click}`)
  }
})

t.test('silence before speech is not told', async t => {
  const samples = new Float32Array(20 * RATE)
  samples.set(speech, 8 * RATE)
  t.equal(findingIn(t, mono('mulaw'), encoded('mulaw', samples)), undefined)
})

t.test('clipping is told, in any encoding', async t => {
  for (const encoding of PCM_ENCODINGS) {
    const loud = speech.map(sample => Math.max(-1, Math.min(1, sample * 20)))
    const warning = findingIn(t, mono(encoding), encoded(encoding, loud))
    t.match(
      warning,
      { code: 'STT_WARN_CLIPPING', evidence: { channel: 0, fromMs: 0, toMs: 5_000 } },
      encoding,
    )
    t.ok(Number(warning?.evidence['share']) > 0.01, encoding)
  }
})

t.test('peaks that touch full scale for two samples, or rarely, are not clipping', async t => {
  const touching = encoded(
    's16le',
    speech.map((sample, i) => (i % 50 < 2 ? (i % 100 < 50 ? 1 : -1) : sample)),
  )
  t.equal(findingIn(t, mono('s16le'), touching), undefined, '4 % of the samples, two in a row')
  const rare = encoded(
    's16le',
    speech.map((sample, i) => (i % 1_277 < 10 ? 1 : sample)),
  )
  t.equal(findingIn(t, mono('s16le'), rare), undefined, '0.8 % of the samples')
  const often = encoded(
    's16le',
    speech.map((sample, i) => (i % 1_277 < 19 ? 1 : sample)),
  )
  t.match(findingIn(t, mono('s16le'), often), { code: 'STT_WARN_CLIPPING' }, '1.5 % of the samples')
})

t.test('clipping that begins later is told', async t => {
  const minutes = seconds(300, i => speech[i % speech.length]! * (i < 60 * RATE ? 1 : 20))
  const warning = findingIn(t, mono('mulaw'), encoded('mulaw', minutes))
  t.match(warning, { code: 'STT_WARN_CLIPPING', evidence: { fromMs: 15_000 } })
})

t.test('an offset is told, in any encoding', async t => {
  for (const encoding of PCM_ENCODINGS) {
    const warning = findingIn(
      t,
      mono(encoding),
      encoded(
        encoding,
        speech.map(sample => sample / 2 - 0.08),
      ),
    )
    t.match(warning, { code: 'STT_WARN_DC_OFFSET', evidence: { channel: 0 } }, encoding)
    t.ok(Math.abs(Number(warning?.evidence['offset']) + 0.08) < 0.005, encoding)
  }
  const slight = encoded(
    's16le',
    speech.map(sample => sample / 2 + 0.04),
  )
  t.equal(findingIn(t, mono('s16le'), slight), undefined, '4 % is not')
})

t.test('floating point beyond all measure is told, and what it may be', async t => {
  const scaled = speech.map(sample => sample * 32_768)
  for (const encoding of ['f32le', 'f32be', 'f64le', 'f64be'] as const) {
    const warning = findingIn(t, mono(encoding), encoded(encoding, scaled))
    t.match(warning, { code: 'STT_WARN_LEVEL', message: 'Divide by 32768' }, encoding)
    t.ok(Number(warning?.evidence['peak']) > 1_000)
  }
  const codes = inspect(mono('f32le'), [encoded('s32le', speech)]).map(({ code }) => code)
  t.ok(codes.includes('STT_WARN_LEVEL'), 'integers declared as floating point')
  const master = speech.map(sample => sample * 3)
  t.equal(findingIn(t, mono('f32le'), encoded('f32le', master)), undefined, 'a loud master is not')
})

t.test('a channel without sound is told when another has had 10 s of it', async t => {
  const voice = seconds(30, i => speech[i % speech.length]!)
  for (const encoding of PCM_ENCODINGS) {
    const bytes = encoded(
      encoding,
      interleaved(
        voice,
        voice.map(() => 0),
      ),
    )
    const warning = findingIn(t, { ...mono(encoding), channels: 2 }, bytes)
    t.match(
      warning,
      { code: 'STT_WARN_DEAD_CHANNEL', evidence: { dead: '1', live: '0' }, message: 'channels: [0]' },
      encoding,
    )
  }
})

t.test('a channel is not dead that is quiet, late, or beside silence', async t => {
  const format = { ...mono('s16le'), channels: 2 }
  const voice = seconds(30, i => speech[i % speech.length]!)
  const random = seededRandom(3)
  const others = {
    quiet: voice.map(() => (random() - 0.5) * 0.001),
    'after 6 s': voice.map((sample, i) => (i < 6 * RATE ? 0 : sample)),
  }
  for (const [name, other] of Object.entries(others)) {
    t.equal(findingIn(t, format, encoded('s16le', interleaved(voice, other))), undefined, name)
  }
  const faint = voice.map(() => (random() - 0.5) * 0.01)
  t.equal(
    findingIn(
      t,
      format,
      encoded(
        's16le',
        interleaved(
          faint,
          voice.map(() => 0),
        ),
      ),
    ),
    undefined,
    'no sound',
  )
  const short = encoded(
    's16le',
    interleaved(
      voice,
      voice.map(() => 0),
    ),
  ).subarray(0, 4 * 4 * RATE)
  t.equal(findingIn(t, format, short), undefined, '4 s are too few')
})

t.test('samples in another encoding are told', async t => {
  const mistakes: readonly [declared: PcmEncoding, real: PcmEncoding][] = [
    ['s16le', 's16be'],
    ['s16be', 's16le'],
    ['s24le', 's24be'],
    ['s24be', 's24le'],
    ['s32le', 's32be'],
    ['s32be', 's32le'],
    ['mulaw', 'alaw'],
    ['alaw', 'mulaw'],
    ['f32le', 'f32be'],
    ['f32be', 'f32le'],
  ]
  for (const [declared, real] of mistakes) {
    const bytes = encoded(real, speech)
    const found = inspect(mono(declared), [bytes])
    t.strictSame(inspect(mono(declared), randomSplit(bytes, 1, 9_000)), found)
    const warning = found.find(({ code }) => code === 'STT_WARN_ENCODING')
    t.match(
      warning,
      { message: `encoding: '${real}'?`, evidence: { declared, suggested: real } },
      `${real} as ${declared}`,
    )
  }
})

t.test('a lost byte is told as an order of bytes', async t => {
  const bytes = encoded('s16le', speech).subarray(1)
  t.match(inspect(mono('s16le'), [bytes]), [{ code: 'STT_WARN_ENCODING', message: 'one byte was lost' }])
})

t.test('what is too faint for its bytes to tell their order is not warned of', async t => {
  const faint = encoded(
    's16le',
    speech.map(sample => sample * 0.004),
  )
  t.equal(findingIn(t, mono('s16le'), faint), undefined)
})

const HEADERS: Record<string, (chunk: Buffer) => Buffer> = {
  WAV: data => wavFile({ tag: 1, channels: 1, sampleRateHertz: RATE, bits: 16, data }),
  AIFF: data => Buffer.concat([Buffer.from('FORM\0\0\x10\0AIFFCOMM\0\0\0\x12\0\x01\0\0'), data]),
  AU: data => {
    const header = Buffer.from('.snd\0\0\0\x18')
    const fields = Buffer.alloc(16)
    for (const [i, field] of [data.length, 3, RATE, 1].entries()) fields.writeUInt32BE(field, 4 * i)
    return Buffer.concat([header, fields, data])
  },
  Ogg: data => Buffer.concat([Buffer.from('OggS\0\x02'), Buffer.alloc(22), data]),
}

t.test('the header of each chunk is told, in any encoding', async t => {
  for (const encoding of PCM_ENCODINGS) {
    for (const [container, withHeader] of Object.entries(HEADERS)) {
      const second = RATE * bytesPerSample(encoding)
      const [head, ...chunks] = splitEvery(encoded(encoding, speech), second / 10)
      const bytes = Buffer.concat([head!, ...chunks.map(withHeader)])
      const warnings = inspect(mono(encoding), [bytes])
      t.strictSame(inspect(mono(encoding), randomSplit(bytes, 5, 5_000)), warnings)
      const warning = warnings.find(({ code }) => code === 'STT_WARN_HEADER_IN_AUDIO')
      t.match(
        warning,
        { evidence: { container, positionBytes: second / 10, positionMs: 100 } },
        `${container}, ${encoding}`,
      )
    }
  }
})

t.test('one header in the first 10 s is told wherever it stands', async t => {
  const random = seededRandom(4)
  const samples = encoded(
    's16le',
    seconds(21, i => speech[i % speech.length]!),
  )
  const header = HEADERS['WAV']!(Buffer.alloc(0))
  for (let round = 0; round < 40; round++) {
    // Every other one where two windows of 4000 bytes meet.
    const at =
      round % 2
        ? Math.floor(random() * 10 * 2 * RATE)
        : 4_000 * (1 + Math.floor(random() * 79)) - (round % 44)
    const bytes = Buffer.concat([samples.subarray(0, at), header, samples.subarray(at)])
    const codes = inspect(mono('s16le'), [bytes]).map(({ code, evidence }) => [
      code,
      evidence['positionBytes'],
    ])
    t.strictSame(codes, [['STT_WARN_HEADER_IN_AUDIO', at]])
  }
})

t.test('four letters are no header', async t => {
  for (const letters of [
    'RIFF',
    'WAVE',
    'FORM',
    'AIFF',
    '.snd',
    'OggS',
    'RIFFWAVE',
    '.snd....................',
  ]) {
    const bytes = encoded('mulaw', speech)
    for (let at = 1_000; at < bytes.length; at += 1_000) bytes.write(letters, at, 'latin1')
    t.equal(findingIn(t, mono('mulaw'), bytes), undefined, letters)
  }
})

t.test('every channel is looked at, of many, at any rate', async t => {
  const format: PcmFormat = { encoding: 'f64le', sampleRateHertz: 384_000, channels: 8 }
  const second = Float32Array.from(
    { length: 384_000 * 8 },
    (_, i) => 0.2 * Math.sin(i / 100) + (i % 8 === 6 ? 0.3 : 0),
  )
  const bytes = encoded('f64le', second)
  t.match(inspect(format, [bytes, bytes, bytes]), [{ code: 'STT_WARN_DC_OFFSET', evidence: { channel: 6 } }])
})

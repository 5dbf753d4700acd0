import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { blockAlign, type PcmFormat } from '#dist/audio/pcm-format.js'
import { PortableResampler } from '#dist/audio/portable/resampler.js'
import { RESAMPLER_QUALITIES, type ResamplerQuality } from '#dist/audio/resampler-quality.js'
import { createResampler, nativeBackend } from '#dist/native.js'
import {
  aliasHertz,
  aliasOf,
  convert,
  edgeHertz,
  idealSinadDb,
  imageHertz,
  imageOf,
  passbandOf,
  sinadOf,
} from './fixtures/resampler-response.js'
import { runNode } from './fixtures/run-node.js'
import { samplesOf } from './fixtures/spectrum.js'

/**
 * Each set of kernels that this processor has, forced on, from the outside. A processor without AVX2 runs sse2, an
 * unknown architecture scalar.
 */

interface Addon {
  readonly kernels: readonly string[]
  readonly useKernels: (name: string) => boolean
}

const ROOT = join(import.meta.dirname, '..')
const load = createRequire(import.meta.url)('node-gyp-build') as (root: string) => Addon
/** The one that src/native.ts has loaded: a process has one instance of a file. */
const addon = load(ROOT)

const RATES = [8000, 11_025, 12_000, 16_000, 22_050, 31_987, 32_000, 44_100, 48_000, 96_000]

t.equal(nativeBackend(), 'native')
t.teardown(() => addon.useKernels(addon.kernels.at(-1)!))

/** Values from -1 to 1, as many as a few lengths of the filter at any rate. */
type Signal = Float64Array
const lengthAt = (sampleRateHertz: number) => 1200 + Math.ceil(sampleRateHertz / 20)

function noise(length: number, seed: number): Signal {
  let state = (seed * 2_654_435_769) >>> 0
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
}

function tone(length: number, cyclesPerSample: number): Signal {
  return Float64Array.from({ length }, (_, i) => Math.sin(2 * Math.PI * cyclesPerSample * i))
}

/** Overshoots at every edge, so it saturates. */
function square(length: number, cyclesPerSample: number): Signal {
  return tone(length, cyclesPerSample).map(value => (value < 0 ? -1 : 1))
}

/** The same signal in every channel but for a turn of its values, so that no two channels agree. */
const ENCODERS: { encoding: PcmFormat['encoding']; channels: number; write: Writer }[] = [
  { encoding: 's16le', channels: 1, write: (bytes, value, at) => bytes.writeInt16LE(step(value, 15), at) },
  { encoding: 's16le', channels: 2, write: (bytes, value, at) => bytes.writeInt16LE(step(value, 15), at) },
  { encoding: 's24be', channels: 3, write: (bytes, value, at) => bytes.writeIntBE(step(value, 23), at, 3) },
  // Beyond full scale.
  { encoding: 'f32le', channels: 1, write: (bytes, value, at) => bytes.writeFloatLE(1.5 * value, at) },
  // Not the law, but a value for every byte.
  { encoding: 'mulaw', channels: 1, write: (bytes, value, at) => bytes.writeInt8(step(value, 7), at) },
]

type Writer = (bytes: Buffer, value: number, at: number) => void

const step = (value: number, bits: number) => Math.min(Math.round(value * 2 ** bits), 2 ** bits - 1)

function encode(signal: Signal, write: Writer, format: PcmFormat): Buffer {
  const bytes = Buffer.alloc(signal.length * blockAlign(format))
  const sampleBytes = blockAlign(format) / format.channels
  for (let i = 0; i < signal.length * format.channels; i++) {
    const channel = i % format.channels
    const block = (i - channel) / format.channels
    write(bytes, signal[(block + 97 * channel) % signal.length]!, i * sampleBytes)
  }
  return bytes
}

interface Case {
  name: string
  format: PcmFormat
  quality: ResamplerQuality
  input: Buffer
  /** What the TypeScript twin makes of it. */
  expected: Int16Array
}

function casesOf(sampleRateHertz: number, quality: ResamplerQuality): Case[] {
  const length = lengthAt(sampleRateHertz)
  const signals = {
    noise: noise(length, sampleRateHertz),
    'tone of 997 Hz': tone(length, 997 / sampleRateHertz),
    'tone beyond the band': tone(length, 0.47),
    'square wave': square(length, 351 / sampleRateHertz),
  }
  return Object.entries(signals).flatMap(([signalName, signal]) =>
    ENCODERS.map(({ encoding, channels, write }) => {
      const format = { encoding, sampleRateHertz, channels }
      const input = encode(signal, write, format)
      const name = `${quality}, ${sampleRateHertz} Hz, ${channels} x ${encoding}, ${signalName}`
      return {
        name,
        format,
        quality,
        input,
        expected: convert(new PortableResampler(format, { quality }), input),
      }
    }),
  )
}

const cases = RESAMPLER_QUALITIES.flatMap(quality => RATES.flatMap(rate => casesOf(rate, quality)))

function largestDifference(one: Int16Array, other: Int16Array): number {
  if (one.length !== other.length) return Infinity
  return one.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample - other[i]!)), 0)
}

/** In chunks of so many blocks, over and over. */
function convertSplit({ format, quality, input }: Case, lengths: readonly number[]): Int16Array {
  const resampler = createResampler(format, { quality })
  const output = Buffer.alloc(2 * (resampler.maxOutput(input.length) + resampler.maxFlush))
  const block = blockAlign(format)
  let written = 0
  for (let at = 0, i = 0; at < input.length; i++) {
    const end = Math.min(input.length, at + block * lengths[i % lengths.length]!)
    written += resampler.process(input.subarray(at, end), output.subarray(2 * written))
    at = end
  }
  written += resampler.flush(output.subarray(2 * written))
  return samplesOf(output.subarray(0, 2 * written))
}

t.test('has the kernels that the architecture promises, and refuses others', async t => {
  const promised = { x64: ['scalar', 'sse2'], arm64: ['scalar', 'neon'] }[process.arch as string] ?? [
    'scalar',
  ]
  t.strictSame(addon.kernels.slice(0, promised.length), promised)
  t.notOk(addon.useKernels('mmx'))
  for (const name of addon.kernels) t.ok(addon.useKernels(name), name)
  t.comment(`kernels: ${addon.kernels.join(', ')}`)
})

const LIMITS = [
  { quality: 'high', edge01: 0.468, stop: 0.502, downDb: 100 },
  { quality: 'fast', edge01: 0.45, stop: 0.55, downDb: 99 },
] as const

const RESPONSES = [8000, 44_100].map(sampleRateHertz => {
  const band = Math.min(sampleRateHertz, 16_000)
  return {
    sampleRateHertz,
    band,
    passband: passbandOf(sampleRateHertz),
    sinad: sinadOf(sampleRateHertz, 3000.3),
  }
})

for (const name of addon.kernels) {
  t.test(`${name}: makes the same bytes for every split`, async t => {
    t.ok(addon.useKernels(name))
    for (const one of cases) {
      const expected = convert(createResampler(one.format, one), one.input)
      for (const lengths of [[1], [7], [160], [1, 1021, 2, 33]]) {
        if (largestDifference(convertSplit(one, lengths), expected) > 0)
          t.fail(`${one.name}, in chunks of ${lengths.join(', ')} blocks`)
      }
    }
  })

  t.test(`${name}: agrees with the TypeScript twin within one step`, async t => {
    t.ok(addon.useKernels(name))
    let [samples, different] = [0, 0]
    for (const one of cases) {
      const output = convert(createResampler(one.format, one), one.input)
      const worst = largestDifference(output, one.expected)
      if (worst > 1) t.fail(`${one.name}: ${worst} steps apart`)
      samples += output.length
      different += output.filter((sample, i) => sample !== one.expected[i]).length
    }
    t.comment(`${name}: ${different} of ${samples} samples are one step apart`)
  })

  t.test(`${name}: filters as well as the best`, async t => {
    t.ok(addon.useKernels(name))
    for (const { sampleRateHertz, band, passband, sinad } of RESPONSES) {
      for (const { quality, edge01, stop, downDb } of LIMITS) {
        const make = (format: PcmFormat) => createResampler(format, { quality })
        const points = passband(make)
        const fold = Math.max(
          ...aliasHertz(sampleRateHertz, stop * band).map(hertz => aliasOf(sampleRateHertz, hertz)(make)),
          ...imageHertz(sampleRateHertz, stop * band).map(hertz => imageOf(sampleRateHertz, hertz)(make)),
        )
        const what = `${quality}, ${sampleRateHertz} Hz`
        t.ok(edgeHertz(points, -0.1) >= edge01 * band, `${what}: -0.1 dB`)
        t.ok(
          points.every(({ lateSeconds }) => Math.abs(lateSeconds) <= 1e-7),
          `${what}: on the grid`,
        )
        t.ok(fold <= -downDb, `${what}: aliases and images, ${fold.toFixed(1)} dB`)
        t.ok(sinad(make) >= idealSinadDb(sampleRateHertz) - 0.4, `${what}: SINAD`)
      }
    }
  })
}

t.test('STTSTREAM_KERNELS chooses the kernels of a process', async t => {
  const format: PcmFormat = { encoding: 's16le', sampleRateHertz: 48_000, channels: 1 }
  // Long enough for sums in another order to round to another step here and there.
  const input = encode(noise(96_000, 1), ENCODERS[0]!.write, format)
  const path = join(t.testdir({ 'noise.s16le': input }), 'noise.s16le')
  const script = `
    import { createHash } from 'node:crypto'
    import { readFileSync } from 'node:fs'
    import { createResampler, nativeBackend } from '#dist/native.js'
    const resampler = createResampler(${JSON.stringify(format)})
    const input = readFileSync(${JSON.stringify(path)})
    const output = Buffer.alloc(2 * resampler.maxOutput(input.length))
    const written = resampler.process(input, output)
    const hash = createHash('sha256').update(output.subarray(0, 2 * written)).digest('hex')
    console.log(JSON.stringify([nativeBackend(), hash]))`
  const hashes = new Set<string>()
  for (const name of addon.kernels) {
    addon.useKernels(name)
    const resampler = createResampler(format)
    const output = Buffer.alloc(2 * resampler.maxOutput(input.length))
    const written = resampler.process(input, output)
    const hash = createHash('sha256')
      .update(output.subarray(0, 2 * written))
      .digest('hex')
    const { stdout } = await runNode(['--input-type=module', '-e', script], { STTSTREAM_KERNELS: name }, ROOT)
    t.strictSame(JSON.parse(stdout), ['native', hash], name)
    hashes.add(hash)
  }
  t.ok(addon.kernels.length === 1 || hashes.size > 1, 'some kernels can be told apart')
})

t.test('STTSTREAM_KERNELS of a wrong name brings the TypeScript twin, and a warning', async t => {
  const script = `
    import { resample } from '#dist/audio/resample.js'
    const stream = resample({ format: { encoding: 's16le', sampleRateHertz: 8000, channels: 1 } })
    stream.on('warning', warning => console.log(JSON.stringify(warning))).resume().end(Buffer.alloc(2000))`
  const { stdout } = await runNode(['--input-type=module', '-e', script], { STTSTREAM_KERNELS: 'mmx' }, ROOT)
  const choice = addon.kernels.join(', ')
  t.strictSame(JSON.parse(stdout), {
    code: 'STT_WARN_PORTABLE',
    message:
      'resampling in TypeScript, which is slower: ' +
      `STTSTREAM_KERNELS must be one of ${choice} on this processor; got mmx`,
  })
})

import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { ChannelMixOptions } from '#dist/audio/channel-mix.js'
import { bytesPerSample, PCM_ENCODINGS, type PcmFormat } from '#dist/audio/pcm-format.js'
import type { PcmResampler, PcmResamplerOptions } from '#dist/audio/portable/pcm-resampler.js'
import { PortableResampler } from '#dist/audio/portable/resampler.js'
import { resample, type Resampler } from '#dist/audio/resample.js'
import { createResampler } from '#dist/native.js'
import { seededRandom } from './fixtures/chunks.js'
import { samplesOf } from './fixtures/spectrum.js'

const STEREO: PcmFormat = { encoding: 's16le', sampleRateHertz: 16_000, channels: 2 }

const backends = [
  { name: 'native', make: createResampler },
  {
    name: 'portable',
    make: (format: PcmFormat, options: PcmResamplerOptions): PcmResampler =>
      new PortableResampler(format, options),
  },
]

/** Blocks of LINEAR16: each an array of a sample for each channel. */
function linear16(blocks: readonly (readonly number[])[]): Buffer {
  const samples = blocks.flat()
  const bytes = Buffer.alloc(2 * samples.length)
  samples.forEach((sample, i) => bytes.writeInt16LE(sample, 2 * i))
  return bytes
}

function convert(resampler: PcmResampler, input: Uint8Array): number[] {
  const output = Buffer.alloc(2 * (resampler.maxOutput(input.length) + resampler.maxFlush))
  const taken = resampler.process(input, output)
  const flushed = resampler.flush(output.subarray(2 * taken))
  return [...samplesOf(output.subarray(0, 2 * (taken + flushed)))]
}

async function mixed(
  options: ChannelMixOptions,
  blocks: readonly (readonly number[])[],
): Promise<readonly number[]> {
  const stream = resample({ format: { ...STEREO, channels: blocks[0]?.length ?? 0 }, ...options })
  stream.end(linear16(blocks))
  return [...samplesOf(await buffer(stream))]
}

t.test('averages all channels unless told otherwise', async t => {
  t.strictSame(await mixed({}, [[100, 200, 306]]), [202])
  t.strictSame(await mixed({ channels: undefined, mix: undefined }, [[100, 200, 306]]), [202])
})

t.test('takes the mean of the channels that are named', async t => {
  const block = [100, 250, -300]
  t.strictSame(await mixed({ channels: [0] }, [block]), [100])
  t.strictSame(await mixed({ channels: [2] }, [block]), [-300])
  t.strictSame(await mixed({ channels: [2, 0] }, [block]), [-100])
  t.strictSame(await mixed({ channels: [0, 1, 2] }, [[100, 200, 306]]), [202])
})

t.test('weighs the channels with the gains of a mix, and saturates', async t => {
  t.strictSame(await mixed({ mix: [0.25, 0.75] }, [[100, 200]]), [175])
  t.strictSame(await mixed({ mix: [1, 1] }, [[100, 200]]), [300])
  t.strictSame(await mixed({ mix: [1, -1] }, [[100, 200]]), [-100])
  t.strictSame(await mixed({ mix: [2] }, [[-100]]), [-200])
  t.strictSame(
    await mixed({ mix: [1, 1] }, [
      [30_000, 30_000],
      [-30_000, -30_000],
    ]),
    [32_767, -32_768],
  )
})

for (const { name, make } of backends) {
  t.test(`${name}: means of equal integers are exact`, async t => {
    for (const channels of [3, 5, 6, 7, 8]) {
      const format = { ...STEREO, channels: 8 }
      const mix = new Float32Array(8).fill(1 / channels, 0, channels)
      const values = Array.from({ length: 1_000 }, (_, i) => 32_767 - 65 * i)
      const input = linear16(values.map(value => new Array<number>(8).fill(value)))
      t.strictSame(convert(make(format, { mix }), input), values, `${channels} of 8 channels`)
    }
  })

  t.test(`${name}: does not read the channels that are left out`, async t => {
    const format: PcmFormat = { encoding: 'f32le', sampleRateHertz: 16_000, channels: 2 }
    const input = Buffer.alloc(8)
    input.writeFloatLE(0.5, 0)
    input.writeFloatLE(NaN, 4)
    const left = make(format, { mix: Float32Array.of(1, 0) })
    t.strictSame(convert(left, input), [16_384])
    t.equal(left.nonFinite, 0)
    const both = make(format, { mix: Float32Array.of(1, 0.1) })
    t.strictSame(convert(both, input), [16_384])
    t.equal(both.nonFinite, 1)
  })
}

t.test('native and portable agree within one step for any mix in any encoding', async t => {
  const random = seededRandom(3)
  for (const encoding of PCM_ENCODINGS) {
    for (const sampleRateHertz of [8_000, 16_000, 44_100]) {
      const channels = 1 + Math.floor(random() * 8)
      const format: PcmFormat = { encoding, sampleRateHertz, channels }
      const bytes = bytesPerSample(encoding)
      const input = Buffer.alloc(2_000 * channels * bytes)
      for (let at = 0; at < input.length; at++) input[at] = random() * 256
      if (encoding.startsWith('f')) {
        for (let at = 0; at < input.length; at += bytes) {
          const sample = random() - 0.5
          if (encoding === 'f32le') input.writeFloatLE(sample, at)
          else if (encoding === 'f32be') input.writeFloatBE(sample, at)
          else if (encoding === 'f64le') input.writeDoubleLE(sample, at)
          else input.writeDoubleBE(sample, at)
        }
      }
      const mix = Float32Array.from({ length: channels }, () => (random() < 0.3 ? 0 : random() * 2 - 1))
      const [native, portable] = backends.map(({ make }) => convert(make(format, { mix }), input))
      if (!native || !portable) throw new Error('two backends')
      t.equal(native.length, portable.length)
      const worst = native.reduce((most, value, i) => Math.max(most, Math.abs(value - portable[i]!)), 0)
      t.ok(worst <= 1, `${encoding}, ${sampleRateHertz} Hz, ${mix.join(' ')}: ${worst} steps apart`)
      if (mix.some(gain => gain !== 0)) t.ok(native.some(value => value !== 0))
    }
  }
})

t.test('refuses a mix that makes no sense before it takes any bytes', async t => {
  const wrong: [options: object, type: string, message: RegExp][] = [
    [{ channels: [0], mix: [1, 0] }, 'TypeError', /^channels and mix exclude one another$/],
    [{ channels: 0 }, 'TypeError', /^channels must be an array of different integers .*; got number$/],
    [{ channels: null }, 'TypeError', /^channels .*; got null$/],
    [{ channels: ['0'] }, 'TypeError', /^channels .*; got a string in it$/],
    [{ channels: [] }, 'RangeError', /^channels .* at least one; got none$/],
    [{ channels: [0, 0] }, 'RangeError', /^channels .* different .*; got \[0, 0\]$/],
    [{ channels: [-1] }, 'RangeError', /^channels .* from 0 to 7, .*; got \[-1\]$/],
    [{ channels: [8] }, 'RangeError', /^channels .*; got \[8\]$/],
    [{ channels: [0.5] }, 'RangeError', /^channels .*; got \[0.5\]$/],
    [{ mix: 'left' }, 'TypeError', /^mix must be an array of a gain .*; got string$/],
    [{ mix: [[1, 0]] }, 'TypeError', /^mix .*; got a object in it$/],
    [{ mix: [] }, 'RangeError', /^mix .*; got none$/],
    [{ mix: [0, 0] }, 'RangeError', /^mix .* not all 0; got \[0, 0\]$/],
    [{ mix: [1, NaN] }, 'RangeError', /^mix .*; got \[1, NaN\]$/],
    [{ mix: [1_001, 0] }, 'RangeError', /^mix .* from -1000 to 1000 .*; got \[1001, 0\]$/],
    [{ mix: new Array<number>(9).fill(1) }, 'RangeError', /^mix .*, 1 to 8, /],
  ]
  for (const format of [STEREO, {}]) {
    for (const [options, name, message] of wrong)
      t.throws(() => resample({ format, ...options }), { name, message }, String(message))
  }
  t.doesNotThrow(() => resample({ format: STEREO, mix: [-1_000, 1_000] }))
})

t.test('refuses a mix that does not fit the format', async t => {
  const unfit: [ChannelMixOptions, RegExp][] = [
    [{ channels: [2] }, /^channels must name some of the input's 2 channels, counted from 0; got 2$/],
    [{ mix: [1] }, /^mix must have a gain for each of the input's 2 channels; got 1$/],
    [{ mix: [1, 0, 0] }, /^mix must have .*; got 3$/],
  ]
  for (const [options, message] of unfit) {
    t.throws(() => resample({ format: STEREO, ...options }), { name: 'RangeError', message })

    const late: { format?: PcmFormat } = {}
    const stream: Resampler = resample({ format: late, ...options })
    late.format = STEREO
    stream.write(Buffer.alloc(4))
    const [error] = (await once(stream, 'error')) as [Error]
    t.match(error, { code: 'STT_ERR_UNSUPPORTED_AUDIO', message })
    t.type(error.cause, RangeError)
  }
  t.throws(() => resample({ format: { ...STEREO, channels: 1 }, channels: [1] }), {
    message: /^channels must name some of the input's 1 channel, /,
  })
})

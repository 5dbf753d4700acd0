import t from 'tap'
import type { PcmFormat } from '#dist/audio/pcm-format.js'
import type { ResamplerKernel } from '#dist/audio/portable/resampler-kernel.js'
import { PortableResampler } from '#dist/audio/portable/resampler.js'
import { createResampler, nativeBackend } from '#dist/native.js'
import { OUTPUT_RATE_HERTZ, samplesOf, sinad, toneAt, worstLine } from './fixtures/spectrum.js'

const RATES = [
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 31_987, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
]
const FULL_SCALE = 32_768
/** One 16 384-point spectrum and the filter's settling before it. */
const SECONDS = 1.15
const SETTLED = 1000

interface Tone {
  hertz: number
  /** 1 is full scale; floating-point input may pass it. */
  amplitude: number
}

function convert(kernel: ResamplerKernel, input: Buffer): Buffer {
  const output = Buffer.alloc(2 * (kernel.maxOutput(input.length) + kernel.maxFlush))
  const written = kernel.process(input, output)
  return output.subarray(0, 2 * (written + kernel.flush(output.subarray(2 * written))))
}

function tones(sampleRateHertz: number, parts: Tone[]): Buffer {
  const samples = new Float32Array(Math.ceil(SECONDS * sampleRateHertz))
  for (const { hertz, amplitude } of parts) {
    const step = (2 * Math.PI * hertz) / sampleRateHertz
    for (let i = 0; i < samples.length; i++) samples[i]! += amplitude * Math.sin(step * i)
  }
  const bytes = Buffer.alloc(4 * samples.length)
  samples.forEach((sample, i) => bytes.writeFloatLE(sample, 4 * i))
  return bytes
}

/** `count` frequencies from one edge to the other, both included, on no grid that rates share. */
function sweep(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const hertz = from + ((to - from) * i) / (count - 1)
    return i === 0 || i === count - 1 ? hertz : hertz + Math.SQRT2 * i
  })
}

const backends: { name: string; make: (format: PcmFormat) => ResamplerKernel }[] = [
  { name: 'native', make: createResampler },
  { name: 'portable', make: format => new PortableResampler(format) },
]

t.equal(nativeBackend(), 'native', 'the addon is built: without it this file would measure one backend twice')

for (const sampleRateHertz of RATES) {
  t.test(`resamples ${sampleRateHertz} Hz within its limits`, async t => {
    const band = Math.min(sampleRateHertz, OUTPUT_RATE_HERTZ)
    // Rounding adds 1/12 step^2, at the input only the share of it that the filter passes. At 16 kHz the second
    // rounding changes nothing.
    const roundings = sampleRateHertz === OUTPUT_RATE_HERTZ ? 1 : 1 + (0.9625 * band) / sampleRateHertz
    const idealDb = 10 * Math.log10((0.89 * FULL_SCALE) ** 2 / 2 / (roundings / 12))
    for (const { name, make } of backends) {
      const output = (parts: Tone[]) =>
        samplesOf(
          convert(make({ encoding: 'f32le', sampleRateHertz, channels: 1 }), tones(sampleRateHertz, parts)),
        )

      // Gain and delay of tones throughout the passband, all at once. The phase of the output's tone at its
      // sample 0 is the input's, which is 0, but for the delay.
      const amplitude = 0.035
      const passband = sweep(60, 0.45 * band, 24)
      const response = output(passband.map(hertz => ({ hertz, amplitude })))
      const measured = passband.map(hertz => ({ hertz, ...toneAt(response, hertz, SETTLED, 16_384) }))
      const gains = measured.map(tone => 20 * Math.log10(tone.amplitude / (amplitude * FULL_SCALE)))
      const deviationDb = Math.max(...gains.map(Math.abs))
      const delaysUs = measured.map(tone => (1e6 * Math.abs(tone.phase)) / (2 * Math.PI * tone.hertz))
      const delayUs = Math.max(...delaysUs)
      t.ok(deviationDb <= 0.1, `${name}: ${deviationDb} dB of deviation to 0.45 f`)
      t.ok(delayUs < 0.1, `${name}: ${delayUs} us of delay`)

      // A tone beyond the stop edge must vanish wherever it folds to. 40 dB above full scale, what is left of
      // it stands clear of the output's rounding, and the pilot keeps that rounding noise-like.
      const pilot = { hertz: 1234.5, amplitude: 0.3 }
      const edge = 0.5125 * OUTPUT_RATE_HERTZ
      const stopband =
        sampleRateHertz > OUTPUT_RATE_HERTZ
          ? [...sweep(edge, 1.04 * edge, 8), ...sweep(1.05 * edge, 0.4995 * sampleRateHertz, 12)]
          : []
      const aliases = stopband.map(hertz =>
        worstLine(output([{ hertz, amplitude: 100 }, pilot]), SETTLED, 100 * FULL_SCALE, [pilot.hertz]),
      )
      const aliasDb = Math.max(...aliases)
      if (aliases.length > 0) t.ok(aliasDb <= -95, `${name}: ${aliasDb} dB of alias from 0.5125 f`)

      // Whatever a tone to 0.4875 f brings along: its images stand at 0.5125 f and beyond. Off whole Hertz, since
      // the rounding of a short period is itself a line.
      const imageDb = Math.max(
        ...sweep(333.3, 0.4875 * band - 0.7, 10).map(hertz =>
          worstLine(output([{ hertz, amplitude: 0.89 }]), SETTLED, 0.89 * FULL_SCALE, [hertz]),
        ),
      )
      t.ok(imageDb <= -95, `${name}: ${imageDb} dB of image`)

      const sinads = [1000.3, 0.4375 * band + 0.7].map(hertz => {
        const exact = tones(sampleRateHertz, [{ hertz, amplitude: 0.89 }])
        const rounded = Buffer.alloc(exact.length / 2)
        for (let i = 0; i < rounded.length; i += 2) {
          rounded.writeInt16LE(Math.round(exact.readFloatLE(2 * i) * FULL_SCALE), i)
        }
        const result = convert(make({ encoding: 's16le', sampleRateHertz, channels: 1 }), rounded)
        return sinad(samplesOf(result), hertz, SETTLED, 16_000)
      })
      const sinadDb = Math.min(...sinads)
      t.ok(sinadDb >= idealDb - 0.5, `${name}: ${sinadDb} dB of ${idealDb} that two roundings leave`)

      const figures = [
        `passband ${deviationDb.toFixed(5)} dB`,
        `delay ${delayUs.toFixed(3)} us`,
        `alias ${aliases.length > 0 ? aliasDb.toFixed(1) : 'none'} dB`,
        `image ${imageDb.toFixed(1)} dB`,
        `SINAD ${sinads.map(db => db.toFixed(1)).join(' and ')} dB`,
      ]
      t.comment(`${sampleRateHertz} Hz ${name}: ${figures.join(', ')}`)
    }
  })
}

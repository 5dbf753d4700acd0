import t from 'tap'
import { PortableResampler } from '#dist/audio/portable/resampler.js'
import type { ResamplerQuality } from '#dist/audio/resampler-quality.js'
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
  streamingDelayMs,
  type MakeResampler,
} from './fixtures/resampler-response.js'
import { OUTPUT_RATE_HERTZ } from './fixtures/spectrum.js'

const RATES = [
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 31_987, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
]

/** Frequencies in units of f, the smaller of the input rate and 16 kHz. */
interface Limits {
  quality: ResamplerQuality
  /** Lowest frequencies at which the gain may fall below -0.1 and -3 dB. */
  edge01: number
  edge3: number
  /** Peak to peak from 60 Hz on, as far as the response is meant to be flat: from there it falls to the -0.1 dB edge. */
  ripple: { to: number; db: number }
  /** From `stop` f on, every alias and image is `downDb` down. */
  stop: number
  downDb: number
  delayMs: (band: number) => number
}

const LIMITS: Limits[] = [
  {
    quality: 'high',
    edge01: 0.468,
    edge3: 0.477,
    ripple: { to: 0.465, db: 0.02 },
    stop: 0.502,
    downDb: 100,
    delayMs: band => Math.min(10, (6 * 16_000) / band) + 0.5,
  },
  {
    quality: 'fast',
    edge01: 0.45,
    edge3: 0.47,
    ripple: { to: 0.43, db: 0.051 },
    stop: 0.55,
    downDb: 99,
    delayMs: band => (band < OUTPUT_RATE_HERTZ ? 4 : 3),
  },
]

/** SINAD of tones at -1 dBFS, 16 bits in and out; at other rates 0.4 dB less than perfect. */
const SINAD_DB = new Map([
  [8000, 93.9],
  [44_100, 95.5],
  [48_000, 95.5],
])

const backends: { name: string; makeOf: (quality: ResamplerQuality) => MakeResampler }[] = [
  { name: 'native', makeOf: quality => format => createResampler(format, { quality }) },
  { name: 'portable', makeOf: quality => format => new PortableResampler(format, { quality }) },
]

t.equal(nativeBackend(), 'native', 'the addon is built: without it this file would measure one backend twice')

for (const sampleRateHertz of RATES) {
  const band = Math.min(sampleRateHertz, OUTPUT_RATE_HERTZ)
  const passband = passbandOf(sampleRateHertz)
  const sinads = [1000.3, 3000.3, 7000.7]
    .filter(hertz => hertz < 0.45 * band)
    .map(hertz => sinadOf(sampleRateHertz, hertz))
  const sinadLimitDb = SINAD_DB.get(sampleRateHertz) ?? idealSinadDb(sampleRateHertz) - 0.4

  for (const { quality, edge01, edge3, ripple, stop, downDb, delayMs } of LIMITS) {
    t.test(`${quality}: resamples ${sampleRateHertz} Hz within its limits`, async t => {
      const aliases = aliasHertz(sampleRateHertz, stop * band).map(hertz => aliasOf(sampleRateHertz, hertz))
      const images = imageHertz(sampleRateHertz, stop * band).map(hertz => imageOf(sampleRateHertz, hertz))
      for (const { name, makeOf } of backends) {
        const make = makeOf(quality)
        const points = passband(make)
        const edge01Hertz = edgeHertz(points, -0.1)
        const edge3Hertz = edgeHertz(points, -3)
        const gains = points.filter(({ hertz }) => hertz <= ripple.to * band).map(({ gainDb }) => gainDb)
        const rippleDb = Math.max(...gains) - Math.min(...gains)
        const highestDb = Math.max(...points.map(({ gainDb }) => gainDb))
        const lateUs = 1e6 * Math.max(...points.map(({ lateSeconds }) => Math.abs(lateSeconds)))
        const aliasDb = Math.max(...aliases.map(measure => measure(make)))
        const imageDb = Math.max(...images.map(measure => measure(make)))
        const sinadDbs = sinads.map(measure => measure(make))
        // Audio taken less audio given; the filter adds nothing to it, since every tone is on the grid.
        const delay = streamingDelayMs(make, sampleRateHertz)

        t.ok(edge01Hertz >= edge01 * band, `${name}: -0.1 dB from ${edge01} f`)
        t.ok(edge3Hertz >= edge3 * band, `${name}: -3 dB from ${edge3} f`)
        t.ok(rippleDb <= ripple.db, `${name}: at most ${ripple.db} dB of ripple to ${ripple.to} f`)
        t.ok(highestDb <= ripple.db, `${name}: no gain beyond the ripple`)
        t.ok(lateUs <= 0.1, `${name}: every tone on the grid`)
        t.ok(aliasDb <= -downDb, `${name}: aliases ${downDb} dB down from ${stop} f`)
        t.ok(imageDb <= -downDb, `${name}: images ${downDb} dB down from ${stop} f`)
        t.ok(Math.min(...sinadDbs) >= sinadLimitDb, `${name}: SINAD from ${sinadLimitDb.toFixed(1)} dB`)
        t.ok(delay <= delayMs(band), `${name}: at most ${delayMs(band)} ms of delay`)

        const figures = [
          `-0.1 dB ${(edge01Hertz / band).toFixed(4)} f`,
          `-3 dB ${(edge3Hertz / band).toFixed(4)} f`,
          `ripple ${rippleDb.toFixed(4)} dB`,
          `off the grid ${lateUs.toFixed(3)} us`,
          `alias ${aliases.length > 0 ? aliasDb.toFixed(1) : 'none'} dB`,
          `image ${imageDb.toFixed(1)} dB`,
          `SINAD ${sinadDbs.map(db => db.toFixed(2)).join(', ')} dB`,
          `delay ${delay.toFixed(2)} ms`,
        ]
        t.comment(`${quality}, ${sampleRateHertz} Hz, ${name}: ${figures.join('; ')}`)
      }
    })
  }
}

for (const { name, makeOf } of backends) {
  for (const { quality } of LIMITS) {
    t.test(`${name}, ${quality}: passes 16 kHz mono LINEAR16 bit for bit, and only mixes stereo`, async t => {
      const make = makeOf(quality)
      const everyValue = Int16Array.from({ length: 65_536 }, (_, i) => i * 40_503)
      const right = Int16Array.from(everyValue, (_, i) => everyValue[(i + 1) % everyValue.length]!)
      const stereo = Int16Array.from(
        { length: 131_072 },
        (_, i) => (i % 2 === 0 ? everyValue : right)[i >> 1]!,
      )
      const means = everyValue.map((left, i) => roundHalfToEven((left + right[i]!) / 2))
      const outputOf = (input: Int16Array, channels: number) =>
        convert(
          make({ encoding: 's16le', sampleRateHertz: OUTPUT_RATE_HERTZ, channels }),
          Buffer.from(input.buffer),
        )
      t.equal(firstDifference(outputOf(everyValue, 1), everyValue), -1)
      t.equal(firstDifference(outputOf(stereo, 2), means), -1)
    })
  }
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  if (value - below === 0.5) return below % 2 === 0 ? below : below + 1
  return Math.round(value)
}

/** Where two outputs part, their ends included; -1 where they do not. */
function firstDifference(actual: Int16Array, expected: Int16Array): number {
  if (actual.length !== expected.length) return Math.min(actual.length, expected.length)
  return actual.findIndex((sample, i) => sample !== expected[i])
}

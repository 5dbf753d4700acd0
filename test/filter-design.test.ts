import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { HALF_BANDS } from '#dist/audio/portable/prototypes.js'
import { filterTable } from '#dist/audio/portable/resampler-filter.js'
import { resamplerGeometry } from '#dist/audio/portable/resampler-geometry.js'
import type { ResamplerQuality } from '#dist/audio/resampler-quality.js'

const OUTPUT_RATE_HERTZ = 16_000
/** Rates that reach the polyphase stage; 31 987 Hz has 16 000 phases and interpolates between 257 rows. */
const RATES = [8000, 11_025, 12_000, 20_000, 22_050, 24_000, 31_987, 32_000]
/** Phases between two neighbouring rows at which interpolation is measured. */
const BETWEEN_ROWS = 4

const QUALITIES = [
  {
    name: 'high',
    ripple: { to: 0.465, db: 0.02 },
    edges: [
      { at: 0.468, db: -0.1 },
      { at: 0.477, db: -3 },
    ],
    stop: 0.502,
    rejectionDb: 101.5,
    imagesOf3kHzDb: 112,
  },
  {
    name: 'fast',
    ripple: { to: 0.43, db: 0.051 },
    edges: [{ at: 0.45, db: -0.1 }],
    stop: 0.55,
    rejectionDb: 99.9,
    imagesOf3kHzDb: 107,
  },
] as const

const decibels = (power: number) => 10 * Math.log10(power)

interface Phase {
  /** Where the output stands, in input samples past the last of the first half of `taps`. */
  fraction: number
  taps: Float32Array
}

/** Every phase of the polyphase stage; of one whose taps lie between rows, some on the way from each to the next. */
function phasesOf(rate: number, quality: ResamplerQuality): Phase[] {
  const { up, taps, intervals, rows } = filterTable(rate, quality)
  const row = (r: number) => rows.subarray(r * taps, (r + 1) * taps)
  if (intervals === 0) return Array.from({ length: up }, (_, p) => ({ fraction: p / up, taps: row(p) }))
  return Array.from({ length: intervals * BETWEEN_ROWS }, (_, i) => {
    const r = Math.floor(i / BETWEEN_ROWS)
    const weight = (i % BETWEEN_ROWS) / BETWEEN_ROWS
    const next = row(r + 1)
    return {
      fraction: i / BETWEEN_ROWS / intervals,
      taps: row(r).map((tap, k) => tap + weight * (next[k]! - tap)),
    }
  })
}

/**
 * What a tone becomes: every phase answers with a phasor, seen from where its output stands. Their mean is the gain
 * that the tone keeps; what they scatter around it is all its images together.
 */
function toneThrough(phases: Phase[], cyclesPerSample: number): { kept: number; images: number } {
  const length = phases[0]!.taps.length
  const centre = length / 2 - 1
  const angle = 2 * Math.PI * cyclesPerSample
  const cos = Float64Array.from({ length }, (_, k) => Math.cos(angle * (k - centre)))
  const sin = Float64Array.from({ length }, (_, k) => Math.sin(angle * (k - centre)))
  const answers = phases.map(({ fraction, taps }) => {
    let re = 0
    let im = 0
    for (let k = 0; k < length; k++) {
      re += taps[k]! * cos[k]!
      im += taps[k]! * sin[k]!
    }
    const c = Math.cos(angle * fraction)
    const s = Math.sin(angle * fraction)
    return { re: re * c + im * s, im: im * c - re * s }
  })
  const mean = { re: 0, im: 0 }
  for (const { re, im } of answers) {
    mean.re += re / answers.length
    mean.im += im / answers.length
  }
  const scatter = answers.reduce((sum, { re, im }) => sum + (re - mean.re) ** 2 + (im - mean.im) ** 2, 0)
  return { kept: mean.re ** 2 + mean.im ** 2, images: scatter / answers.length }
}

/** `count` values from one end to the other, both included. */
function range(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))
}

t.test('the committed filters are, byte for byte, what the design script writes', async t => {
  const script = join(import.meta.dirname, '../native/design/design-filters.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
})

for (const { name, ripple, edges, stop, rejectionDb, imagesOf3kHzDb } of QUALITIES) {
  for (const rate of RATES) {
    t.test(`${name}: float32 phases at ${rate} Hz keep the passband and reject the rest`, async t => {
      const { bandsPerSample: band } = resamplerGeometry(rate, name)
      const phases = phasesOf(rate, name)
      const through = (nu: number) => toneThrough(phases, nu * band)

      const gains = range(0, ripple.to, 250).map(nu => decibels(through(nu).kept))
      t.ok(Math.max(...gains) - Math.min(...gains) <= ripple.db, 'ripple')
      for (const { at, db } of edges) {
        t.ok(decibels(through(at).kept) >= db, `${db} dB at ${at} f`)
      }
      const images = range(0, 1 - stop, 400).map(nu => decibels(through(nu).images))
      t.ok(Math.max(...images) <= -rejectionDb, 'all images together')
      // The tone that SINAD is measured with at 8 kHz: there its image is nearest to the edge.
      t.ok(decibels(through(3000 / (band * rate)).images) <= -imagesOf3kHzDb, 'all images of 3 kHz together')
      if (0.5 / band > stop) {
        const aliases = range(stop, 0.5 / band, 400).map(through)
        const worst = Math.max(...aliases.map(({ kept, images }) => decibels(kept + images)))
        t.ok(worst <= -rejectionDb, 'aliases')
      }
    })
  }
}

/** At a frequency in units of the input rate. */
function halfBandGain(taps: readonly number[], nu: number): number {
  return taps.reduce((sum, tap, k) => sum + 2 * tap * Math.cos(2 * Math.PI * (2 * k + 1) * nu), 0.5)
}

for (const { passEdge, taps } of HALF_BANDS) {
  t.test(`a half-band filter of ${taps.length} pairs passes and stops 103 dB deep`, async t => {
    t.ok(Math.abs(halfBandGain(taps, 0) - 1) < 1e-11, 'gain 1 at DC')
    const ripple = 10 ** (-102.95 / 20)
    t.ok(
      range(0, passEdge, 1000).every(nu => Math.abs(halfBandGain(taps, nu) - 1) <= ripple),
      'passband',
    )
    t.ok(
      range(0.5 - passEdge, 0.5, 1000).every(nu => Math.abs(halfBandGain(taps, nu)) <= ripple),
      'stopband',
    )
  })
}

t.test('every input rate from 40 kHz finds a half-band filter wide enough', async t => {
  const widest = Math.max(...HALF_BANDS.map(({ passEdge }) => passEdge))
  t.ok(
    HALF_BANDS.every(({ taps }, i) => i === 0 || taps.length > HALF_BANDS[i - 1]!.taps.length),
    'shortest first',
  )
  t.ok(
    HALF_BANDS.every(({ passEdge }, i) => i === 0 || passEdge > HALF_BANDS[i - 1]!.passEdge),
    'narrowest first',
  )
  for (const { name, stop } of QUALITIES) t.ok(widest >= (stop * OUTPUT_RATE_HERTZ) / 40_000, name)
})

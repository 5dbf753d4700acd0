/**
 * The low-pass filter between one input rate and 16 kHz: a Kaiser-windowed sinc (J. F. Kaiser, 1974),
 * evaluated in double at the phases that the outputs need. Constants and formulas are twins of
 * native/resampler/filter_table.cc, where their reasons stand: change both or the backends part.
 */

const OUTPUT_RATE_HERTZ = 16_000
// Edges in units of min(input rate, 16 kHz), rejection in dB.
const PASS_EDGE = 0.45
const STOP_EDGE = 0.5125
const STOPBAND_DB = 103
const KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7)
const MAX_EXACT_TAPS = 1 << 17
const INTERPOLATED_ROWS = 512
const TAPS_GRANULE = 16
const MAX_RECENT_TABLES = 8

/**
 * Where outputs stand between inputs: output j at input position j * down / up, in lowest terms. An output
 * needs `taps` input samples, half of them behind it; 0 at 16 kHz, where nothing is filtered.
 */
export interface ResamplerGeometry {
  readonly up: number
  readonly down: number
  readonly taps: number
}

/** Rows of taps, oldest sample first, each summing to one. */
export interface FilterTable extends ResamplerGeometry {
  /** 0: row p is phase p. Otherwise row r is the fraction r / interpolatedRows of an input sample. */
  readonly interpolatedRows: number
  readonly rows: Float32Array
}

/** The share of the input's rate that the output can hold: 1 for rates up to 16 kHz. */
function bandOf(sampleRateHertz: number): number {
  return Math.min(sampleRateHertz, OUTPUT_RATE_HERTZ) / sampleRateHertz
}

export function resamplerGeometry(sampleRateHertz: number): ResamplerGeometry {
  const divisor = greatestCommonDivisor(sampleRateHertz, OUTPUT_RATE_HERTZ)
  const transition = (STOP_EDGE - PASS_EDGE) * bandOf(sampleRateHertz)
  const taps = (STOPBAND_DB - 7.95) / (14.36 * transition) + 1
  return {
    up: OUTPUT_RATE_HERTZ / divisor,
    down: sampleRateHertz / divisor,
    taps: sampleRateHertz === OUTPUT_RATE_HERTZ ? 0 : Math.ceil(taps / TAPS_GRANULE) * TAPS_GRANULE,
  }
}

/** Output samples that stand before input position `samples`; exact beyond 2^53 / up samples too. */
export function outputsOf({ up, down }: ResamplerGeometry, samples: number): number {
  const rest = samples % down
  return ((samples - rest) / down) * up + Math.ceil((rest * up) / down)
}

const recent = new Map<number, FilterTable>()

/** Makes the table, or shares the one made for this rate not long ago. */
export function filterTable(sampleRateHertz: number): FilterTable {
  const known = recent.get(sampleRateHertz)
  if (known) return known
  const [oldest] = recent.keys()
  if (oldest !== undefined && recent.size === MAX_RECENT_TABLES) recent.delete(oldest)
  const table = makeTable(sampleRateHertz)
  recent.set(sampleRateHertz, table)
  return table
}

function makeTable(sampleRateHertz: number): FilterTable {
  const geometry = resamplerGeometry(sampleRateHertz)
  const { up, taps } = geometry
  if (taps === 0) return { ...geometry, interpolatedRows: 0, rows: new Float32Array(0) }
  const band = bandOf(sampleRateHertz)
  const exact = up * taps <= MAX_EXACT_TAPS
  const intervals = exact ? up : Math.ceil(INTERPOLATED_ROWS * band)
  const rowCount = exact ? up : intervals + 1
  const rows = new Float32Array(rowCount * taps)
  for (let r = 0; r < rowCount; r++) writeRow(rows.subarray(r * taps, (r + 1) * taps), r / intervals, band)
  return { ...geometry, interpolatedRows: exact ? 0 : intervals, rows }
}

/** One fraction's taps, scaled so that a constant passes unchanged in every phase. */
function writeRow(row: Float32Array, fraction: number, band: number): void {
  const taps = row.length
  const cutoff = ((PASS_EDGE + STOP_EDGE) / 2) * band
  const exact = Float64Array.from(row, (_, k) => impulseResponse(fraction + taps / 2 - 1 - k, taps, cutoff))
  const sum = exact.reduce((total, tap) => total + tap, 0)
  row.set(exact.map(tap => tap / sum))
}

/** At a distance in input samples, for a cutoff in cycles per input sample. */
function impulseResponse(distance: number, taps: number, cutoff: number): number {
  const edge = (2 * distance) / taps
  const window = besselI0(KAISER_BETA * Math.sqrt(Math.max(0, 1 - edge * edge)))
  const angle = 2 * Math.PI * cutoff * distance
  return window * (angle === 0 ? 1 : Math.sin(angle) / angle)
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k)
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

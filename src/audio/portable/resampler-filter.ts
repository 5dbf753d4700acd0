import type { ResamplerQuality } from '../resampler-quality.js'
import { FAST_COSINES, FAST_SPAN, HIGH_COSINES, HIGH_SPAN } from './prototypes.js'
import { resamplerGeometry, type ResamplerGeometry } from './resampler-geometry.js'

/**
 * The polyphase filter of one rate: a continuous prototype (native/design/) sampled at the phases that the outputs
 * need. Twin of native/resampler/filter_table.cc: change both or the backends part.
 */

const MAX_EXACT_TAPS = 1 << 18
const INTERVALS = 512
const MAX_RECENT_TABLES = 8

const PROTOTYPES: Record<ResamplerQuality, { span: number; cosines: readonly number[] }> = {
  high: { span: HIGH_SPAN, cosines: HIGH_COSINES },
  fast: { span: FAST_SPAN, cosines: FAST_COSINES },
}

/** Rows of taps, oldest sample first, each summing to one. */
export interface FilterTable extends ResamplerGeometry {
  /** 0: row p is phase p. Otherwise row r is the fraction r / intervals of a sample. */
  readonly intervals: number
  readonly rows: Float32Array
}

const recent = new Map<string, FilterTable>()

/** Makes the table, or shares the one made not long ago. */
export function filterTable(sampleRateHertz: number, quality: ResamplerQuality): FilterTable {
  const key = `${sampleRateHertz} ${quality}`
  const known = recent.get(key)
  if (known) return known
  const [oldest] = recent.keys()
  if (oldest !== undefined && recent.size === MAX_RECENT_TABLES) recent.delete(oldest)
  const table = makeTable(sampleRateHertz, quality)
  recent.set(key, table)
  return table
}

function makeTable(sampleRateHertz: number, quality: ResamplerQuality): FilterTable {
  const geometry = resamplerGeometry(sampleRateHertz, quality)
  const { up, taps, bandsPerSample } = geometry
  if (taps === 0) return { ...geometry, intervals: 0, rows: new Float32Array(0) }
  const exact = up * taps <= MAX_EXACT_TAPS
  const intervals = exact ? up : Math.ceil(INTERVALS * bandsPerSample)
  const rowCount = exact ? up : intervals + 1
  const rows = new Float32Array(rowCount * taps)
  for (let r = 0; r < rowCount; r++) {
    writeRow(rows.subarray(r * taps, (r + 1) * taps), r / intervals, bandsPerSample, quality)
  }
  return { ...geometry, intervals: exact ? 0 : intervals, rows }
}

/** One fraction's taps, scaled so that a constant passes unchanged in every phase. */
function writeRow(row: Float32Array, fraction: number, bandsPerSample: number, quality: ResamplerQuality) {
  const { span, cosines } = PROTOTYPES[quality]
  const latest = fraction + row.length / 2 - 1
  const exact = Float64Array.from(row, (_, k) =>
    impulseResponse((latest - k) * bandsPerSample, span, cosines),
  )
  const sum = exact.reduce((total, tap) => total + tap, 0)
  row.set(exact.map(tap => tap / sum))
}

/** The sum of cosines by C. W. Clenshaw's recurrence (1955), zero outside the span. */
function impulseResponse(time: number, span: number, cosines: readonly number[]): number {
  if (Math.abs(time) >= span / 2) return 0
  const cosine = Math.cos((2 * Math.PI * time) / span)
  let later = 0
  let latest = 0
  for (let k = cosines.length - 1; k > 0; k--) {
    const sum = cosines[k]! + 2 * cosine * latest - later
    later = latest
    latest = sum
  }
  return cosines[0]! + cosine * latest - later
}

/**
 * Durations of one kind, counted in buckets whose width grows with their value, so that memory is fixed and every
 * percentile has the same relative error. The buckets are DDSketch's (Masson, Rim, Lee, VLDB 2019): bucket i holds
 * what lies in (γ^(i−1), γ^i] ms with γ = (1 + α) / (1 − α), and is read as the value that is at most α from both
 * ends. Pure.
 */

/** What was measured of one kind of latency. Percentiles are within 2 % (or 1 ms), `maxMs` is exact. */
export interface LatencySummary {
  /** Measurements. */
  count: number
  /** Half were not longer, in ms. */
  p50Ms: number
  /** 95 % were not longer, in ms. */
  p95Ms: number
  /** 99 % were not longer, in ms. */
  p99Ms: number
  /** The longest, in ms. */
  maxMs: number
}

/** α, the relative error of a percentile. */
const RELATIVE_ERROR = 0.02
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LN_GAMMA = Math.log(GAMMA)
/** γ^i is read as this share of itself. */
const MIDDLE = 2 / (GAMMA + 1)
/** Up to one day: what takes longer is counted as that. 458 buckets, 1.8 kB. */
const MAX_MS = 24 * 3_600_000
const BUCKETS = bucketOf(MAX_MS) + 1

/** Less than 1 ms counts as 1 ms: bucket 0. */
function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.ceil(Math.log(ms) / LN_GAMMA)
}

export class LatencyHistogram {
  /** Absent until the first measurement: many a stream never has one. */
  #counts: Uint32Array | undefined
  #count = 0
  #maxMs = 0

  /** @param ms from 0 */
  record(ms: number): void {
    this.#counts ??= new Uint32Array(BUCKETS)
    this.#counts[Math.min(bucketOf(ms), BUCKETS - 1)]!++
    this.#count++
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** Undefined before the first measurement. */
  summary(): LatencySummary | undefined {
    if (this.#count === 0) return undefined
    return {
      count: this.#count,
      p50Ms: this.#percentile(0.5),
      p95Ms: this.#percentile(0.95),
      p99Ms: this.#percentile(0.99),
      maxMs: this.#maxMs,
    }
  }

  /** The nearest-rank percentile: the smallest value that at least this share of all do not exceed. */
  #percentile(share: number): number {
    let missing = Math.ceil(share * this.#count)
    const bucket = this.#counts!.findIndex(count => (missing -= count) <= 0)
    return Math.min(this.#maxMs, bucket === 0 ? 1 : MIDDLE * GAMMA ** bucket)
  }
}

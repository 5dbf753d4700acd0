import t from 'tap'
import { LatencyHistogram } from '#dist/stt/latency-histogram.js'

/** Nearest rank, of all values. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1]!
}

/** Seeded (Park and Miller), so that a failure comes again. */
function random(seed: number): () => number {
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
}

function histogramOf(values: readonly number[]) {
  const histogram = new LatencyHistogram()
  for (const value of values) histogram.record(value)
  return histogram
}

t.test('has nothing to tell before the first measurement', async t => {
  t.equal(new LatencyHistogram().summary(), undefined)
})

t.test('is within 2 % of the exact percentiles, whatever is measured', async t => {
  const next = random(1)
  const distributions: Record<string, () => number> = {
    'a narrow band': () => 300 + 20 * next(),
    'milliseconds to minutes': () => 10 ** (5 * next()),
    'two humps': () => (next() < 0.9 ? 150 + 50 * next() : 4_000 + 900 * next()),
    'one value': () => 250,
  }
  for (const [name, draw] of Object.entries(distributions)) {
    for (const count of [1, 2, 19, 20, 21, 100, 10_000]) {
      const values = Array.from({ length: count }, draw)
      const sorted = values.toSorted((a, b) => a - b)
      const summary = histogramOf(values).summary()
      for (const [field, share] of [
        ['p50Ms', 0.5],
        ['p95Ms', 0.95],
        ['p99Ms', 0.99],
      ] as const) {
        const exact = percentile(sorted, share)
        const apart = Math.abs((summary?.[field] ?? NaN) - exact) / exact
        t.ok(apart <= 0.020_001, `${name}, ${count} values: ${field} is ${apart} apart`)
      }
      t.match(summary, { count, maxMs: sorted.at(-1) })
    }
  }
})

t.test('counts what is below 1 ms as 1 ms at most, and what is above a day as a day', async t => {
  t.strictSame(histogramOf([0, 0, 0]).summary(), { count: 3, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 })
  t.match(histogramOf([0.2, 0.4, 50]).summary(), { p50Ms: 1 })
  const days = histogramOf([10 * 86_400_000]).summary()
  t.equal(days?.maxMs, 10 * 86_400_000, 'the maximum is exact')
  t.ok(Math.abs((days?.p50Ms ?? NaN) / 86_400_000 - 1) < 0.05, 'the percentiles saturate')
})

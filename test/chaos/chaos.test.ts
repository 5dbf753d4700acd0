import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { FAULT_MAKERS } from './fault-catalogue.js'
import { violationsOf, type Violation } from './invariants.js'
import { Dice } from './dice.js'
import { drawPlan } from './plan.js'
import { runPlan } from './run.js'
import { idleResources } from '../fixtures/resources.js'

/** Set by scripts/test-chaos.mjs. */
const { STTSTREAM_CHAOS_SEED, STTSTREAM_CHAOS_RUNS = '600', STTSTREAM_CHAOS_FRESH = '20' } = process.env
const RUNS = Number(STTSTREAM_CHAOS_RUNS)
const SEEDS =
  STTSTREAM_CHAOS_SEED === undefined
    ? Array.from({ length: RUNS }, (_, index) => index)
    : [Number(STTSTREAM_CHAOS_SEED)]
const FRESH_SEEDS =
  STTSTREAM_CHAOS_SEED === undefined
    ? Array.from({ length: Number(STTSTREAM_CHAOS_FRESH) }, () => randomInt(RUNS, 2 ** 31))
    : []
/** Runs at the same time: most of a run is waiting. */
const AT_ONCE = 8
/** Between two looks at what is left behind. */
const BATCH = 100
const MIN_STRIKES = 10
/** A timer that outlives its run for longer is a leak, in ms. */
const SETTLE_MS = 5_000

const strikes = new Map<number, number>()
const outcomes = new Map<string, number>()

const count = <Key>(counts: Map<Key, number>, key: Key) => counts.set(key, (counts.get(key) ?? 0) + 1)
const table = <Key>(counts: Map<Key, number>) =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, times]) => `${String(key)}: ${times}`)
    .join(', ')

/** One run; what is wrong with it, with the command that repeats it. */
async function violationsOfSeed(seed: number): Promise<(Violation & { repeat: string })[]> {
  const plan = drawPlan(seed)
  const seen = await runPlan(plan)
  const [error] = seen.errors
  count(outcomes, seen.ended ? 'end' : (error?.code ?? error?.name ?? 'destroyed'))
  for (const number of new Set(seen.struck)) count(strikes, number)
  const repeat = `npm run test:chaos -- --seed ${seed}`
  return violationsOf(seen).map(violation => ({ ...violation, repeat }))
}

/** All of them are told in comments: a reporter may cut what a failed comparison shows. */
async function violationsOfSeeds(t: Test, seeds: readonly number[]) {
  const waiting = [...seeds]
  const violations: Awaited<ReturnType<typeof violationsOfSeed>> = []
  const work = async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift())
      violations.push(...(await violationsOfSeed(seed)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const { rule, detail, repeat } of violations) t.comment(`violation: ${rule}: ${detail}; ${repeat}`)
  return violations
}

/** What stays once timers that are about to strike have struck. */
async function leftBehind() {
  const deadlineMs = performance.now() + SETTLE_MS
  let resources = await idleResources()
  while (resources.includes('Timeout') && performance.now() < deadlineMs) resources = await idleResources()
  return { resources, listeners: listeners() }
}

const listeners = () =>
  Object.fromEntries(process.eventNames().map(name => [String(name), process.listenerCount(name)]))

t.test('the first run loads what is loaded once', async t => {
  t.strictSame(await violationsOfSeed(SEEDS[0]!), [])
})

for (let first = 0; first < SEEDS.length; first += BATCH) {
  const seeds = SEEDS.slice(first, first + BATCH)
  t.test(`seeds ${seeds[0]} to ${seeds.at(-1)}: nothing is lost, repeated or left behind`, async t => {
    const before = await leftBehind()
    t.strictSame(await violationsOfSeeds(t, seeds), [])
    t.strictSame(await leftBehind(), before)
  })
}

t.test(`fresh seeds: ${FRESH_SEEDS.join(', ')}`, async t => {
  t.strictSame(await violationsOfSeeds(t, FRESH_SEEDS), [])
})

t.test('every fault has struck often enough', async t => {
  t.comment(`runs that met each fault: ${table(strikes)}`)
  t.comment(`outcomes: ${table(outcomes)}`)
  if (SEEDS.length < 600) return
  const numbers = new Set(FAULT_MAKERS.map(make => make(new Dice(0), 1_000).number))
  const rare = [...numbers].filter(number => (strikes.get(number) ?? 0) < MIN_STRIKES)
  t.strictSame(rare, [])
})

import type { Test } from 'tap'
import { readdir } from 'node:fs/promises'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { Dice } from '../chaos/dice.js'
import { damaged, split } from './damage.js'
import { childProcesses, collectGarbage, outcomeOf, peakMemory } from './outcome.js'
import type { Specimen } from './specimens.js'

/** One decoding of something that may be anything. */
export interface Trial {
  /** For the message, should it go wrong. */
  readonly what: string
  readonly chunks: () => Buffer[]
  readonly options?: DecodeOptions
}

/** So many decodings, and with them ffmpegs, run at a time. */
const AT_ONCE = 2

/** Tries all of them; each that ends as neither audio nor a typed error of the input is a failure of the test. */
export async function tryAll(t: Test, trials: Iterable<Trial>): Promise<void> {
  const outcomes = new Map<string, number>()
  const queue = trials[Symbol.iterator]()
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const { what, chunks, options } = next.value
      try {
        const { audioBytes, code } = await outcomeOf(chunks(), options)
        const outcome = [audioBytes > 0 ? 'audio' : 'no audio', ...(code ? [code] : [])].join(', then ')
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      } catch (error) {
        const { message, cause } = error as Error
        const why = cause instanceof Error ? ` (${cause.name}: ${cause.message})` : ''
        const violation = `violation: ${what}: ${message}${why}`
        t.comment(violation)
        t.fail(violation)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  collectGarbage()
  const count = [...outcomes.values()].reduce((sum, n) => sum + n, 0)
  const list = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, n]) => `${n} ${outcome}`)
  t.comment(`outcomes: ${list.join('; ')}`)
  t.ok(count > 0, `${count} ended as they should`)
}

/** The specimen with bits flipped, once for each seed. */
export function* flips(
  { name, file }: Specimen,
  seeds: Iterable<number>,
  options?: DecodeOptions,
): Generator<Trial> {
  for (const seed of seeds) {
    const dice = new Dice(seed)
    const what = `${name}, flipped by seed ${seed}; repeat it: npm run test:hostile -- --seed ${seed}`
    yield { what, chunks: () => split(damaged(file, dice), dice), ...(options && { options }) }
  }
}

/** The specimen cut off at each of these places. */
export function* truncations(
  { name, file }: Specimen,
  lengths: Iterable<number>,
  options?: DecodeOptions,
): Generator<Trial> {
  for (const length of lengths) {
    const what = `${name}, cut off after ${length} bytes of ${file.length}`
    yield { what, chunks: () => [file.subarray(0, length)], ...(options && { options }) }
  }
}

/**
 * Watches what trials leave behind. To be called when every kind has been decoded once: from then on decoders, buffers
 * and thread pools are there.
 * @param temporary the directory of temporary files
 * @returns fails the test where a child process or a temporary file is left, or memory has grown by more than 64 MiB
 */
export async function watchLeftovers(temporary: string): Promise<(t: Test) => Promise<void>> {
  collectGarbage()
  const children = await childProcesses()
  const peak = peakMemory()
  return async t => {
    t.same(await childProcesses(), children, 'no child is left')
    t.same(await readdir(temporary), [], 'no temporary file is left')
    const grown = (peakMemory() - peak) / 2 ** 20
    t.ok(grown <= 64, `memory grew by ${grown.toFixed(1)} MiB`)
  }
}

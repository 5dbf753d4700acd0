import type { Dice } from '../chaos/dice.js'
import type { Coverage } from './coverage.js'
import { mutate } from './mutate.js'

/** Asking V8 what has run takes as long as many inputs: they share a question, and are asked apart where it pays. */
const MAX_BATCH = 256

/**
 * A fuzzer guided by coverage: it changes inputs at random, keeps each that reaches code which none has reached, and
 * changes those in turn. Why not jazzer.js: version 4 brings a binary that needs a newer glibc than Debian 12 has,
 * version 2 gets its own from outside npm's registry; fast-check is not guided.
 */
export class Fuzzer {
  readonly #coverage: Coverage
  readonly #check: (input: Buffer) => void
  readonly #corpus: Buffer[] = []
  #runs = 0

  /** @param check throws where an input breaks a rule */
  constructor(coverage: Coverage, check: (input: Buffer) => void) {
    this.#coverage = coverage
    this.#check = check
  }

  /** How many inputs have been tried. */
  get runs(): number {
    return this.#runs
  }

  /** The inputs that each reached something new when they came. */
  get corpus(): readonly Buffer[] {
    return this.#corpus
  }

  /** Tries an input, and keeps it where it reaches something new. */
  add(input: Buffer): void {
    this.#try(input)
    if (this.#coverage.hasNews(true)) this.#corpus.push(input)
  }

  /** Tries new inputs until `isOver()`. */
  search(dice: Dice, isOver: () => boolean): void {
    for (let size = 8; !isOver();) {
      const batch = dice.times(size, () => mutate(dice.pick(this.#corpus), dice.pick(this.#corpus), dice))
      for (const input of batch) this.#try(input)
      const hasNews = this.#coverage.hasNews(false)
      if (hasNews) for (const input of batch) this.add(input)
      size = hasNews ? Math.max(1, size >> 2) : Math.min(MAX_BATCH, 2 * size)
    }
  }

  #try(input: Buffer): void {
    this.#runs++
    try {
      this.#check(input)
    } catch (cause) {
      throw new Error(`${(cause as Error).message}; the input in hex: ${input.toString('hex')}`, { cause })
    }
  }
}

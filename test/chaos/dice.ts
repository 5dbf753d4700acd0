import { seededRandom } from '../fixtures/chunks.js'

/** Draws that a seed repeats. */
export class Dice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    // Neighbouring seeds begin alike; a few draws later they have parted.
    for (let draw = 0; draw < 8; draw++) this.#random()
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** A whole number, both ends included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1))
  }

  /** A multiple of `step`, both ends included. */
  step(min: number, max: number, step: number): number {
    return this.int(Math.ceil(min / step), Math.floor(max / step)) * step
  }

  /** Small numbers as often as large ones: each doubling has the same chance. */
  scale(min: number, max: number): number {
    return Math.round(min * (max / min) ** this.#random())
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!
  }

  sometimes<T>(probability: number, make: () => T): T | undefined {
    return this.chance(probability) ? make() : undefined
  }

  times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }
}

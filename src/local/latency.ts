import type { Timers } from './timer.js'

/** In ms: evenly spread from the least to the most, the same for the same seed; or what each message, from 0, takes. */
export type LatencyFault = { minMs: number; maxMs: number; seed?: number } | ((message: number) => number)

/** Messages under way; further ones wait to be posted, so that a client that does not read holds up its session. */
const MAX_UNDER_WAY = 64

/** A line to the client on which each message takes its time, and none overtakes another. */
export class Line {
  readonly #latencyOf: ((message: number) => number) | undefined
  readonly #timers: Timers
  #messages = 0
  #underWay = 0
  #last = Promise.resolve()

  constructor(fault: LatencyFault | undefined, timers: Timers) {
    this.#latencyOf = typeof fault === 'object' ? spread(fault) : fault
    this.#timers = timers
  }

  /** Without latency `deliver` is called at once. Resolves when the next message may be posted. */
  post(deliver: () => Promise<void> | void): Promise<void> {
    if (this.#latencyOf === undefined) return Promise.resolve(deliver())
    const arrival = this.#timers.delay(this.#latencyOf(this.#messages++))
    this.#underWay++
    this.#last = Promise.all([this.#last, arrival]).then(() => {
      this.#underWay--
      void deliver()
    })
    return this.#underWay < MAX_UNDER_WAY ? Promise.resolve() : this.#last
  }
}

function spread({ minMs, maxMs, seed = 1 }: { minMs: number; maxMs: number; seed?: number }): () => number {
  let state = seed | 0
  return () => {
    // mulberry32: one word of state, even enough for a delay.
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return minMs + (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (maxMs - minMs)
  }
}

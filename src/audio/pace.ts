import { addAbortSignal, Transform, type TransformCallback } from 'node:stream'
import type { FrameOrMark } from './frame.js'

/** Options of {@link pace}. */
export interface PaceOptions {
  /** Multiple of real time, above 0. Default 1. */
  rate?: number
  /**
   * How far ahead of its deadline a frame may leave, in ms, from 0. Default 500. Not a limit on what leaves at once
   * after a stall: all that is overdue does.
   */
  burstMs?: number
  /** Aborting destroys the stream with an AbortError. */
  signal?: AbortSignal
  /** For tests: what tells the time, in ms, and what waits. Default the process's own. */
  clock?: PaceClock
}

/** What tells the time and waits. */
export interface PaceClock {
  /** In ms, from any zero. */
  now(): number
  /** As Node's. */
  setTimeout(callback: () => void, ms: number): NodeJS.Timeout
}

/** A longer timeout overflows Node's timer and fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

const systemClock: PaceClock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
}

/**
 * Lets each frame leave when its last sample would have been spoken, minus the burst allowance. Deadlines are
 * absolute (first frame plus source time over rate), so lateness of one timer never adds to the next, and a
 * source that is live already is not held back. After a stall what is overdue leaves at once: deadlines that moved
 * with the stall would leave a live source behind for good.
 * @throws TypeError, RangeError for options out of range
 */
export function pace(options: PaceOptions = {}): Pacer {
  return new Pacer(options)
}

/** The stream of {@link pace}. */
export class Pacer extends Transform {
  readonly #rate: number
  readonly #burstMs: number
  readonly #clock: PaceClock
  /** When the source's zero would have been, on the clock. */
  #zeroMs: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor({ rate = 1, burstMs = 500, signal, clock = systemClock }: PaceOptions = {}) {
    super({ objectMode: true, highWaterMark: 1 })
    checkAbove('rate', rate, 0, false)
    checkAbove('burstMs', burstMs, 0, true)
    this.#rate = rate
    this.#burstMs = burstMs
    this.#clock = clock
    if (signal) addAbortSignal(signal, this)
  }

  override _transform(item: FrameOrMark, _encoding: BufferEncoding, callback: TransformCallback): void {
    if ('endTurn' in item) {
      callback(null, item)
      return
    }
    const now = this.#clock.now()
    const sourceEndMs = (item.startMs + item.sourceMs) / this.#rate
    this.#zeroMs ??= now - sourceEndMs
    const waitMs = this.#zeroMs + sourceEndMs - this.#burstMs - now
    if (waitMs <= 0) callback(null, item)
    // The stream's outcome hangs on this timer, so it keeps the process alive.
    else this.#timer = this.#clock.setTimeout(() => callback(null, item), Math.min(waitMs, MAX_TIMEOUT_MS))
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer)
    callback(error)
  }
}

function checkAbove(name: string, value: unknown, min: number, inclusive: boolean): void {
  const expected = `${name} must be a number ${inclusive ? 'from' : 'above'} ${min}`
  if (typeof value !== 'number') throw new TypeError(`${expected}; got ${typeof value}`)
  if (!Number.isFinite(value) || value < min || (!inclusive && value === min)) {
    throw new RangeError(`${expected}; got ${value}`)
  }
}

/**
 * Starts a one-shot timer and returns what cancels it. The server takes all its time from one of these, so that
 * a test can hold the hands of the clock.
 */
export type StartTimer = (callback: () => void, delayMs: number) => () => void

/** setTimeout() takes no more than 24 days and strikes at once when asked for more. */
const MAX_DELAY_MS = 2 ** 31 - 1

export const startTimer: StartTimer = (callback, delayMs) => {
  const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS))
  return () => clearTimeout(timer)
}

/** Timers that die together with their owner. */
export class Timers {
  readonly #startTimer: StartTimer
  readonly #cancels = new Set<() => void>()

  constructor(start: StartTimer) {
    this.#startTimer = start
  }

  start(callback: () => void, delayMs: number): () => void {
    const cancelTimer = this.#startTimer(() => {
      this.#cancels.delete(cancel)
      callback()
    }, delayMs)
    const cancel = () => {
      this.#cancels.delete(cancel)
      cancelTimer()
    }
    this.#cancels.add(cancel)
    return cancel
  }

  /** Never resolves once cancelled: what waits for it is dropped with its owner. */
  delay(delayMs: number): Promise<void> {
    return new Promise(resolve => this.start(resolve, delayMs))
  }

  cancelAll(): void {
    for (const cancel of this.#cancels) cancel()
  }
}

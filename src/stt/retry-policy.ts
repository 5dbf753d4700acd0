import type { SttError } from '../errors.js'

/** When a lost connection is replaced, and how often. */
export interface RetryOptions {
  /** Attempts in a row, none of which has proved itself, before the stream fails. Default 10. */
  maxAttempts?: number
  /** The same before the first connection has stood: a wrong address is told soon. Default 3. */
  maxConnectAttempts?: number
  /** Bound of the first delay, in ms; it doubles with each attempt. Default 250. */
  baseDelayMs?: number
  /** Bound of all delays, in ms, except where the service asks for more (`Retry-After`). Default 10 000. */
  maxDelayMs?: number
  /** How long the stream may be without a connection that proves itself, in ms. Default 60 000. */
  maxOutageMs?: number
  /** Decides in place of `error.retryable`. Default: absent. */
  shouldRetry?: (error: SttError) => boolean
}

export const RETRY_DEFAULTS = {
  maxAttempts: 10,
  maxConnectAttempts: 3,
  baseDelayMs: 250,
  maxDelayMs: 10_000,
  maxOutageMs: 60_000,
}

/** How a connection ended. */
export interface Failure {
  error: SttError
  /** Whether the service had said anything on it. */
  heard: boolean
  nowMs: number
}

/** Closed in peace and without a word, so often in a row: the service does not like the config (protocol B1). */
const MAX_MUTE_CLOSES = 3

/**
 * Counts attempts in a row and says how long to wait before the next: full jitter, a random share of a bound that
 * doubles (AWS Architecture Blog, "Exponential Backoff And Jitter"). Pure: told the time, given the chance.
 */
export class RetryPolicy {
  readonly #options: typeof RETRY_DEFAULTS & RetryOptions
  readonly #enabled: boolean
  readonly #random: () => number
  #attempt = 0
  #muteCloses = 0
  #everOpened = false
  #outageStartMs: number | undefined

  constructor(options: RetryOptions | false = {}, random: () => number = Math.random) {
    this.#enabled = options !== false
    const given = Object.entries(options || {}).filter(([, value]) => value !== undefined)
    this.#options = { ...RETRY_DEFAULTS, ...Object.fromEntries(given) }
    this.#random = random
  }

  /** Attempts since a connection last proved itself. */
  get attempt(): number {
    return this.#attempt
  }

  opened(): void {
    this.#everOpened = true
  }

  /** A connection has brought something new, or has held: what fails later fails for the first time. */
  proved(): void {
    this.#attempt = 0
    this.#muteCloses = 0
    this.#outageStartMs = undefined
  }

  /** The delay before the next attempt, in ms; undefined where there is to be none. */
  nextDelayMs({ error, heard, nowMs }: Failure): number | undefined {
    const { maxAttempts, maxConnectAttempts, baseDelayMs, maxDelayMs, maxOutageMs, shouldRetry } =
      this.#options
    const retryable = shouldRetry ? shouldRetry(error) : this.#isRetryable(error, heard)
    const limit = this.#everOpened ? maxAttempts : Math.min(maxAttempts, maxConnectAttempts)
    if (!this.#enabled || !retryable || this.#attempt >= limit) return undefined
    const boundMs = Math.min(maxDelayMs, baseDelayMs * 2 ** this.#attempt)
    const delayMs = Math.max(Math.round(this.#random() * boundMs), error.retryAfterMs ?? 0)
    this.#outageStartMs ??= nowMs
    if (nowMs + delayMs - this.#outageStartMs > maxOutageMs) return undefined
    this.#attempt++
    return delayMs
  }

  #isRetryable(error: SttError, heard: boolean): boolean {
    // What the caller's own functions throw, and a fleet that is full, are theirs to mend, unless it worked before.
    if (error.code === 'STT_ERR_CREDENTIALS' || error.code === 'STT_ERR_FLEET_FULL') return this.#everOpened
    if (error.code === 'STT_ERR_CLOSED_EARLY' && !heard) {
      this.#muteCloses++
      return this.#muteCloses < MAX_MUTE_CLOSES
    }
    return error.retryable
  }
}

/**
 * How fast connections may be opened: a token bucket, kept as the time at which the next token is due (the generic
 * cell rate algorithm, ITU-T I.371). In any time t at most `burst + perSecond · t` handshakes begin. It has no timer.
 */
export class HandshakeLimiter {
  readonly #intervalMs: number
  readonly #toleranceMs: number
  #nextMs = 0
  #restsUntilMs = 0

  /** `perSecond` above 0, Infinity for no limit; `burst`: how many may begin at once after a rest, from 1. */
  constructor(perSecond: number, burst: number) {
    this.#intervalMs = 1_000 / perSecond
    this.#toleranceMs = (burst - 1) * this.#intervalMs
  }

  /** How long until a handshake may begin; 0 for now. */
  delayMs(nowMs: number): number {
    return Math.max(0, this.#nextMs - this.#toleranceMs - nowMs, this.#restsUntilMs - nowMs)
  }

  take(nowMs: number): void {
    this.#nextMs = Math.max(this.#nextMs, nowMs) + this.#intervalMs
  }

  /** The service asked for a rest. */
  rest(untilMs: number): void {
    this.#restsUntilMs = Math.max(this.#restsUntilMs, untilMs)
  }
}

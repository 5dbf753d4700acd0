/** 'closed': connections open; 'open': none does; 'half-open': one at a time tries. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** When a fleet stops asking a service that fails. */
export interface BreakerOptions {
  /** Failures in a row that open the circuit: an integer from 1. Default 5. */
  failureThreshold: number
  /** Only failures that are not older than this count, in ms, above 0. Default 30 000. */
  windowMs: number
  /** How long the circuit stays open before one connection is tried, in ms, above 0. Default 10 000. */
  openMs: number
}

/**
 * Tells a service that fails from a connection that did (M. Nygard, Release It!, "Circuit Breaker").
 *
 *   closed ──failures in a row──► open ──openMs──► half-open ──success──► closed
 *                                  ▲                   └──failure──► open
 *
 * Half-open lets one attempt through at a time. It has no timer: an attempt that comes after `openMs` is the probe.
 * Attempts carry the era in which they began, for what began before the last change says nothing of the time since.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  readonly #onChange: (state: CircuitState) => void
  #state: CircuitState = 'closed'
  #era = 0
  /** When the failures in a row happened. */
  #failuresMs: number[] = []
  #openUntilMs = 0
  #probing = false

  constructor(options: BreakerOptions, onChange: (state: CircuitState) => void) {
    this.#options = options
    this.#onChange = onChange
  }

  get state(): CircuitState {
    return this.#state
  }

  /** How long until an attempt may begin: 0 for now, Infinity while a probe is out. */
  delayMs(nowMs: number): number {
    if (this.#state === 'closed') return 0
    return this.#probing ? Infinity : Math.max(0, this.#openUntilMs - nowMs)
  }

  /** An attempt begins; returns its era. Only when `delayMs` is 0. */
  begin(): number {
    if (this.#state === 'open') this.#change('half-open')
    else this.#probing = this.#state === 'half-open'
    return this.#era
  }

  succeeded(era: number): void {
    if (era !== this.#era) return
    this.#failuresMs = []
    if (this.#state === 'half-open') this.#change('closed')
  }

  /** `retryAfterMs`: how long the service itself asked to be left alone. */
  failed(era: number, nowMs: number, retryAfterMs = 0): void {
    if (era !== this.#era) return
    const { failureThreshold, windowMs, openMs } = this.#options
    this.#failuresMs = [...this.#failuresMs.filter(ms => nowMs - ms <= windowMs), nowMs]
    if (this.#state === 'closed' && this.#failuresMs.length < failureThreshold) return
    this.#openUntilMs = nowMs + Math.max(openMs, retryAfterMs)
    this.#change('open')
  }

  /** The attempt ended and says nothing of the service: it was given up, or its own request was refused. */
  abandoned(era: number): void {
    if (era === this.#era) this.#probing = false
  }

  #change(state: CircuitState): void {
    this.#state = state
    this.#era++
    this.#failuresMs = []
    this.#probing = state === 'half-open'
    this.#onChange(state)
  }
}

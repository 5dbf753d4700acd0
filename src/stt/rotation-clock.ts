/** What makes a connection hand over to the next. */
export type RotationCause = 'maxConnectionMs' | 'token' | 'config'

/** The next connection is opened so long before it must take over, in ms, so that a pause may come in time. */
const MAX_LEAD_MS = { maxConnectionMs: 10_000, token: 60_000 }
const LEAD_SHARE = 0.2
/** A token is rotated for when it still has so long to live, in ms. */
const MIN_TOKEN_MS = 10_000
/** The config is never acknowledged: a service that refuses it says so within this time, in ms. */
const SETTLE_MS = 300
/** After a rotation that failed, in ms. */
const RETRY_MS = 5_000
/** A turn that ends in time is waited for so long, in ms, when nothing else sets a limit. */
const CONFIG_DEADLINE_MS = 10_000
/** A longer timeout overflows Node's timer and fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export interface ConnectionLifetime {
  maxConnectionMs: number | false
  /** When its credentials end, ms since the epoch; undefined where that does not matter. */
  expiresAtMs: number | undefined
  /** Audio sent on it, in ms. */
  sentMs: () => number
}

export interface RotationClockListener {
  /** It is time to open the next connection. */
  onDue(cause: RotationCause): void
  /** The next connection may take over in a pause; `overdue`: in the middle of speech too. */
  onReady(): void
}

/**
 * When a connection hands over: the clock of rotations. A connection is due a little before its lifetime ends, by
 * time or by audio; the next one is ready once it has been open for a moment; when no pause has come by the end of
 * the lifetime it is overdue. Its timers keep no process alive.
 */
export class RotationClock {
  readonly #listener: RotationClockListener
  #lifetime: ConnectionLifetime | undefined
  #due = false
  #ready = false
  #overdue = false
  #dueTimer: NodeJS.Timeout | undefined
  #overdueTimer: NodeJS.Timeout | undefined
  #settleTimer: NodeJS.Timeout | undefined

  constructor(listener: RotationClockListener) {
    this.#listener = listener
  }

  get ready(): boolean {
    return this.#ready
  }

  get overdue(): boolean {
    return this.#overdue || (this.#due && this.#heardEnough(1))
  }

  /** A connection has opened. */
  begin(lifetime: ConnectionLifetime): void {
    this.stop()
    this.#lifetime = lifetime
    const tokenMs = (lifetime.expiresAtMs ?? Infinity) - Date.now()
    const limits = [
      { cause: 'maxConnectionMs' as const, ms: lifetime.maxConnectionMs || Infinity },
      // One that has all but ended says that the clocks differ: the service has just taken it.
      { cause: 'token' as const, ms: tokenMs < MIN_TOKEN_MS ? Infinity : tokenMs },
    ]
    const { cause, ms } = limits.reduce((first, second) => (second.ms < first.ms ? second : first))
    if (ms === Infinity) return
    const leadMs = Math.min(MAX_LEAD_MS[cause], ms * LEAD_SHARE)
    this.#dueTimer = wait(ms - leadMs, () => this.#strike(cause, leadMs))
  }

  /** More audio has gone out. */
  audioSent(): void {
    if (!this.#due && this.#heardEnough(1 - LEAD_SHARE)) this.#strike('maxConnectionMs', Infinity)
  }

  /** The caller wants a rotation now. */
  demand(): void {
    this.#strike('config', CONFIG_DEADLINE_MS)
  }

  /** The next connection is open. */
  opened(): void {
    this.#settleTimer = wait(SETTLE_MS, () => {
      this.#ready = true
      this.#listener.onReady()
    })
  }

  /** The next connection failed; another is tried a little later. */
  failed(cause: RotationCause): void {
    const lifetime = this.#lifetime
    this.stop()
    this.#lifetime = lifetime
    this.#due = true
    this.#dueTimer = wait(RETRY_MS, () => this.#strike(cause, 0))
  }

  stop(): void {
    clearTimeout(this.#dueTimer)
    clearTimeout(this.#overdueTimer)
    clearTimeout(this.#settleTimer)
    this.#due = this.#ready = this.#overdue = false
    this.#lifetime = undefined
  }

  #strike(cause: RotationCause, leadMs: number): void {
    clearTimeout(this.#dueTimer)
    clearTimeout(this.#overdueTimer)
    clearTimeout(this.#settleTimer)
    this.#due = true
    this.#ready = false
    if (leadMs !== Infinity) {
      this.#overdueTimer = wait(leadMs, () => {
        this.#overdue = true
        if (this.#ready) this.#listener.onReady()
      })
    }
    this.#listener.onDue(cause)
  }

  #heardEnough(share: number): boolean {
    const { maxConnectionMs, sentMs } = this.#lifetime ?? {}
    return !!maxConnectionMs && sentMs !== undefined && sentMs() >= maxConnectionMs * share
  }
}

function wait(ms: number, callback: () => void): NodeJS.Timeout {
  return setTimeout(callback, Math.min(Math.max(0, ms), MAX_TIMEOUT_MS)).unref()
}

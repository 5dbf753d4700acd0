/** With nothing pending: silence that ends the stream, in ms (design: contracts, end). */
const QUIET_MS = 2_000

export interface FinishWatchOptions {
  /** How long the service may be silent with results pending, in ms. */
  finishTimeoutMs: number
  /** How long after its usage message, in ms. */
  closeGraceMs: number
  isPending: () => boolean
  /** Our own reader rests: it is not the service that is silent. */
  isResting: () => boolean
  onDone: () => void
  onTimeout: (finishTimeoutMs: number) => void
}

/**
 * After `closeStream`: when the service has said all, if it does not close (protocol B8). Every message begins the
 * wait anew; the quiet window never runs while something is pending.
 */
export class FinishWatch {
  readonly #options: FinishWatchOptions
  #begun = false
  #answered = false
  #usageSeen = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: FinishWatchOptions) {
    this.#options = options
  }

  /** The socket has taken `closeStream`. */
  get begun(): boolean {
    return this.#begun
  }

  /** Any message has come since. */
  get answered(): boolean {
    return this.#answered
  }

  /** Usage has come since. */
  get usageSeen(): boolean {
    return this.#usageSeen
  }

  begin(): void {
    this.#begun = true
    this.restart()
  }

  /** Usage in mid-stream announces no end. */
  usage(): void {
    if (this.#begun) this.#usageSeen = true
  }

  messageReceived(): void {
    if (this.#begun) this.#answered = true
    this.restart()
  }

  restart(): void {
    clearTimeout(this.#timer)
    const { finishTimeoutMs, closeGraceMs, isPending, isResting, onDone, onTimeout } = this.#options
    if (!this.#begun || isResting()) return
    if (this.#usageSeen) this.#timer = setTimeout(onDone, closeGraceMs)
    else if (!isPending()) this.#timer = setTimeout(onDone, QUIET_MS)
    else this.#timer = setTimeout(() => onTimeout(finishTimeoutMs), finishTimeoutMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

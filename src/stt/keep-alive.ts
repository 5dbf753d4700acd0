/** Audio missing for this long is a source on hold, no hiccup of the network. */
const HOLD_MS = 5_000
/** On hold, between one frame of silence and the next. */
const INTERVAL_MS = 5_000
/** Silence that ends any automatic turn. */
const END_OF_TURN_MS = 2_000
const FRAME_MS = 100

export interface KeepAliveOptions {
  /** Sends so much silence that is not the source's, in ms. */
  sendSilence: (ms: number) => void
  /** Whether speech waits for its end of turn, which the service decides by the silence that it hears. */
  isTurnOpen: () => boolean
}

/**
 * Silence for a source on hold: an open turn is ended by as much as a speaker's pause, then a frame now and then
 * keeps the session from being closed for inactivity. The timer keeps no process alive.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: KeepAliveOptions) {
    this.#options = options
  }

  /** Audio of the source goes out. */
  restart(): void {
    this.stop()
    this.#timer = setTimeout(() => this.#hold(), HOLD_MS).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #hold(): void {
    const { sendSilence, isTurnOpen } = this.#options
    const durationMs = isTurnOpen() ? END_OF_TURN_MS : FRAME_MS
    for (let ms = 0; ms < durationMs; ms += FRAME_MS) sendSilence(FRAME_MS)
    this.#timer = setTimeout(() => this.#hold(), INTERVAL_MS).unref()
  }
}

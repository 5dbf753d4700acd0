export interface SpeechWatchdogOptions {
  /** How long speech may stay without any message, in ms; false = for ever. */
  timeoutMs: number | false
  /** Our own reader rests: messages may wait unread. */
  isResting: () => boolean
  onSilence: (timeoutMs: number) => void
}

/** Speech went out and nothing comes back: the service has stopped listening. The timer keeps no process alive. */
export class SpeechWatchdog {
  readonly #options: SpeechWatchdogOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: SpeechWatchdogOptions) {
    this.#options = options
  }

  speechSent(): void {
    const { timeoutMs, isResting, onSilence } = this.#options
    if (timeoutMs === false || this.#timer) return
    this.#timer = setTimeout(() => {
      if (isResting()) {
        this.#timer?.refresh()
        return
      }
      this.#timer = undefined
      onSilence(timeoutMs)
    }, timeoutMs).unref()
  }

  /** Speech has been sent that nothing has answered. */
  get waiting(): boolean {
    return this.#timer !== undefined
  }

  /** A message came, or the audio has ended. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

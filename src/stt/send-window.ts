export interface SendWindowOptions {
  /** Audio that may lie unread between here and the service, in ms. */
  windowMs: number
  /** A ping unanswered for this long, in ms, is none that the service answers: the window is given up. */
  giveUpMs: number
  /** Sends a ping behind the audio so far. */
  ping: (id: string) => void
  /** Our own reader rests: pongs may wait unread. */
  isResting: () => boolean
}

/** Pings a window: more make it finer, each is six bytes and some. */
const PINGS = 4

/**
 * Bounds the audio on its way. Operating systems buffer minutes of it, and all that lies there is lost with the
 * connection; a pong says that the service has read what went before its ping (RFC 6455 §5.5.3 answers in order).
 * It proves nothing heard. The timer keeps no process alive.
 */
export class SendWindow {
  readonly #options: SendWindowOptions
  /** Where each unanswered ping stands in the audio, in ms. */
  readonly #pings = new Map<string, number>()
  #count = 0
  #sentMs = 0
  #pingedMs = 0
  #readMs = 0
  #givenUp = false
  #whenRoom: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: SendWindowOptions) {
    this.#options = options
  }

  /** Audio has gone out up to `sentMs` of the connection; `onRoom` is called when more may. */
  sent(sentMs: number, onRoom: () => void): void {
    this.#sentMs = sentMs
    if (this.#givenUp) {
      onRoom()
      return
    }
    if (sentMs - this.#pingedMs >= this.#options.windowMs / PINGS) this.#ping()
    this.#whenRoom = onRoom
    this.#release()
  }

  /** The service has read all before the ping with this id. */
  pong(id: string): void {
    const readMs = this.#pings.get(id)
    if (readMs === undefined) return
    // A pong may answer earlier pings too.
    for (const [earlier, atMs] of this.#pings) if (atMs <= readMs) this.#pings.delete(earlier)
    this.#readMs = readMs
    clearTimeout(this.#timer)
    if (this.#pings.size > 0) this.#watch()
    this.#release()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#whenRoom = undefined
  }

  #ping(): void {
    this.#pingedMs = this.#sentMs
    const id = `audio ${++this.#count}`
    if (this.#pings.size === 0) this.#watch()
    this.#pings.set(id, this.#sentMs)
    this.#options.ping(id)
  }

  #watch(): void {
    this.#timer = setTimeout(() => {
      if (this.#options.isResting()) {
        this.#timer?.refresh()
        return
      }
      this.#givenUp = true
      this.#release()
    }, this.#options.giveUpMs).unref()
  }

  #release(): void {
    if (!this.#givenUp && this.#sentMs - this.#readMs > this.#options.windowMs) return
    const room = this.#whenRoom
    this.#whenRoom = undefined
    room?.()
  }
}

import type { EndTurnMark } from '../audio/frame.js'
import type { SttError } from '../errors.js'
import type { SttConnectionOptions } from './connection-options.js'
import { SttConnection } from './connection.js'
import type { ServerMessage } from './protocol.js'
import { ReplayFilter } from './replay-filter.js'

export interface GenerationListener {
  onOpen(generation: Generation): void
  /** `message` on the source's clock. */
  onMessage(generation: Generation, message: ServerMessage): void
  /** The service has said all: the answer to `end()`. */
  onEnd(generation: Generation): void
  onError(generation: Generation, error: SttError): void
  onWarning(generation: Generation, warning: object): void
  onClose(generation: Generation): void
}

export interface SentMark {
  readonly mark: EndTurnMark
  /** Where it stands on the source's clock, in ms. */
  readonly atMs: number
  /** Where the last voiced audio before it ends, on the source's clock, in ms. */
  readonly voiceEndMs: number
}

/**
 * One connection as the session sees it, with what belongs to it alone. Every callback names it, so that what a
 * connection says which is no longer the current one is never mistaken for the current one's.
 */
export class Generation {
  readonly connection: SttConnection
  readonly options: SttConnectionOptions
  /** Marks sent on it and not answered, oldest first. */
  readonly marks: SentMark[] = []
  filter: ReplayFilter
  opened = false
  /** It hands over in the middle of speech: its successor will say again what it would still say. */
  muted = false

  constructor(options: SttConnectionOptions, filter: ReplayFilter, listener: GenerationListener) {
    this.options = options
    this.filter = filter
    this.connection = new SttConnection(options)
    this.connection
      .on('open', () => {
        this.opened = true
        listener.onOpen(this)
      })
      .on('data', (message: ServerMessage) =>
        listener.onMessage(this, this.connection.clock.messageToSource(message)),
      )
      .on('failing', () => this.#readAll())
      .on('end', () => listener.onEnd(this))
      .on('error', (error: SttError) => listener.onError(this, error))
      .on('warning', (warning: object) => listener.onWarning(this, warning))
      .on('close', () => listener.onClose(this))
  }

  /** How far the source has been sent on it, in ms. */
  get sentMs(): number {
    const { clock } = this.connection
    return clock.toSource(clock.sentMs)
  }

  /** While it is paused, messages may wait: what they prove need not be asked of the next connection. */
  #readAll(): void {
    let unread: unknown
    do unread = this.connection.destroyed ? null : this.connection.read()
    while (unread !== null)
  }

  /** Sends `closeStream` and reads on until the service is done. */
  end(whenSent?: () => void): void {
    if (this.connection.writableEnded) whenSent?.()
    else this.connection.end(whenSent)
  }
}

import { SttError } from '../errors.js'
import type { Generation } from './generation.js'
import { RotationClock, type ConnectionLifetime, type RotationCause } from './rotation-clock.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

export interface RotationListener {
  /** Opens a connection beside the current one. */
  open(config: WireTranscribeConfig): Generation
  /** The next connection may take over. */
  onReady(): void
  /** The next connection failed; the current one goes on, and another attempt follows. */
  onFailed(error: SttError): void
}

/**
 * The connection that is to take over from the current one, and the config that it has. Opening it is decided here
 * (it is time, or the config has changed), taking over is not: that needs a place in the audio.
 */
export class Rotation {
  readonly #listener: RotationListener
  readonly #clock: RotationClock
  #config: WireTranscribeConfig
  #current: Generation | undefined
  #next: { generation: Generation; cause: RotationCause } | undefined
  /** Callers who wait for the config to be in force. */
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []

  constructor(config: WireTranscribeConfig, listener: RotationListener) {
    this.#config = config
    this.#listener = listener
    this.#clock = new RotationClock({
      onDue: cause => this.#open(cause),
      onReady: () => listener.onReady(),
    })
  }

  /** What the next connection is opened with, and the current one once it is in force. */
  get config(): WireTranscribeConfig {
    return this.#config
  }

  /** The next connection, as soon as it stands. */
  get next(): Generation | undefined {
    return this.#next?.generation.opened ? this.#next.generation : undefined
  }

  /** The next connection has had the time to refuse its config. */
  get ready(): boolean {
    return this.next !== undefined && this.#clock.ready
  }

  /** No further pause is waited for. */
  get overdue(): boolean {
    return this.#clock.overdue
  }

  isNext(generation: Generation): boolean {
    return generation === this.#next?.generation
  }

  /** This connection is the current one, and stands. */
  begin(generation: Generation, lifetime: ConnectionLifetime): void {
    this.#current = generation
    this.#clock.begin(lifetime)
    if (generation.options.config !== this.#config) this.#clock.demand()
    else for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  audioSent(): void {
    this.#clock.audioSent()
  }

  nextOpened(): void {
    this.#clock.opened()
  }

  /** A config that the service refuses is taken back; what else fails is tried again. */
  nextFailed(error: SttError): void {
    const { cause = 'config' } = this.#next ?? {}
    this.#next = undefined
    if (cause === 'config' && !error.retryable) {
      this.#clock.stop()
      this.#config = this.#current?.options.config ?? this.#config
      this.#reject(error)
      return
    }
    this.#listener.onFailed(error)
    this.#clock.failed(cause)
  }

  /** Resolves when a connection with this config is the current one. */
  update(config: WireTranscribeConfig, connected: boolean): Promise<void> {
    this.#config = config
    if (!connected) return Promise.resolve()
    const applied = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    applied.catch(() => {})
    if (this.#current) this.#clock.demand()
    return applied
  }

  /** The next connection becomes the current one. */
  take(): { generation: Generation; cause: RotationCause } | undefined {
    const next = this.#next
    this.#next = undefined
    this.#current = undefined
    return next
  }

  /** The current connection is gone. */
  stop(): void {
    this.#clock.stop()
    this.#current = undefined
    this.#next?.generation.connection.destroy()
    this.#next = undefined
  }

  /** There will be no further connection. */
  end(reason: Error): void {
    this.stop()
    this.#reject(reason)
  }

  #open(cause: RotationCause): void {
    this.#next?.generation.connection.destroy()
    this.#next = { generation: this.#listener.open(this.#config), cause }
  }

  #reject(reason: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }
}

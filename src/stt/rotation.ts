import { SttError } from '../errors.js'
import type { Generation } from './generation.js'
import { RotationClock, type ConnectionLifetime, type RotationCause } from './rotation-clock.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/** A service may refuse a config by closing without a word (protocol B1): so often, and it has. */
const MAX_REFUSALS = 3

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
  /** In force: the service has taken it, or the stream began with it. */
  #config: WireTranscribeConfig
  /** To be in force; a connection with it has not taken over yet. */
  #wanted: WireTranscribeConfig | undefined
  /** Connections with it that failed. */
  #refusals = 0
  /** Why there will be no further connection. */
  #endReason: Error | undefined
  #current: Generation | undefined
  #tokenEndMs = 0
  #next: { generation: Generation; cause: RotationCause } | undefined
  /** Who wanted it. */
  #applied: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(config: WireTranscribeConfig, listener: RotationListener) {
    this.#config = config
    this.#listener = listener
    this.#clock = new RotationClock({
      onDue: cause => this.#open(cause),
      onReady: () => listener.onReady(),
    })
  }

  /** What is in force: every connection but that of a change is opened with it. */
  get config(): WireTranscribeConfig {
    return this.#config
  }

  /** The next connection stands and has had the time to refuse its config. */
  get ready(): boolean {
    return this.#next?.generation.opened === true && this.#clock.ready
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
    const { expiresAtMs = 0 } = lifetime
    // A function that gives the same token again gives no reason to rotate again.
    const isNewToken = expiresAtMs > this.#tokenEndMs
    this.#tokenEndMs = Math.max(this.#tokenEndMs, expiresAtMs)
    this.#clock.begin({ ...lifetime, expiresAtMs: isNewToken ? expiresAtMs : undefined })
    if (this.#wanted && generation.options.config === this.#wanted) this.#settle(this.#wanted)
    else if (this.#wanted) this.#clock.demand()
  }

  audioSent(): void {
    this.#clock.audioSent()
  }

  nextOpened(): void {
    this.#clock.opened()
  }

  /** A config that the service refuses, in words or by closing, is taken back; what else fails is tried again. */
  nextFailed(error: SttError): void {
    const { generation, cause = 'config' } = this.#next ?? {}
    this.#next = undefined
    const isChange = this.#wanted !== undefined && generation?.options.config === this.#wanted
    if (isChange && (!error.retryable || ++this.#refusals >= MAX_REFUSALS)) {
      this.#clock.stop()
      this.#reject(error)
      return
    }
    this.#clock.failed(cause)
    this.#listener.onFailed(error)
  }

  /** Resolves when a connection with this config is the current one. One change at a time. */
  async update(config: WireTranscribeConfig): Promise<void> {
    // A change that waited for the one before it may come too late.
    if (this.#endReason) throw this.#endReason
    this.#wanted = config
    this.#refusals = 0
    const applied = new Promise<void>((resolve, reject) => (this.#applied = { resolve, reject }))
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
    this.#endReason = reason
    this.stop()
    this.#reject(reason)
  }

  #open(cause: RotationCause): void {
    this.#next?.generation.connection.destroy()
    this.#next = { generation: this.#listener.open(this.#wanted ?? this.#config), cause }
  }

  #settle(config: WireTranscribeConfig): void {
    this.#config = config
    this.#wanted = undefined
    this.#applied?.resolve()
  }

  #reject(reason: Error): void {
    this.#wanted = undefined
    this.#applied?.reject(reason)
  }
}

import type { SttError, SttErrorCode } from '../errors.js'
import type { ConnectionPass } from './connection-gate.js'

/** A connection that has stood this long was not refused: errors about the config come at once. In ms. */
const PROOF_MS = 2_000
/** What says that the service is ill, where it is retryable. Others concern one stream, or its account. */
const SERVICE_FAILURES: SttErrorCode[] = [
  'STT_ERR_CONNECT_TIMEOUT',
  'STT_ERR_SOCKET',
  'STT_ERR_SERVER',
  'STT_ERR_CLOSED',
  'STT_ERR_PING_TIMEOUT',
]

export interface AttemptListener {
  onOpened(): void
  /** Exactly once: what the attempt tells of the service, `abandoned` for nothing. */
  onOutcome(outcome: 'succeeded' | 'failed' | 'abandoned', error?: SttError): void
  /** The service has had too much and wants to be left alone this long. */
  onThrottled(retryAfterMs: number, error: SttError): void
  /** `keepsPlace`: the stream lost the connection and will want another. */
  onLeft(keepsPlace: boolean): void
}

/**
 * One admitted connection, and what becomes of it. It has succeeded once it has stood for a moment or has ended
 * well: the service accepts upgrades before it knows whether it can serve them, and says so in an error frame.
 */
export class ConnectionAttempt implements ConnectionPass {
  readonly #listener: AttemptListener
  #opened = false
  #told = false
  #keepsPlace = false
  #proofTimer: NodeJS.Timeout | undefined

  constructor(listener: AttemptListener) {
    this.#listener = listener
  }

  /** The upgrade has been answered. */
  get isOpen(): boolean {
    return this.#opened
  }

  opened(): void {
    this.#opened = true
    this.#proofTimer = setTimeout(() => this.#tell('succeeded'), PROOF_MS).unref()
    this.#listener.onOpened()
  }

  failed(error: SttError): void {
    const { code, retryable, retryAfterMs } = error
    this.#keepsPlace = retryable
    if (code === 'STT_ERR_QUOTA' && retryAfterMs) this.#listener.onThrottled(retryAfterMs, error)
    this.#tell(retryable && SERVICE_FAILURES.includes(code) ? 'failed' : 'abandoned', error)
  }

  leave(): void {
    this.#tell(this.#opened ? 'succeeded' : 'abandoned')
    this.#listener.onLeft(this.#keepsPlace)
  }

  #tell(outcome: 'succeeded' | 'failed' | 'abandoned', error?: SttError): void {
    clearTimeout(this.#proofTimer)
    if (this.#told) return
    this.#told = true
    this.#listener.onOutcome(outcome, error)
  }
}

import type { SttError } from '../errors.js'

/**
 * What stands before each connection of a session: a limit on sessions or handshakes, a circuit breaker. A session
 * without one connects at once.
 */
export interface ConnectionGate {
  /**
   * Resolves when a connection may be opened; rejects with an SttError where it must not, or with the signal's
   * reason when nobody waits any more.
   */
  enter(signal: AbortSignal): Promise<ConnectionPass>
  /** After a loss: nothing is pending, so no connection is wanted until audio comes. Default: nobody needs to know. */
  rest?(): void
}

/** One admitted connection. `leave` is called exactly once, whatever became of it; the others before it. */
export interface ConnectionPass {
  /** The upgrade was answered and the config is on its way. */
  opened(): void
  /** The connection ended with this error, whether it had opened or not. */
  failed(error: SttError): void
  /** The socket is gone: its place is free. */
  leave(): void
}

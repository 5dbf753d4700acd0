import type { Frame } from '../audio/frame.js'

/** A pause this long before the limit is a better place than the limit itself. */
const PAUSE_SHARE = 0.85

/**
 * Where the client ends turns, the service cuts one at about 30 s in a way that it does not state (protocol A3.5).
 * So a long turn is ended before: in a pause once it is near the limit, at the limit otherwise.
 */
export class ManualTurnLimit {
  readonly limitMs: number
  enabled = false
  #turnMs = 0

  constructor(limitMs: number) {
    this.limitMs = limitMs
  }

  /** Whether the turn must end behind this frame, which then begins the next. */
  mustEndAfter({ sourceMs, voiced }: Frame): boolean {
    if (!this.enabled) return false
    this.#turnMs += sourceMs
    const due =
      this.#turnMs + sourceMs > this.limitMs || (!voiced && this.#turnMs >= this.limitMs * PAUSE_SHARE)
    if (due) this.ended()
    return due
  }

  ended(): void {
    this.#turnMs = 0
  }
}

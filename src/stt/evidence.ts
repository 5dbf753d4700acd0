import type { ServerMessage } from './protocol.js'

/**
 * What is proven heard and what is pending, on one connection's clock. *Proven* is the last word end of a final
 * or the start of a later speech: what was sent is never evidence of what was heard. *Pending* is an open
 * interim, or voiced audio that begins after what is proven.
 */

/** Voice activity outlasts the last word by breath and hangover: a voiced run this close to it belongs to it. */
const WORD_TAIL_MS = 400

export class Evidence {
  /** Below zero until something is proven: no word's tail covers the first speech. */
  #provenMs = -WORD_TAIL_MS
  /** Where the last voiced frame ends; -1 before the first. */
  #voicedEndMs = -1
  #openInterim = false
  #heard = false

  /** Everything before this has been turned into finals, in ms. */
  get provenMs(): number {
    return Math.max(0, this.#provenMs)
  }

  /** Whether the service has said anything at all. */
  get heard(): boolean {
    return this.#heard
  }

  /** Whether results may still come for what was sent. */
  get pending(): boolean {
    return this.#openInterim || this.#voicedEndMs > this.#provenMs + WORD_TAIL_MS
  }

  /** A frame left for the service; `endMs` on the connection's clock. */
  sent(endMs: number, voiced: boolean): void {
    if (voiced) this.#voicedEndMs = endMs
  }

  received(message: ServerMessage): void {
    this.#heard = true
    if (message.kind === 'speechStarted') this.#prove(message.startMs)
    if (message.kind !== 'transcription') return
    if (!message.isFinal) {
      this.#openInterim = message.transcript !== ''
      return
    }
    this.#openInterim = false
    const lastWord = message.words.at(-1)
    if (lastWord) this.#prove(lastWord.endMs)
  }

  #prove(ms: number): void {
    this.#provenMs = Math.max(this.#provenMs, ms)
  }
}

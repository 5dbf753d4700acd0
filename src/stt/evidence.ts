import type { ServerMessage } from './protocol.js'

/**
 * What is proven heard and what is pending, on one clock: a connection's own, or the source's for a whole stream.
 * *Proven* is the last word end of a final, or the start of the first speech after a final: what was sent is never
 * evidence of what was heard. *Pending* is an open interim, speech that the service reports and no final has
 * answered, or voiced audio that begins after what is proven.
 */

/** Voice activity outlasts the last word by breath and hangover: a voiced run this close to it belongs to it. */
export const WORD_TAIL_MS = 400
/** A word may begin so long before voice activity is sure of it. */
const ONSET_MS = 200

export class Evidence {
  /** Below zero until something is proven: no word's tail covers the first speech. */
  #provenMs = -WORD_TAIL_MS
  /** Where the last voiced frame ends; -1 before the first. */
  #voicedEndMs = -1
  /** Where the oldest voiced audio begins that is not proven heard; of use only while something is pending. */
  #voiceStartMs = 0
  #sentMs = 0
  #openInterim = false
  /** Speech was told of, or an interim, that no final has covered: a later speech proves nothing then. */
  #turnOpen = false
  #speechStartMs = -1
  /** The service hears speech, whatever our own voice activity says. */
  #speechOpen = false
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
    return this.#openInterim || this.#speechOpen || this.#voicedEndMs > this.#provenMs + WORD_TAIL_MS
  }

  /** No final will come any more that begins before this, as far as is known, in ms. */
  get settledMs(): number {
    return this.pending ? Math.max(this.provenMs, this.#voiceStartMs - ONSET_MS) : this.#sentMs
  }

  /** A frame left for the service; `endMs` on this clock. */
  sent(endMs: number, voiced: boolean): void {
    if (voiced && !this.pending) this.#voiceStartMs = this.#sentMs
    this.#sentMs = Math.max(this.#sentMs, endMs)
    if (voiced) this.#voicedEndMs = Math.max(this.#voicedEndMs, endMs)
  }

  /** A message on this clock. */
  received(message: ServerMessage): void {
    this.#heard = true
    if (message.kind === 'speechStarted') this.#speechStarted(message.startMs)
    if (message.kind !== 'transcription') return
    const { transcript, isFinal, words } = message
    this.#openInterim = !isFinal && transcript !== ''
    if (this.#openInterim) this.#turnOpen = true
    if (isFinal) this.#speechOpen = this.#speechStartMs > (words.at(-1)?.endMs ?? Infinity)
    // An empty final may precede its turn (protocol B8): it covers nothing.
    if (!isFinal || transcript === '') return
    const lastWord = words.at(-1)
    if (lastWord) this.prove(lastWord.endMs)
    this.#turnOpen = lastWord !== undefined && this.#speechStartMs > lastWord.endMs
  }

  /** No result will come any more for what was sent. */
  finished(): void {
    this.prove(this.#sentMs)
    this.#openInterim = this.#turnOpen = this.#speechOpen = false
  }

  /** Nothing before `ms` can bring a result any more. */
  prove(ms: number): void {
    this.#provenMs = Math.max(this.#provenMs, ms)
  }

  #speechStarted(startMs: number): void {
    if (!this.#turnOpen) this.prove(startMs)
    this.#turnOpen = true
    this.#speechOpen = true
    this.#speechStartMs = Math.max(this.#speechStartMs, startMs)
  }
}

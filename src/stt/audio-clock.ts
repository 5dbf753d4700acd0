import type { ServerMessage } from './protocol.js'

/**
 * Source time ⇄ connection time. A connection hears the frames back to back from its own zero; the source may
 * start later, and padding was sent that the source never had. Kept as one span for each change of offset, the
 * newest last, so a stream without padding has a single span for ever.
 */
interface Span {
  /** Where this span begins on the connection's clock, in ms. */
  readonly connectionMs: number
  /** The same instant on the source's clock, in ms. */
  readonly sourceMs: number
  /** Source audio in this span, in ms; what follows up to the next span is inserted silence. */
  lengthMs: number
}

/** Spans older than the newest this many are merged away: their results are long delivered. */
const MAX_SPANS = 4_096

export class AudioClock {
  readonly #spans: Span[] = []
  readonly #startMs: number
  #sentMs = 0
  #insertedMs = 0

  /** @param startMs where the source stands when the connection opens */
  constructor(startMs = 0) {
    this.#startMs = startMs
  }

  /** All that was sent on this connection, padding included, in ms. */
  get sentMs(): number {
    return this.#sentMs
  }

  /** Silence that was sent and is not the source's, in ms. */
  get insertedMs(): number {
    return this.#insertedMs
  }

  /** Books a frame: `sourceMs` of audio from `startMs` of the source, then `insertedMs` of padding. */
  book(startMs: number, sourceMs: number, insertedMs: number): void {
    const last = this.#spans.at(-1)
    const continues =
      last && this.#sentMs === last.connectionMs + last.lengthMs && startMs === last.sourceMs + last.lengthMs
    if (continues) last.lengthMs += sourceMs
    else this.#spans.push({ connectionMs: this.#sentMs, sourceMs: startMs, lengthMs: sourceMs })
    if (this.#spans.length > MAX_SPANS) this.#spans.shift()
    this.#sentMs += sourceMs + insertedMs
    this.#insertedMs += insertedMs
  }

  /** Books silence between two frames. */
  insert(ms: number): void {
    const last = this.#spans.at(-1)
    if (!last) this.#spans.push({ connectionMs: 0, sourceMs: this.#startMs, lengthMs: 0 })
    this.#sentMs += ms
    this.#insertedMs += ms
  }

  /** An instant of the connection's clock on the source's. Inside inserted silence: where the source stood. */
  toSource(connectionMs: number): number {
    let low = 0
    let high = this.#spans.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#spans[middle]!.connectionMs <= connectionMs) low = middle
      else high = middle - 1
    }
    const span = this.#spans[low]
    if (!span) return this.#startMs + connectionMs
    return span.sourceMs + Math.min(Math.max(0, connectionMs - span.connectionMs), span.lengthMs)
  }

  /** A message with its times on the source's clock. */
  messageToSource(message: ServerMessage): ServerMessage {
    if (message.kind === 'speechStarted') return { ...message, startMs: this.toSource(message.startMs) }
    if (message.kind !== 'transcription') return message
    const words = message.words.map(word => ({
      ...word,
      startMs: this.toSource(word.startMs),
      endMs: this.toSource(word.endMs),
    }))
    return { ...message, words }
  }
}

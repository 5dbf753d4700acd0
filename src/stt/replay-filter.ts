import type { ServerMessage, TranscriptionMessage } from './protocol.js'

/** What the reader had been given when a connection took over. Source time, in ms. */
export interface Delivered {
  /** End of the last word of the last final with times; -1 before the first. */
  readonly finalEndMs: number
  /** Start of the last speech told of; -1 before the first. */
  readonly speechStartMs: number
}

/** What became of one message. */
export type Verdict =
  | { deliver: true; overlapMs?: number }
  | { deliver: false }
  /** An interim that may be a repetition, and is kept in case nothing else comes of it. */
  | { deliver: false; held: TranscriptionMessage }

const DELIVER: Verdict = { deliver: true }
const DROP: Verdict = { deliver: false }

/** The same speech is found at most this much later when its audio begins elsewhere. */
const JITTER_MS = 200

/**
 * Tells what a connection says again from what is new, when the audio that it was sent begins before the end of
 * what has been delivered. By time only: a final whose last word lies, by its middle, before the last delivered
 * end holds nothing new; one that reaches beyond it is delivered whole, with its overlap. Repetitions come first on
 * a connection, so after the first new final nothing is dropped any more. Interims come without times: they are
 * dropped while the speech that they belong to began before the delivered end, and else held back until it is clear
 * that the repeated part is over.
 */
export class ReplayFilter {
  #delivered: Delivered
  readonly #startMs: number
  #anyFinal = false
  #finalsRepeat: boolean
  #interimsRepeat: boolean
  #speechRepeats = false
  /** The speech that began last on this connection did so before the delivered end. */
  #speechDelivered = false
  /** The last final on this connection. */
  #last: TranscriptionMessage | undefined
  /** An interim has come on this connection, and no final since. */
  #interimOpen = false

  /** @param startMs source time of the first audio that the connection is sent */
  constructor(delivered: Delivered, startMs: number) {
    this.#delivered = delivered
    this.#startMs = startMs
    this.#finalsRepeat = startMs < delivered.finalEndMs
    this.#interimsRepeat = this.#finalsRepeat
  }

  /** The connection before this one has said more since, which this one may have heard as well. */
  formerDelivered(delivered: Delivered): void {
    if (this.#anyFinal) return
    this.#delivered = delivered
    this.#finalsRepeat = this.#startMs < delivered.finalEndMs
  }

  /** @param message on the source's clock */
  judge(message: ServerMessage): Verdict {
    switch (message.kind) {
      case 'transcription':
        return message.isFinal ? this.#judgeFinal(message) : this.#judgeInterim(message)
      case 'speechStarted':
        return this.#judgeSpeech(message.startMs)
      case 'speechStopped':
        return this.#speechRepeats ? DROP : DELIVER
      default:
        return DELIVER
    }
  }

  #judgeFinal(final: TranscriptionMessage): Verdict {
    const { finalEndMs } = this.#delivered
    const withdrawsInterim = this.#interimOpen
    this.#interimOpen = false
    // Empty finals come at false starts (protocol B8): the turn that an earlier connection left open is not theirs.
    if (final.transcript === '' && !withdrawsInterim) return DROP
    const twice = this.#last !== undefined && isSame(final, this.#last)
    this.#last = final
    if (twice) return DROP
    const first = final.words[0]
    const last = final.words.at(-1)
    if (!this.#finalsRepeat || !first || !last) {
      if (final.transcript !== '') this.#passed()
      return DELIVER
    }
    if ((last.startMs + last.endMs) / 2 <= finalEndMs) {
      if (last.endMs >= finalEndMs - JITTER_MS) this.#interimsRepeat = false
      return DROP
    }
    this.#passed()
    const overlapMs = finalEndMs - first.startMs
    return overlapMs > 0 ? { deliver: true, overlapMs } : DELIVER
  }

  #judgeInterim(interim: TranscriptionMessage): Verdict {
    this.#interimOpen = true
    if (!this.#interimsRepeat) return DELIVER
    const last = interim.words.at(-1)
    if (!last) return this.#speechDelivered ? DROP : { deliver: false, held: interim }
    return (last.startMs + last.endMs) / 2 <= this.#delivered.finalEndMs ? DROP : DELIVER
  }

  #judgeSpeech(startMs: number): Verdict {
    const { finalEndMs, speechStartMs } = this.#delivered
    this.#speechDelivered = startMs < finalEndMs
    if (!this.#speechDelivered) this.#interimsRepeat = false
    this.#speechRepeats = speechStartMs >= 0 && startMs <= speechStartMs + JITTER_MS
    return this.#speechRepeats ? DROP : DELIVER
  }

  #passed(): void {
    this.#anyFinal = true
    this.#finalsRepeat = false
    this.#interimsRepeat = false
  }
}

/** The same words at the same time: the service has sent one final twice. */
function isSame(one: TranscriptionMessage, other: TranscriptionMessage): boolean {
  const [first, last] = [one.words[0], one.words.at(-1)]
  return (
    one.transcript === other.transcript &&
    first !== undefined &&
    first.startMs === other.words[0]?.startMs &&
    last?.endMs === other.words.at(-1)?.endMs
  )
}

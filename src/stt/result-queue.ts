import type { SttEvent } from './events.js'
import type { UnnumberedTranscription } from './turns.js'

/**
 * Results that wait for the reader. A newer interim replaces the unread older one of its turn, so a slow reader
 * gets fewer interims and never stale ones; only what cannot be replaced fills the queue. `seq` is given here,
 * the replacement taking over its predecessor's number, so that the reader sees no gap.
 */
export class ResultQueue {
  readonly #limit: number
  readonly #events: SttEvent[] = []
  #seq = 0

  /** @param limit events at which `full` turns true */
  constructor(limit: number) {
    this.#limit = limit
  }

  get full(): boolean {
    return this.#events.length >= this.#limit
  }

  get length(): number {
    return this.#events.length
  }

  /** Returns the event as it will be delivered. */
  pushTranscription(result: UnnumberedTranscription): SttEvent & { type: 'transcription' } {
    // Turns come one after another, so only the newest transcription can be of the same turn.
    const index = this.#events.findLastIndex(event => event.type === 'transcription')
    const waiting = this.#events[index]
    if (
      waiting?.type === 'transcription' &&
      !waiting.isFinal &&
      waiting.turnId === result.turnId &&
      !result.isFinal
    ) {
      const replacement = { ...result, seq: waiting.seq }
      this.#events[index] = replacement
      return replacement
    }
    const event = { ...result, seq: ++this.#seq }
    this.#events.push(event)
    return event
  }

  push(event: Exclude<SttEvent, TranscriptionLike>): void {
    this.#events.push(event)
  }

  shift(): SttEvent | undefined {
    return this.#events.shift()
  }
}

type TranscriptionLike = { type: 'transcription' }

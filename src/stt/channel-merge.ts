import type { SttEvent, TranscriptionEvent } from './events.js'

/** One channel's session, as the merge sees it. */
export interface MergedChannel {
  /** The next event; null while there is none. */
  read(): SttEvent | null
  /** No final will come any more that begins before this, as far as is known, in ms of the source. */
  readonly settledMs: number
  /** Its results can wait no longer. */
  readonly resting: boolean
}

interface HeldFinal {
  final: TranscriptionEvent
  startMs: number
  /** When it has waited long enough, in ms of the caller's clock. */
  dueMs: number
}

/**
 * The events of several channels as those of one stream. Each channel keeps its own order. Finals leave in the
 * order in which they begin: one waits until no other channel can still bring a final that begins earlier, and at
 * most for `waitMs`. All else leaves at once. Pure: it is told the time.
 */
export class ChannelMerge {
  readonly #channels: readonly MergedChannel[]
  readonly #waitMs: number
  /** The final that a channel has come to: what follows it in its channel follows it here. */
  readonly #held: (HeldFinal | undefined)[]
  readonly #transcribedMs: number[]
  /** Read first next time, so that no channel drowns another. */
  #first = 0
  #seq = 0

  /** @param waitMs Infinity for as long as it takes */
  constructor(channels: readonly MergedChannel[], waitMs: number) {
    this.#channels = channels
    this.#waitMs = waitMs
    this.#held = channels.map(() => undefined)
    this.#transcribedMs = channels.map(() => 0)
  }

  /** When the first of the waiting finals has waited long enough; undefined where none waits. */
  get dueMs(): number | undefined {
    const held = this.#held.filter(final => final !== undefined)
    return held.length > 0 ? Math.min(...held.map(({ dueMs }) => dueMs)) : undefined
  }

  /** The next event; undefined while there is none that may leave. */
  next(nowMs: number): SttEvent | undefined {
    const event = this.#readUpToFinals(nowMs) ?? this.#releaseFinal(nowMs)
    // Its own session numbered it in its channel.
    if (event?.type === 'transcription') event.seq = ++this.#seq
    return event
  }

  #readUpToFinals(nowMs: number): SttEvent | undefined {
    const count = this.#channels.length
    for (let step = 0; step < count; step++) {
      const channel = (this.#first + step) % count
      const event = this.#held[channel] ? null : this.#channels[channel]!.read()
      if (!event) continue
      if (event.type === 'transcription' && event.isFinal && event.startMs !== undefined) {
        this.#held[channel] = { final: event, startMs: event.startMs, dueMs: nowMs + this.#waitMs }
        continue
      }
      this.#first = channel + 1
      return event.type === 'usage' ? this.#sumUsage(event, channel) : event
    }
    return undefined
  }

  #releaseFinal(nowMs: number): TranscriptionEvent | undefined {
    const channel = this.#earliest()
    const held = this.#held[channel]
    if (!held) return undefined
    const isSettled = this.#channels.every(
      ({ settledMs }, other) => this.#held[other] !== undefined || settledMs >= held.startMs,
    )
    // Before one that has waited long enough, those leave that begin earlier.
    const isPressed = this.#held.some(
      (other, index) => other && (other.dueMs <= nowMs || this.#channels[index]!.resting),
    )
    if (!isSettled && !isPressed) return undefined
    this.#held[channel] = undefined
    return held.final
  }

  /** The channel whose waiting final begins first; -1 where none waits. */
  #earliest(): number {
    let earliest = -1
    let startMs = Infinity
    for (const [channel, held] of this.#held.entries()) {
      if (!held || held.startMs >= startMs) continue
      earliest = channel
      startMs = held.startMs
    }
    return earliest
  }

  /** Each channel counts its own. */
  #sumUsage(usage: SttEvent & { type: 'usage' }, channel: number): SttEvent {
    this.#transcribedMs[channel] = usage.transcribedAudioMs
    return { ...usage, transcribedAudioMs: this.#transcribedMs.reduce((sum, ms) => sum + ms, 0) }
  }
}

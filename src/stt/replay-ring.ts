import type { EndTurnMark, Frame, FrameOrMark } from '../audio/frame.js'

/** A run of unvoiced audio this long is a place where no word is cut. */
const PAUSE_MS = 200

/**
 * Frames and marks since the safe point, bounded in ms of audio: what a new connection must be sent again. Items
 * are known by their number, counted from the stream's first. When the ring is full the oldest leave.
 */
export class ReplayRing {
  readonly #capacityMs: number
  readonly #items: FrameOrMark[] = []
  #first = 0
  #durationMs = 0
  #startMs = 0
  #endMs = 0
  #evictedVoiceEndMs = -1

  /** @param capacityMs above it the oldest frames leave, all but the newest */
  constructor(capacityMs: number) {
    this.#capacityMs = capacityMs
  }

  /** Number of the oldest item kept. */
  get first(): number {
    return this.#first
  }

  /** Number that the next item will have. */
  get next(): number {
    return this.#first + this.#items.length
  }

  /** Where the oldest audio kept begins on the source's clock, in ms; without any, where the next will. */
  get startMs(): number {
    return this.#startMs
  }

  /** Where the newest audio ends on the source's clock, in ms. */
  get endMs(): number {
    return this.#endMs
  }

  /** Where the newest voiced audio that has left a full ring ends, in ms; -1 where none has. */
  get evictedVoiceEndMs(): number {
    return this.#evictedVoiceEndMs
  }

  at(number: number): FrameOrMark | undefined {
    return this.#items[number - this.#first]
  }

  has(item: FrameOrMark): boolean {
    return this.#items.includes(item)
  }

  /** @param keepFrom number of an item that stays, and all behind it, however full the ring is */
  push(item: FrameOrMark, keepFrom = Infinity): void {
    this.#items.push(item)
    if (isMark(item)) return
    if (this.#durationMs === 0) this.#startMs = item.startMs
    this.#endMs = item.startMs + item.sourceMs
    this.#durationMs += item.sourceMs
    const isTooFull = () => this.#durationMs > this.#capacityMs && this.#durationMs > item.sourceMs
    while (isTooFull() && this.#first < keepFrom) {
      const oldest = this.#items[0]!
      if (!isMark(oldest) && oldest.voiced) this.#evictedVoiceEndMs = endOf(oldest)
      this.#drop(1)
    }
  }

  /** Drops all before `number`. */
  trim(number: number): void {
    if (number > this.#first) this.#drop(Math.min(number, this.next) - this.#first)
  }

  /** Drops all up to the mark and itself: its turn has been answered. @returns whether it was here */
  trimThrough(mark: EndTurnMark): boolean {
    const index = this.#items.indexOf(mark)
    if (index < 0) return false
    this.#drop(index + 1)
    return true
  }

  /** Number of the frame that begins the last pause which begins at or before `ms`; undefined without one. */
  pauseBefore(ms: number): number | undefined {
    let found: number | undefined
    for (const pause of this.#pauses()) {
      if (pause.startMs > ms) break
      found = pause.number
    }
    return found
  }

  /** Number of the frame that begins the first pause behind voiced audio; undefined without one. */
  pauseAfterVoice(): number | undefined {
    const voiced = this.#items.findIndex(item => !isMark(item) && item.voiced)
    if (voiced < 0) return undefined
    for (const { number } of this.#pauses()) if (number > this.#first + voiced) return number
    return undefined
  }

  /** How long the newest audio has been unvoiced, in ms. */
  get trailingPauseMs(): number {
    let ms = 0
    for (let index = this.#items.length - 1; index >= 0; index--) {
      const item = this.#items[index]!
      if (isMark(item)) continue
      if (item.voiced) break
      ms += item.sourceMs
    }
    return ms
  }

  /** Number of the item that begins the run of unvoiced audio before the item `number`; a mark ends it too. */
  silenceBefore(number: number): number {
    let from = number
    for (;;) {
      const item = this.at(from - 1)
      if (!item || isMark(item) || item.voiced) return from
      from--
    }
  }

  /** Number of the item from which the last `ms` of audio are kept, or all where there is less. */
  lastMs(ms: number): number {
    let kept = 0
    let index = this.#items.length
    while (index > 0 && kept < ms) {
      const item = this.#items[--index]!
      if (!isMark(item)) kept += item.sourceMs
    }
    return this.#first + index
  }

  /** Where the audio from the item `number` on begins on the source's clock, in ms. */
  sourceMsAt(number: number): number {
    for (let at = number; at < this.next; at++) {
      const item = this.at(at)
      if (item && !isMark(item)) return item.startMs
    }
    return this.#endMs
  }

  /** Source audio in the items from `from` to before `to`, in ms. */
  durationMs(from: number, to: number): number {
    let ms = 0
    for (let number = Math.max(from, this.#first); number < Math.min(to, this.next); number++) {
      const item = this.at(number)!
      if (!isMark(item)) ms += item.sourceMs
    }
    return ms
  }

  #drop(count: number): void {
    for (const item of this.#items.splice(0, count)) {
      if (isMark(item)) continue
      this.#durationMs -= item.sourceMs
      this.#startMs = item.startMs + item.sourceMs
    }
    this.#first += count
  }

  *#pauses(): Generator<{ number: number; startMs: number }> {
    let begin: { number: number; startMs: number } | undefined
    let told = false
    for (const [index, item] of this.#items.entries()) {
      if (isMark(item)) continue
      if (item.voiced) {
        begin = undefined
        told = false
        continue
      }
      begin ??= { number: this.#first + index, startMs: item.startMs }
      if (!told && endOf(item) - begin.startMs >= PAUSE_MS) {
        told = true
        yield begin
      }
    }
  }
}

export function isMark(item: FrameOrMark): item is EndTurnMark {
  return 'endTurn' in item
}

function endOf({ startMs, sourceMs }: Frame): number {
  return startMs + sourceMs
}

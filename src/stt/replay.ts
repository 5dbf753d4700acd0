import type { EndTurnMark, FrameOrMark } from '../audio/frame.js'
import { Evidence } from './evidence.js'
import type { ServerMessage } from './protocol.js'
import { isMark, ReplayRing } from './replay-ring.js'

/** What a connection is sent again, and what it can not be. */
export interface ReplayReport {
  /** Source time of the first audio that it is sent, in ms. */
  fromMs: number
  /** Audio from there on that had been sent before, in ms. */
  replayedMs: number
  /** Audio before it that had been sent, is not proven heard and is no longer kept, in ms. */
  lostMs: number
}

/**
 * What was sent and may have to be sent again: the ring from the safe point on, and the evidence that moves the safe
 * point. All on the source's clock; pure.
 */
export class Replay {
  readonly ring: ReplayRing
  readonly #evidence = new Evidence()
  /** Where the last safe point stood, in ms. */
  #safeMs = 0
  /** Number behind the newest item that any connection has been sent. */
  #sentEnd = 0
  /** Number behind the newest item that was silence in which the stream slept: none need be sent it. */
  #sleptEnd = 0
  #voiceEndMs = 0
  #replayedMs = 0
  #lostMs = 0

  /** @param capacityMs of the ring */
  constructor(capacityMs: number) {
    this.ring = new ReplayRing(capacityMs)
  }

  /** Everything before this has been turned into finals, in ms. */
  get provenMs(): number {
    return this.#evidence.provenMs
  }

  /** Whether results may still come for what was sent. */
  get pending(): boolean {
    return this.#evidence.pending
  }

  /** No final will come any more that begins before this, as far as is known, in ms of the source. */
  get settledMs(): number {
    return this.#evidence.settledMs
  }

  /** Whether items wait that no connection has been sent. */
  get unsent(): boolean {
    return Math.max(this.#sentEnd, this.#sleptEnd, this.ring.first) < this.ring.next
  }

  /** How far the source has been sent, in ms. */
  get sentEndMs(): number {
    return this.ring.sourceMsAt(this.#sentEnd)
  }

  /** Where the voiced audio that was sent last ends, in ms. */
  get voiceEndMs(): number {
    return this.#voiceEndMs
  }

  get stats() {
    return { replayedMs: this.#replayedMs, lostMs: this.#lostMs, unprotectedMs: this.unprotectedMs }
  }

  /** Audio that has left the ring since the safe point, up to the last of it that is voiced, in ms. */
  get unprotectedMs(): number {
    if (!this.#evidence.pending) return 0
    return Math.max(0, this.ring.evictedVoiceEndMs - Math.max(this.#evidence.provenMs, this.#safeMs))
  }

  /** @param keepFrom number of an item that stays, and all behind it: a connection is still to be sent it */
  push(item: FrameOrMark, keepFrom?: number): void {
    if (this.ring.next === 0 && !isMark(item)) this.#safeMs = item.startMs
    this.ring.push(item, keepFrom)
  }

  /** A connection is being sent the item with this number. */
  sending(number: number): void {
    this.#sentEnd = Math.max(this.#sentEnd, number + 1)
  }

  /** It has taken it. */
  sent(item: FrameOrMark): void {
    if (isMark(item)) return
    const endMs = item.startMs + item.sourceMs
    this.#evidence.sent(endMs, item.voiced)
    if (item.voiced) this.#voiceEndMs = endMs
  }

  /** What the ring holds is silence that nobody needs, but for the last `keepMs`. */
  forgetSilence(keepMs: number): void {
    this.#evidence.sent(this.ring.endMs, false)
    this.#sleptEnd = this.ring.next
    this.#trim(this.ring.lastMs(keepMs))
  }

  /** The service has said all to what it was sent. */
  finished(): void {
    this.#evidence.finished()
    this.#trim(this.ring.silenceBefore(this.#sentEnd))
  }

  /** A message of the connection that is being sent the audio. */
  received(message: ServerMessage): void {
    this.#evidence.received(message)
    this.#advance(message)
  }

  /** What one that was handed over from finishes is proven; what it has open says nothing of the current one. */
  receivedFromFormer(message: ServerMessage): void {
    if (message.kind !== 'transcription' || !message.isFinal) return
    const lastWord = message.words.at(-1)
    if (lastWord) this.#evidence.prove(lastWord.endMs)
    this.#advance(message)
  }

  /** The answer to the mark proves all before it: neither is sent again. */
  answered(mark: EndTurnMark): void {
    // A mark that has left a full ring says nothing of the audio behind it that left as well.
    if (this.ring.trimThrough(mark)) this.#safeMs = this.ring.startMs
  }

  /** Counts what is sent again from the item `from` on. What is lost is told once. */
  report(from: number): ReplayReport {
    const replayedMs = this.ring.durationMs(from, this.#sentEnd)
    const lostMs = this.unprotectedMs
    this.#replayedMs += replayedMs
    this.#lostMs += lostMs
    if (lostMs > 0) this.#safeMs = this.ring.startMs
    return { fromMs: this.ring.sourceMsAt(from), replayedMs, lostMs }
  }

  #advance(message: ServerMessage): void {
    const timed = this.ring.pauseBefore(this.#evidence.provenMs)
    if (timed !== undefined) this.#trim(timed)
    if (message.kind !== 'transcription' || !message.isFinal) return
    if (message.transcript === '' || message.words.length > 0) return
    // A final without times has at least heard the turn's speech up to its first pause.
    const untimed = this.ring.pauseAfterVoice()
    if (untimed !== undefined) this.#trim(untimed)
  }

  #trim(number: number): void {
    if (number <= this.ring.first) return
    this.ring.trim(number)
    this.#safeMs = this.ring.startMs
  }
}

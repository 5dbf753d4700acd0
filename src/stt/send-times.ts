/**
 * When which audio left. Latencies ask for it by a time on the source's clock, so each frame leaves one entry: where
 * it ends and when it was sent. What is settled is forgotten. What stays unsettled for long (silence, a service that
 * is far behind) is thinned out: neighbours are merged where the difference of their times is a small share of their
 * age, and so of any latency that can still be measured with them. Memory is bounded, and no audio is without an
 * entry. Pure.
 */

/** 16 bytes each. The newest 25 s are exact to a frame of 100 ms. */
const MAX_ENTRIES = 512
/** Thinning goes on until this many are left, so that it comes once in 128 frames. */
const THINNED_ENTRIES = 384
/**
 * What merging may take from a latency, as a share of it. It doubles as often as need be: 4 % with an hour of audio
 * unsettled, 8 % with a day.
 */
const RELATIVE_ERROR = 0.02

export class SendTimes {
  /** Where each entry's audio ends on the source's clock, rising; it begins where the one before it ends. */
  readonly #endsMs: number[] = []
  readonly #sentAtMs: number[] = []
  #forgottenMs = 0

  /** Entries that are held, at most 511. */
  get length(): number {
    return this.#endsMs.length
  }

  /** Where the newest audio ends that was sent, in ms of the source. */
  get newestMs(): number {
    return this.#endsMs.at(-1) ?? this.#forgottenMs
  }

  /** Audio up to `endMs` of the source left at `nowMs`. What is sent again keeps the time at which it first left. */
  add(endMs: number, nowMs: number): void {
    if (endMs <= this.newestMs) return
    this.#endsMs.push(endMs)
    this.#sentAtMs.push(nowMs)
    if (this.#endsMs.length < MAX_ENTRIES) return
    for (let share = RELATIVE_ERROR; this.#endsMs.length > THINNED_ENTRIES; share *= 2) this.#thinOut(share)
  }

  /** When the audio at `ms` of the source first left. Undefined for what is forgotten and what was never sent. */
  at(ms: number): number | undefined {
    return ms <= this.#forgottenMs ? undefined : this.#sentAtMs[this.#indexOf(ms)]
  }

  /** Nobody will ask for audio up to `ms` again. */
  forgetUntil(ms: number): void {
    this.#forgottenMs = Math.max(this.#forgottenMs, Math.min(ms, this.newestMs))
    const settled = this.#indexOf(this.#forgottenMs)
    this.#endsMs.splice(0, settled)
    this.#sentAtMs.splice(0, settled)
  }

  /** The first entry that ends at or after `ms`. */
  #indexOf(ms: number): number {
    let low = 0
    let high = this.#endsMs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#endsMs[middle]! < ms) low = middle + 1
      else high = middle
    }
    return low
  }

  /** An entry goes where the next one can answer for it: of merged neighbours the latest stays. */
  #thinOut(share: number): void {
    const ends = this.#endsMs
    const sentAt = this.#sentAtMs
    const newest = ends.length - 1
    let kept = 1
    for (let i = 1; i <= newest; i++) {
      const answersFor =
        i < newest && sentAt[i + 1]! - sentAt[kept - 1]! <= share * (sentAt[newest]! - sentAt[i + 1]!)
      if (answersFor) continue
      ends[kept] = ends[i]!
      sentAt[kept++] = sentAt[i]!
    }
    ends.length = sentAt.length = kept
  }
}

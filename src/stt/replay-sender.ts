import type { FrameOrMark } from '../audio/frame.js'
import type { Generation } from './generation.js'
import type { Replay } from './replay.js'

/**
 * Sends what the ring keeps and then what is new, over whichever connection it is given, one item at a time. The
 * writer waits until its item has been taken; without a connection it waits for one.
 */
export class ReplaySender {
  readonly #replay: Replay
  readonly #onSent: (generation: Generation, item: FrameOrMark) => void
  #generation: Generation | undefined
  /** Number of the item that is sent next, or is being taken. */
  #cursor = 0
  #sending = false
  #whenTaken: (() => void) | undefined
  #whenEnded: (() => void) | undefined
  #ending = false

  constructor(replay: Replay, onSent: (generation: Generation, item: FrameOrMark) => void) {
    this.#replay = replay
    this.#onSent = onSent
  }

  /** The connection is taking an item. */
  get busy(): boolean {
    return this.#sending
  }

  /** The connection has taken all that there is. */
  get caughtUp(): boolean {
    return !this.#sending && this.#cursor === this.#replay.ring.next
  }

  /** A writer waits. */
  get awaited(): boolean {
    return this.#whenTaken !== undefined
  }

  get ending(): boolean {
    return this.#ending
  }

  /** One item at a time: the next comes after `taken`. */
  write(item: FrameOrMark, taken: () => void): void {
    this.#replay.push(item, this.#generation && this.#cursor)
    this.#whenTaken = taken
    this.#pump()
  }

  /** After the last item; `sent` comes when the connection has been told. */
  end(sent: () => void): void {
    this.#ending = true
    this.#whenEnded = sent
    this.#pump()
  }

  /** From the item `from` on, everything goes over this connection, which stands. */
  use(generation: Generation, from: number): void {
    this.#generation = generation
    this.#cursor = from
    this.#sending = false
    // The caller may still be at what makes it the current one.
    process.nextTick(() => this.#pump())
  }

  /** The connection is gone. */
  detach(): void {
    this.#generation = undefined
    this.#sending = false
  }

  /** Whoever waits need not: no connection is to take anything. */
  release(): void {
    const waiting = [this.#whenTaken, this.#whenEnded]
    this.#whenTaken = this.#whenEnded = undefined
    for (const callback of waiting) callback?.()
  }

  #pump(): void {
    const generation = this.#generation
    if (!generation || this.#sending) return
    const { ring } = this.#replay
    this.#cursor = Math.max(this.#cursor, ring.first)
    const item = ring.at(this.#cursor)
    if (item) this.#send(generation, item)
    else if (this.#whenTaken) {
      const taken = this.#whenTaken
      this.#whenTaken = undefined
      taken()
    } else if (this.#ending) {
      generation.end(() => {
        this.#whenEnded?.()
        this.#whenEnded = undefined
      })
    }
  }

  #send(generation: Generation, item: FrameOrMark): void {
    this.#sending = true
    this.#replay.sending(this.#cursor)
    generation.connection.write(item, error => {
      if (error || generation !== this.#generation) return
      this.#sending = false
      this.#cursor++
      this.#replay.sent(item)
      this.#onSent(generation, item)
      this.#pump()
    })
  }
}

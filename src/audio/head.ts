/** How much of a file may stand before its samples and still be held in memory, in bytes: cover art fits. */
export const HEAD_LIMIT_BYTES = 4 * 1024 * 1024

const FIRST_CAPACITY_BYTES = 256

/** The first bytes of a stream, in one piece. Grows by doubling, so that 1-byte chunks cost no more than large ones. */
export class Head {
  #store = Buffer.alloc(0)
  #length = 0

  /** A view, valid until the next call. */
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#length)
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length
    if (length > this.#store.length) {
      const store = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#store.length, FIRST_CAPACITY_BYTES))
      this.#store.copy(store, 0, 0, this.#length)
      this.#store = store
    }
    chunk.copy(this.#store, this.#length)
    this.#length = length
  }

  /** Forgets the bytes; a view taken before stays good, for nothing is written over it. */
  clear(): void {
    this.#store = Buffer.alloc(0)
    this.#length = 0
  }
}

/** How much of stderr is kept, whatever comes. */
const TAIL_BYTES = 4096
const TAIL_LINES = 20

/** The last lines of a child's stderr, in bounded memory. */
export class StderrTail {
  #tail = Buffer.alloc(0)
  #cut = false

  append(text: Buffer): void {
    const all = Buffer.concat([this.#tail, text.subarray(-TAIL_BYTES)])
    this.#cut ||= all.length > TAIL_BYTES || text.length > TAIL_BYTES
    this.#tail = all.subarray(-TAIL_BYTES)
  }

  /** The last lines, without the one that the bound cut through; '' for nothing. */
  toString(): string {
    const lines = this.#tail.toString().split(/\r?\n/)
    if (this.#cut && lines.length > 1) lines.shift()
    return lines
      .filter(line => line.trim() !== '')
      .slice(-TAIL_LINES)
      .join('\n')
  }
}

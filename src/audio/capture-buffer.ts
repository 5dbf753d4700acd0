import { blockAlign, durationMs, type PcmFormat } from './pcm-format.js'

/**
 * Live audio that waits for its reader, bounded in time. A microphone cannot be told to wait: when the buffer is full
 * the oldest audio leaves it, in whole samples of all channels, and is counted.
 */
export class CaptureBuffer {
  readonly #format: PcmFormat
  readonly #limitBytes: number
  #pieces: Buffer[] = []
  #bytes = 0
  #lostBytes = 0
  /** The beginning of a sample whose rest is to come. */
  #torn = Buffer.alloc(0)

  constructor(format: PcmFormat, limitMs: number) {
    this.#format = format
    const blocks = Math.ceil((limitMs / 1000) * format.sampleRateHertz)
    this.#limitBytes = blocks * blockAlign(format)
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0
  }

  /** Audio that had to leave unread, in ms. */
  get lostMs(): number {
    return durationMs(this.#format, this.#lostBytes)
  }

  /** @returns whether audio was lost for it */
  push(bytes: Buffer): boolean {
    const all = this.#torn.length > 0 ? Buffer.concat([this.#torn, bytes]) : bytes
    const whole = all.length - (all.length % blockAlign(this.#format))
    this.#torn = Buffer.from(all.subarray(whole))
    if (whole === 0) return false
    this.#pieces.push(all.subarray(0, whole))
    this.#bytes += whole
    const excess = this.#bytes - this.#limitBytes
    if (excess > 0) this.#dropOldest(excess)
    return excess > 0
  }

  /** The oldest piece; undefined where nothing waits. */
  shift(): Buffer | undefined {
    const piece = this.#pieces.shift()
    this.#bytes -= piece?.length ?? 0
    return piece
  }

  /** `bytes` are whole samples, for limit and pieces are. */
  #dropOldest(bytes: number): void {
    this.#lostBytes += bytes
    this.#bytes -= bytes
    let left = bytes
    for (let [first] = this.#pieces; first && left > 0; [first] = this.#pieces) {
      const dropped = Math.min(left, first.length)
      left -= dropped
      if (dropped === first.length) this.#pieces.shift()
      else this.#pieces[0] = first.subarray(dropped)
    }
  }
}

import { blockAlign, type PcmFormat } from './pcm-format.js'

/** Which part of a source is heard. */
export interface WindowOptions {
  /** Where it begins, in ms from the source's first sample. Default 0. */
  readonly startMs?: number | undefined
  /** How long it is, in ms. Default: to the end. */
  readonly durationMs?: number | undefined
}

/** Lets a part of the samples through, exact to the sample, whatever the chunks. */
export class PcmWindow {
  readonly #options: WindowOptions
  #position = 0
  #skippedMs = 0
  #startByte = 0
  #endByte = Infinity

  constructor(options: WindowOptions) {
    this.#options = options
  }

  /** Whether nothing more of the source is wanted. */
  get isOver(): boolean {
    return this.#position >= this.#endByte
  }

  /** The source's beginning is left out already, so many ms of it. Before the first chunk. */
  skip(ms: number): void {
    this.#skippedMs = ms
  }

  /** @returns the part of the chunk that lies in the window, as a view */
  take(chunk: Buffer, format: PcmFormat): Buffer {
    if (this.#position === 0) this.#place(format)
    const from = this.#startByte - this.#position
    const to = this.#endByte - this.#position
    this.#position += chunk.length
    return from <= 0 && to >= chunk.length
      ? chunk
      : chunk.subarray(clamp(from, chunk.length), clamp(to, chunk.length))
  }

  #place(format: PcmFormat): void {
    const { startMs = 0, durationMs = Infinity } = this.#options
    const bytesAt = (ms: number) => Math.round((ms * format.sampleRateHertz) / 1000) * blockAlign(format)
    const skippedBytes = bytesAt(this.#skippedMs)
    this.#startByte = bytesAt(startMs) - skippedBytes
    this.#endByte = bytesAt(startMs + durationMs) - skippedBytes
  }
}

function clamp(position: number, length: number): number {
  return Math.min(Math.max(position, 0), length)
}

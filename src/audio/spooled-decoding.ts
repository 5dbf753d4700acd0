import type { SttError } from '../errors.js'
import type { Callback, Decoding, DecodingSink } from './decoding.js'
import type { CheckedDecodeOptions } from './decode-options.js'
import { FfmpegDecoding } from './ffmpeg-decoding.js'
import { Spool, type SpooledFile } from './spool.js'

/** By way of a temporary file, for what can only be decoded by seeking in it. */
export class SpooledDecoding implements Decoding {
  readonly #options: CheckedDecodeOptions
  readonly #sink: DecodingSink
  readonly #spool: Spool
  #decoding: FfmpegDecoding | undefined
  #closed = false

  constructor(options: CheckedDecodeOptions, sink: DecodingSink) {
    this.#options = options
    this.#sink = sink
    this.#spool = new Spool(options.spoolLimitBytes)
  }

  write(chunk: Buffer, callback: Callback): void {
    this.#spool.write(chunk).then(() => callback(), callback)
  }

  end(callback: Callback): void {
    this.#spool
      .finish()
      .then(file => {
        if (!this.#closed) this.#decode(file)
        callback()
      })
      .catch(callback)
  }

  resume(): void {
    this.#decoding?.resume()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#decoding?.close()
    await this.#spool.remove()
  }

  #decode(file: SpooledFile): void {
    // The file is gone before the samples have ended.
    const end = (): void => {
      this.#spool.remove().then(
        () => !this.#closed && this.#sink.end(),
        (error: unknown) => this.#sink.fail(error as SttError),
      )
    }
    this.#decoding = new FfmpegDecoding(file, this.#options, { ...this.#sink, end })
  }
}

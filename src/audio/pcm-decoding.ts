import { SttError } from '../errors.js'
import type { Callback, Decoding, DecodingSink } from './decoding.js'
import type { PcmHeader } from './pcm-reader.js'
import { PcmReader } from './pcm-reader.js'

/** Samples that need no decoder: those of the container pass as they stand. */
export class PcmDecoding implements Decoding {
  readonly #reader: PcmReader
  readonly #header: PcmHeader
  readonly #sink: DecodingSink
  /** A chunk's callback, kept until somebody reads. */
  #held: Callback | undefined

  /** @param header of the file whose first bytes will be written, header included */
  constructor(header: PcmHeader, sink: DecodingSink) {
    this.#reader = new PcmReader(() => header)
    this.#header = header
    this.#sink = sink
  }

  write(chunk: Buffer, callback: Callback): void {
    // None are given too: a file of no samples has a format all the same.
    if (this.#sink.samples(this.#reader.read(chunk), this.#header.format)) callback()
    else this.#held = callback
  }

  end(callback: Callback): void {
    const { missingBytes, missingHeaderBytes, pcmBytes } = this.#reader
    if (missingHeaderBytes > 0) {
      const { dataOffset } = this.#header
      const message = `the file ends ${missingHeaderBytes} bytes before its samples, which begin at ${dataOffset}`
      this.#fail(message, callback)
      return
    }
    const message = `the file ends ${missingBytes} bytes before its header says, after ${pcmBytes}`
    if (missingBytes > 0 && pcmBytes === 0) {
      this.#fail(message, callback)
      return
    }
    if (missingBytes > 0) this.#sink.warn({ code: 'STT_WARN_TRUNCATED', message })
    this.#sink.end()
    callback()
  }

  resume(): void {
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  close(): Promise<void> {
    this.resume()
    return Promise.resolve()
  }

  #fail(message: string, callback: Callback): void {
    this.#sink.fail(new SttError('STT_ERR_DECODE_TRUNCATED', message))
    callback()
  }
}

import type { SttError } from '../errors.js'
import type { PcmFormat } from './pcm-format.js'

/** Node's own kind of callback. */
export type Callback = (error?: Error | null) => void

/** Payload of the decoder's 'warning' event. */
export interface DecodeWarning {
  /**
   * `STT_WARN_TRUNCATED`: the file ends before its header says. `STT_WARN_FFMPEG`: ffmpeg complained, yet succeeded.
   * `STT_WARN_DAMAGED`: a decoder in process passed over damaged parts. `STT_WARN_BEYOND_END`: the audio ends before
   * `startMs`.
   */
  code: 'STT_WARN_TRUNCATED' | 'STT_WARN_FFMPEG' | 'STT_WARN_DAMAGED' | 'STT_WARN_BEYOND_END'
  message: string
}

/**
 * One way from the bytes of a file to its samples. Chunks are written one at a time, each after the callback of the
 * one before.
 */
export interface Decoding {
  /** Calls back once the chunk is on its way and the next may come. */
  write(chunk: Buffer, callback: Callback): void
  /** The input is complete. Calls back at once; the sink hears when the samples are. */
  end(callback: Callback): void
  /** The reader wants samples again. */
  resume(): void
  /**
   * Ends it in any state, at once; resolves when everything is released. A write that waits is called back, the sink
   * hears nothing more.
   */
  close(): Promise<void>
}

/** Who gets the samples. Of `end` and `fail` at most one is called, once and last. */
export interface DecodingSink {
  /** @returns false where the decoding must wait for `resume()` */
  samples(samples: Buffer, format: PcmFormat): boolean
  /** All samples have been given, and the decoding succeeded. */
  end(): void
  fail(error: SttError): void
  warn(warning: DecodeWarning): void
}

import { stat } from 'node:fs/promises'
import { addAbortSignal, Duplex, type Readable } from 'node:stream'
import { getSystemErrorMap } from 'node:util'
import { SttError } from '../errors.js'
import { checkDecodeOptions, type CheckedDecodeOptions, type DecodeOptions } from './decode-options.js'
import type { Callback, DecodingSink, DecodeWarning } from './decoding.js'
import { noSamples } from './empty-source.js'
import { fileBytes } from './file-bytes.js'
import { Inspector } from './inspect.js'
import type { InspectWarning } from './inspect-warning.js'
import type { DecodedSource } from './open-decoding.js'
import type { PcmFormat } from './pcm-format.js'
import { PcmWindow } from './pcm-window.js'
import { RoutedDecoding } from './routed-decoding.js'

export type { DecodeWarning } from './decoding.js'

export type { DecodedSource } from './open-decoding.js'

const BUFFER_BYTES = 64 * 1024
/**
 * A file is read in larger pieces: each costs a round trip to a thread, which would be half the time of a WAV. They go
 * on in pieces of `BUFFER_BYTES` all the same: what has gone on is heard, even where `cut()` leaves the rest unread.
 */
const FILE_CHUNK_BYTES = 1024 * 1024

/**
 * Bytes of any audio in, samples out, in the encoding, rate and channels that `format` tells. Uncompressed files and
 * declared raw audio are read in process and keep their encoding; mp3 and Opus in Ogg that are written to it
 * are decoded in process where their packages are installed; everything else goes through ffmpeg. What is decoded
 * comes as f32, FLAC of up to 16 bits as s16. The samples end only when the decoding has succeeded: ffmpeg's exit code is awaited.
 *
 * Errors: SttError with STT_ERR_DECODE or a code that begins with it, STT_ERR_UNSUPPORTED_AUDIO,
 * STT_ERR_UNEXPECTED_HEADER, STT_ERR_FFMPEG_NOT_FOUND, STT_ERR_FFMPEG_BUSY or STT_ERR_SPOOL_LIMIT; AbortError. Child
 * process, thread and temporary file are gone before 'end', and before any other 'close'.
 *
 * @fires format ({@link PcmFormat}) once, before the first chunk
 * @fires warning {code, message} for what is odd but not fatal; what inspection found has its `evidence` too
 * @fires windowEnd where `durationMs` ends before the source: nothing more of it is wanted
 */
export class Decoder extends Duplex {
  // A byte, written or read from the path, goes into `#decoding`; samples come back, pass the window and leave.

  readonly #options: CheckedDecodeOptions
  #file: Readable | undefined
  /** Undefined until there is something to read. */
  #decoding: RoutedDecoding | undefined
  #opensPath = false
  readonly #window: PcmWindow
  #inspector: Inspector | undefined
  #format: PcmFormat | undefined
  #source: DecodedSource | undefined
  /** Nothing more is wanted of the input. */
  #isCut = false
  #bytesOut = 0
  #started = false

  /** @throws TypeError for an unknown option or a wrong type, RangeError for a number out of range */
  constructor(options: DecodeOptions = {}) {
    const checked = checkDecodeOptions(options)
    super({
      // The writable side of a decoder that reads a file is idle, and ends with the readable one.
      allowHalfOpen: checked.path === undefined,
      readableHighWaterMark: BUFFER_BYTES,
      writableHighWaterMark: BUFFER_BYTES,
    })
    this.#options = checked
    this.#window = new PcmWindow(checked)
    const { signal } = checked
    // Not an option of super(): a signal aborted already would call _destroy before the fields exist.
    if (signal) addAbortSignal(signal, this)
  }

  /** What the chunks are made of. Undefined until the first chunk; empty input never has one. */
  get format(): PcmFormat | undefined {
    return this.#format
  }

  /** What the bytes are and who reads them. Undefined until the first bytes have told. */
  get source(): DecodedSource | undefined {
    return this.#source
  }

  /** Bytes of samples put out so far. */
  get bytesOut(): number {
    return this.#bytesOut
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#options.path !== undefined)
      callback(new TypeError('a decoder with the option path reads that file; nothing may be written to it'))
    else if (this.#isCut) callback()
    else this.#attempt(callback, () => (this.#decoding ??= this.#open(false)).write(chunk, callback))
  }

  override _final(callback: Callback): void {
    if (this.#options.path !== undefined || this.#isCut) callback()
    else this.#attempt(callback, () => (this.#decoding ??= this.#open(false)).end(callback))
  }

  override _read(): void {
    if (!this.#started) {
      this.#started = true
      if (this.#options.path !== undefined) void this.#readPath(this.#options.path)
    }
    this.#decoding?.resume()
  }

  /** Takes no further input; the output ends with what there is. What is written from now on is dropped. */
  cut(): void {
    if (this.#isCut || this.destroyed || this.readableEnded) return
    this.#isCut = true
    this.push(null)
    this.#file?.destroy()
    // Whether it can be ended is told when the decoder is destroyed, which ends it too.
    this.#decoding?.close().catch(() => {})
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#file?.destroy()
    const closed = this.#decoding?.close() ?? Promise.resolve()
    closed.then(
      () => callback(error),
      (failure: unknown) => callback(error ?? (failure as Error)),
    )
  }

  /** @param pathIsFile whether ffmpeg may open the option `path` */
  #open(pathIsFile: boolean): RoutedDecoding {
    return new RoutedDecoding(this.#options, pathIsFile, this.#sink(), opened => {
      this.#source = opened.source
      this.#opensPath = opened.opensPath
      this.#window.skip(opened.skippedMs)
    })
  }

  #sink(): DecodingSink {
    return {
      samples: (samples, format) => this.#deliver(samples, format),
      end: () => {
        if (this.destroyed || this.#isCut) return
        const { path, startMs } = this.#options
        if (path !== undefined && !startMs && this.#bytesOut === 0) {
          this.destroy(noSamples())
          return
        }
        this.#inspector?.end()
        this.#warnOfEmptyWindow()
        this.push(null)
      },
      fail: error => {
        if (!this.#isCut) this.destroy(error)
      },
      warn: warning => {
        if (!this.#isCut) this.#warn(warning)
      },
    }
  }

  /** @returns false where the decoding must wait for _read */
  #deliver(decoded: Buffer, format: PcmFormat): boolean {
    if (this.destroyed || this.#isCut) return true
    if (!this.#format) this.#begin(format)
    const samples = this.#window.take(decoded, format)
    this.#inspector?.look(samples)
    this.#bytesOut += samples.length
    const hasRoom = samples.length === 0 || this.push(samples)
    if (this.#window.isOver) {
      this.#inspector?.end()
      this.emit('windowEnd')
      this.cut()
    }
    // Nobody will ask for more of what is cut.
    return hasRoom || this.#isCut
  }

  #warnOfEmptyWindow(): void {
    const { startMs } = this.#options
    if (this.#bytesOut > 0 || !startMs) return
    this.#warn({
      code: 'STT_WARN_BEYOND_END',
      message: `nothing is heard: the audio ends before startMs, ${startMs} ms`,
    })
  }

  #begin(format: PcmFormat): void {
    this.#format = format
    if (this.#options.inspect) {
      const isDeclared = this.#options.input !== undefined
      this.#inspector = new Inspector(format, warning => this.#warn(warning), isDeclared)
    }
    this.emit('format', format)
  }

  #warn(warning: DecodeWarning | InspectWarning): void {
    this.emit('warning', warning)
  }

  /** Reads `path` as if it were written, up to where ffmpeg opens it itself. */
  async #readPath(path: string): Promise<void> {
    try {
      const isFile = (await stat(path)).isFile()
      if (this.destroyed || this.#isCut) return
      const decoding = (this.#decoding = this.#open(isFile))
      this.#file = fileBytes(path, FILE_CHUNK_BYTES)
      for await (const chunk of this.#file as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length; at += BUFFER_BYTES) {
          await this.#step(callback => decoding.write(chunk.subarray(at, at + BUFFER_BYTES), callback))
          if (this.#opensPath) return
        }
      }
      await this.#step(callback => decoding.end(callback))
    } catch (cause) {
      if (this.#isCut) return
      this.destroy(cause instanceof SttError ? cause : unreadable(path, cause))
    }
  }

  #step(action: (callback: Callback) => void): Promise<void> {
    return new Promise((done, fail) => {
      const callback: Callback = error => (error ? fail(error) : done())
      this.#attempt(callback, () => action(callback))
    })
  }

  /** What throws goes the way of every error; what comes after the end of the stream does nothing. */
  #attempt(callback: Callback, action: () => void): void {
    if (this.destroyed || this.#isCut) return
    try {
      action()
    } catch (error) {
      callback(error as Error)
    }
  }
}

/** Makes a Decoder, see there. */
export function decode(options: DecodeOptions = {}): Decoder {
  return new Decoder(options)
}

function unreadable(path: string, cause: unknown): SttError {
  const { errno, code, message } = cause as NodeJS.ErrnoException
  // Node's own message names the path and the system's call too.
  const [, meaning] = getSystemErrorMap().get(errno ?? 0) ?? []
  const why = meaning === undefined ? message : `${meaning} (${code})`
  return new SttError('STT_ERR_DECODE', `${path} cannot be read: ${why}`, { cause })
}

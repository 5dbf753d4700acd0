import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { addAbortSignal, Duplex } from 'node:stream'
import { SttError } from '../errors.js'
import { checkDecodeOptions, type CheckedDecodeOptions, type DecodeOptions } from './decode-options.js'
import { chooseRoute, type Route } from './decode-route.js'
import { findFfmpeg } from './ffmpeg-find.js'
import { Ffmpeg, type FfmpegRun } from './ffmpeg.js'
import { Head } from './head.js'
import type { PcmFormat } from './pcm-format.js'
import { PcmReader } from './pcm-reader.js'
import { Spool } from './spool.js'
import { readWavHeader } from './wav.js'

/** Payload of the decoder's 'warning' event. */
export interface DecodeWarning {
  /** `STT_WARN_TRUNCATED`: the file ends before its header says. `STT_WARN_FFMPEG`: ffmpeg complained, yet succeeded. */
  code: 'STT_WARN_TRUNCATED' | 'STT_WARN_FFMPEG'
  message: string
}

type Callback = (error?: Error | null) => void

const BUFFER_BYTES = 64 * 1024

/**
 * Bytes of any audio in, samples out, in the encoding, rate and channels that `format` tells. WAV, AU and declared
 * raw audio are read in process and keep their encoding; everything else goes through ffmpeg and comes as f32le.
 * The samples end only when the decoding has succeeded: ffmpeg's exit code is awaited.
 *
 * Errors: SttError with STT_ERR_DECODE, STT_ERR_UNSUPPORTED_AUDIO, STT_ERR_FFMPEG_NOT_FOUND or STT_ERR_SPOOL_LIMIT;
 * AbortError. The child process and the temporary file are gone before 'end', and before any other 'close'.
 *
 * @fires format ({@link PcmFormat}) once, before the first chunk
 * @fires warning {code, message} for what is odd but not fatal
 */
export class Decoder extends Duplex {
  // The way of a byte: written or read from the path, then [temporary file], then [ffmpeg], then the PcmReader, then
  // out. The bracketed stages are there only where `chooseRoute` asks for them.

  readonly #options: CheckedDecodeOptions
  readonly #head = new Head()
  #file: ReadStream | undefined
  /** Whether ffmpeg may open `path` itself: a pipe or device can be read only once, and that has begun. */
  #pathIsFile = false
  #spool: Spool | undefined
  #ffmpeg: Ffmpeg | undefined
  #reader: PcmReader | undefined
  #format: PcmFormat | undefined
  #isCut = false
  #bytesOut = 0
  #started = false
  /** A chunk's callback, kept until somebody reads. */
  #held: Callback | undefined

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
    const { input, signal } = checked
    if (input) this.#reader = new PcmReader(() => ({ format: input, dataOffset: 0, dataBytes: Infinity }))
    // Not an option of super(): a signal aborted already would call _destroy before the fields exist.
    if (signal) addAbortSignal(signal, this)
  }

  /** What the chunks are made of. Undefined until the first chunk; empty input never has one. */
  get format(): PcmFormat | undefined {
    return this.#format
  }

  /** Bytes of samples put out so far. */
  get bytesOut(): number {
    return this.#bytesOut
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (this.#options.path === undefined) this.#attempt(callback, () => this.#take(chunk, callback))
    else
      callback(new TypeError('a decoder with the option path reads that file; nothing may be written to it'))
  }

  override _final(callback: Callback): void {
    if (this.#options.path === undefined) this.#attempt(callback, () => this.#finish(callback))
    else callback()
  }

  override _read(): void {
    if (!this.#started) {
      this.#started = true
      if (this.#options.path !== undefined) void this.#readPath(this.#options.path)
    }
    this.#ffmpeg?.resume()
    const held = this.#held
    this.#held = undefined
    held?.()
  }

  /** With `path`: reads no further; the output ends with what there is. */
  cut(): void {
    if (this.#isCut || this.destroyed || this.readableEnded) return
    this.#isCut = true
    this.#held = undefined
    this.push(null)
    this.#file?.destroy()
    // Whether it can be killed is told when the decoder is destroyed, which kills it too.
    this.#ffmpeg?.kill().catch(() => {})
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#held = undefined
    this.#file?.destroy()
    this.#release().then(
      () => callback(error),
      (failure: unknown) => callback(error ?? (failure as Error)),
    )
  }

  async #release(): Promise<void> {
    await this.#ffmpeg?.kill()
    await this.#spool?.remove()
  }

  /** Calls back once the chunk is on its way and the next may come. */
  #take(chunk: Buffer, callback: Callback): void {
    if (chunk.length === 0) callback()
    else if (this.#ffmpeg) this.#ffmpeg.write(chunk, callback)
    else if (this.#spool) this.#spool.write(chunk).then(() => callback(), callback)
    else if (this.#reader) {
      if (this.#deliver(this.#reader, chunk)) callback()
      else this.#held = callback
    } else {
      this.#head.append(chunk)
      const route = chooseRoute(this.#head.bytes, false)
      if (route) this.#set(route, callback)
      else callback()
    }
  }

  /** The input is complete. */
  #finish(callback: Callback): void {
    if (this.#ffmpeg) {
      this.#ffmpeg.end()
      callback()
    } else if (this.#spool) {
      const spooled = (path: string) =>
        this.#attempt(callback, () => {
          this.#startFfmpeg({ path })
          callback()
        })
      this.#spool.finish().then(spooled, callback)
    } else if (this.#reader) {
      this.#warnOfMissing(this.#reader)
      this.push(null)
      callback()
    } else {
      const head = this.#head.bytes
      const route = head.length > 0 ? chooseRoute(head, true) : undefined
      if (route) {
        this.#set(route, error => (error ? callback(error) : this.#finish(callback)))
      } else {
        this.push(null)
        callback()
      }
    }
  }

  /** Builds the way that was chosen and sends the held bytes along it. */
  #set(route: Route, callback: Callback): void {
    const head = this.#head.bytes
    this.#head.clear()
    if (route.kind === 'pcm') {
      this.#reader = new PcmReader(() => route.header)
    } else if (this.#pathIsFile) {
      this.#startFfmpeg({ ...route, path: this.#options.path })
      callback()
      return
    } else if (route.kind === 'ffmpeg') {
      this.#startFfmpeg(route)
    } else {
      this.#spool = new Spool(this.#options.spoolLimitBytes)
    }
    this.#take(head, callback)
  }

  #startFfmpeg({ path, briefAnalysis }: Pick<FfmpegRun, 'path' | 'briefAnalysis'>): void {
    const reader = new PcmReader(readWavHeader)
    const child = new Ffmpeg({
      command: findFfmpeg(this.#options.ffmpegPath),
      path: path && resolve(path),
      briefAnalysis,
      stallTimeoutMs: this.#options.ffmpegStallTimeoutMs,
      onOutput: wav =>
        this.#attempt(
          error => error && this.destroy(error),
          () => {
            if (!this.#deliver(reader, wav)) child.pause()
          },
        ),
      onExit: stderr => void this.#onFfmpegExit(reader, stderr),
      onError: error => this.destroy(error),
    })
    this.#reader = reader
    this.#ffmpeg = child
  }

  async #onFfmpegExit(reader: PcmReader, stderr: string): Promise<void> {
    try {
      await this.#spool?.remove()
    } catch (error) {
      this.destroy(error as Error)
    }
    if (this.destroyed || this.#isCut) return
    if (reader.pcmBytes === 0) {
      const why = stderr || 'it gave no reason'
      this.destroy(new SttError('STT_ERR_DECODE', `ffmpeg found no audio (exit code 0): ${why}`))
      return
    }
    if (stderr)
      this.#warn({ code: 'STT_WARN_FFMPEG', message: `ffmpeg complained, yet succeeded: ${stderr}` })
    this.push(null)
  }

  /** @returns false where the caller must wait for _read */
  #deliver(reader: PcmReader, chunk: Buffer): boolean {
    const samples = reader.read(chunk)
    if (reader.format && !this.#format) {
      this.#format = reader.format
      this.emit('format', this.#format)
    }
    this.#bytesOut += samples.length
    return samples.length === 0 || this.destroyed || this.push(samples)
  }

  #warnOfMissing(reader: PcmReader): void {
    if (reader.missingBytes === 0) return
    const message = `the file ends ${reader.missingBytes} bytes before its header says, after ${reader.pcmBytes}`
    this.#warn({ code: 'STT_WARN_TRUNCATED', message })
  }

  #warn(warning: DecodeWarning): void {
    this.emit('warning', warning)
  }

  /** Reads `path` as if it were written, up to where ffmpeg opens it itself. */
  async #readPath(path: string): Promise<void> {
    try {
      this.#pathIsFile = (await stat(path)).isFile()
      if (this.destroyed || this.#isCut) return
      this.#file = createReadStream(path, { highWaterMark: BUFFER_BYTES })
      for await (const chunk of this.#file) {
        await this.#step(callback => this.#take(chunk as Buffer, callback))
        if (this.#ffmpeg && this.#pathIsFile) return
      }
      await this.#step(callback => this.#finish(callback))
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
  const why = cause instanceof Error ? cause.message : String(cause)
  return new SttError('STT_ERR_DECODE', `cannot read ${path}: ${why}`, { cause })
}

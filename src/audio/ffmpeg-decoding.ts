import { resolve } from 'node:path'
import type { SttError } from '../errors.js'
import type { Callback, Decoding, DecodingSink } from './decoding.js'
import type { CheckedDecodeOptions } from './decode-options.js'
import { findFfmpeg } from './ffmpeg-find.js'
import { ffmpegFailure, ffmpegWarning } from './ffmpeg-failure.js'
import { Ffmpeg, type FfmpegRun } from './ffmpeg.js'
import { PcmReader } from './pcm-reader.js'
import { readWavHeader } from './wav.js'

/** What a run of ffmpeg needs to know beyond the options. */
export type FfmpegSource = Pick<FfmpegRun, 'path' | 'file' | 'analysisMs' | 'seekMs' | 'encoding'>

/** Through a child process of ffmpeg, which makes a WAV file of whatever it is. */
export class FfmpegDecoding implements Decoding {
  readonly #sink: DecodingSink
  readonly #reader = new PcmReader(readWavHeader)
  readonly #child: Ffmpeg
  /** Where it begins somewhere in the file, it may begin behind its end. */
  readonly #mayBeEmpty: boolean
  #closed = false

  /** @throws SttError STT_ERR_FFMPEG_NOT_FOUND */
  constructor(source: FfmpegSource, options: CheckedDecodeOptions, sink: DecodingSink) {
    this.#sink = sink
    this.#mayBeEmpty = source.seekMs !== undefined
    this.#child = new Ffmpeg({
      ...source,
      ...(source.path !== undefined && { path: resolve(source.path) }),
      command: findFfmpeg(options.ffmpegPath),
      track: options.track,
      stallTimeoutMs: options.ffmpegStallTimeoutMs,
      niceness: options.ffmpegNiceness,
      limiter: options.ffmpegLimiter,
      onOutput: wav => this.#deliver(wav),
      onExit: () => this.#onExit(),
      onError: error => this.#sink.fail(error),
    })
  }

  write(chunk: Buffer, callback: Callback): void {
    this.#child.write(chunk, callback)
  }

  end(callback: Callback): void {
    this.#child.end()
    callback()
  }

  resume(): void {
    this.#child.resume()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#child.kill()
  }

  #deliver(wav: Buffer): void {
    if (this.#closed) return
    try {
      const samples = this.#reader.read(wav)
      const { format } = this.#reader
      if (format && samples.length > 0 && !this.#sink.samples(samples, format)) this.#child.pause()
    } catch (error) {
      this.#sink.fail(error as SttError)
    }
  }

  #onExit(): void {
    if (this.#closed) return
    const { said } = this.#child
    if (this.#reader.pcmBytes === 0 && !this.#mayBeEmpty) {
      this.#sink.fail(ffmpegFailure(said, { code: 0 }))
      return
    }
    const warning = ffmpegWarning(said)
    if (warning) this.#sink.warn(warning)
    this.#sink.end()
  }
}

import { addAbortSignal, Transform, type TransformCallback } from 'node:stream'
import { SttError } from '../errors.js'
import { createResampler, nativeLoadError } from '../native.js'
import { checkChannelMix, gainsOf, type ChannelMixOptions } from './channel-mix.js'
import { blockAlign, checkPcmFormat, type PcmFormat } from './pcm-format.js'
import { outputsReadyAfter, resamplerGeometry } from './portable/resampler-geometry.js'
import type { PcmResampler } from './portable/pcm-resampler.js'
import { checkResamplerQuality, type ResamplerQuality } from './resampler-quality.js'

/** Options of {@link resample}. */
export interface ResampleOptions extends ChannelMixOptions {
  /** What the input holds, or whoever will know it before the first chunk: `decode()`'s stream, for one. */
  format: PcmFormat | { readonly format?: PcmFormat | undefined }
  /** What the filter keeps and costs: see {@link ResamplerQuality}. Default `'high'`. */
  quality?: ResamplerQuality | undefined
  /** Destroys the stream with an AbortError. */
  signal?: AbortSignal | undefined
}

/** Something that a listener should hear of and that does not end the stream. */
export interface ResampleWarning {
  readonly code: 'STT_WARN_PORTABLE' | 'STT_WARN_TORN_SAMPLE' | 'STT_WARN_NON_FINITE'
  readonly message: string
}

/** The most input handed to the resampler at once, in seconds and in bytes: bounds one output chunk. */
const SLICE_SECONDS = 0.5
const SLICE_BYTES = 65_536

const BYTES_PER_OUTPUT = 2

/**
 * Turns interleaved PCM of any format into 16 kHz mono LINEAR16, byte for byte the same however the input is
 * split. Output sample j stands at t = j / 16000 s, input sample i at t = i / rate: the filter's delay is taken
 * out at the start and made up at the end, n samples become ceil(n * 16000 / rate). Channels are averaged
 * unless `channels` or `mix` says otherwise; {@link splitChannels} keeps them apart.
 *
 * @throws TypeError or RangeError for a declared format out of range, and for a mix that does not fit it; the
 * stream fails with STT_ERR_UNSUPPORTED_AUDIO where the format is known only at the first chunk
 */
export function resample(options: ResampleOptions): Resampler {
  return new Resampler(options)
}

/** What is known once the format is. */
interface Opened {
  readonly resampler: PcmResampler
  readonly blockAlign: number
  readonly sliceBytes: number
  /** Room for the one block that a chunk tore apart. */
  readonly torn: Buffer
}

/** The rest of a chunk that waits until the readable side has room. */
interface Pending {
  readonly bytes: Buffer
  readonly done: TransformCallback
}

/**
 * The stream of {@link resample}. Emits `warning` ({@link ResampleWarning}) where the portable resampler runs
 * although the addon was wanted, where the input holds samples that are no numbers, and where it ends inside a
 * sample.
 */
export class Resampler extends Transform {
  // A chunk goes to the resampler slice by slice; when the readable side is full, what is left of the chunk waits in
  // `#pending` for the next `_read`, and the chunk's callback with it. Bytes of a block that a chunk tore apart
  // wait in `torn`.
  readonly #format: ResampleOptions['format']
  readonly #mix: ChannelMixOptions
  readonly #quality: ResamplerQuality
  #opened: Opened | undefined
  #pending: Pending | undefined
  #tornBytes = 0
  #samplesOut = 0
  #warnedOfNonFinite = false

  constructor({ format, channels, mix, quality = 'high', signal }: ResampleOptions) {
    const given: unknown = format
    if (typeof given !== 'object' || given === null) {
      throw new TypeError(`format must be a PcmFormat or an object with a format; got ${String(given)}`)
    }
    checkChannelMix({ channels, mix })
    checkResamplerQuality(quality)
    if ('encoding' in format) checkKnown(format, { channels, mix })
    super()
    this.#format = format
    this.#mix = { channels, mix }
    this.#quality = quality
    // Not through super(): a signal aborted already would call _destroy before the private fields exist.
    if (signal) addAbortSignal(signal, this)
  }

  /** Output samples pushed so far. */
  get samplesOut(): number {
    return this.#samplesOut
  }

  /** Input samples that were NaN or infinite and were read as silence. */
  get nonFiniteSamples(): number {
    return this.#opened?.resampler.nonFinite ?? 0
  }

  /**
   * What `samplesOut` is once `inputBytes` bytes in all have been taken and before the end: the filter holds
   * back outputs whose surroundings have not come yet. A pure function of the format; needs it to be known
   * for anything but 0.
   * @throws RangeError for anything but a count of bytes, SttError where the format is unknown
   */
  samplesAvailableAfter(inputBytes: number): number {
    if (!Number.isSafeInteger(inputBytes) || inputBytes < 0) {
      throw new RangeError(`inputBytes must be a non-negative integer; got ${inputBytes}`)
    }
    if (inputBytes === 0) return 0
    const format = this.#knownFormat()
    const geometry = resamplerGeometry(format.sampleRateHertz, this.#quality)
    return outputsReadyAfter(geometry, Math.floor(inputBytes / blockAlign(format)))
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      const opened = (this.#opened ??= this.#open())
      const rest = chunk.subarray(this.#mend(chunk, opened))
      const whole = rest.length - (rest.length % opened.blockAlign)
      if (whole < rest.length) this.#tornBytes = rest.copy(opened.torn, 0, whole)
      this.#pending = { bytes: rest.subarray(0, whole), done }
    } catch (error) {
      done(error as Error)
      return
    }
    this.#advance()
  }

  override _read(size: number): void {
    if (this.#pending) this.#advance()
    else super._read(size)
  }

  override _flush(done: TransformCallback): void {
    if (this.#opened) {
      const { resampler, blockAlign: block } = this.#opened
      if (this.#tornBytes > 0) {
        const what = `${this.#tornBytes} of a sample's ${block} bytes`
        this.#warn('STT_WARN_TORN_SAMPLE', `the input ended inside a sample: its last ${what} were dropped`)
      }
      const output = Buffer.allocUnsafe(resampler.maxFlush * BYTES_PER_OUTPUT)
      this.#deliver(output, resampler.flush(output))
    }
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#pending = undefined
    done(error)
  }

  #knownFormat(): PcmFormat {
    if ('encoding' in this.#format) return this.#format
    const { format } = this.#format
    if (!format) {
      const expected = '{encoding, sampleRateHertz, channels} before the first chunk'
      throw new SttError(
        'STT_ERR_UNSUPPORTED_AUDIO',
        `the format of the audio is unknown: expected ${expected}`,
      )
    }
    try {
      checkKnown(format, this.#mix)
    } catch (cause) {
      throw new SttError('STT_ERR_UNSUPPORTED_AUDIO', (cause as Error).message, { cause })
    }
    return format
  }

  #open(): Opened {
    const format = this.#knownFormat()
    const resampler = createResampler(format, {
      mix: gainsOf(this.#mix, format.channels),
      quality: this.#quality,
    })
    const loadError = nativeLoadError()
    if (loadError) {
      this.#warn('STT_WARN_PORTABLE', `resampling in TypeScript, which is slower: ${loadError.message}`)
    }
    const block = blockAlign(format)
    const blocks = Math.min(
      Math.ceil(SLICE_SECONDS * format.sampleRateHertz),
      Math.floor(SLICE_BYTES / block),
    )
    return { resampler, blockAlign: block, sliceBytes: blocks * block, torn: Buffer.alloc(block) }
  }

  /** Completes the torn block with the first bytes of `chunk`; returns how many it took. */
  #mend(chunk: Buffer, opened: Opened): number {
    const { torn } = opened
    if (this.#tornBytes === 0) return 0
    const taken = chunk.copy(torn, this.#tornBytes)
    this.#tornBytes += taken
    if (this.#tornBytes === torn.length) {
      this.#tornBytes = 0
      this.#process(opened, torn)
    }
    return taken
  }

  #advance(): void {
    while (this.#pending && this.#opened) {
      const { bytes, done } = this.#pending
      const slice = bytes.subarray(0, this.#opened.sliceBytes)
      const isLast = slice.length === bytes.length
      // Before the push, since whoever is handed the data may read again and so come back here.
      this.#pending = isLast ? undefined : { bytes: bytes.subarray(slice.length), done }
      const roomLeft = slice.length === 0 || this.#process(this.#opened, slice)
      if (isLast) {
        done()
        return
      }
      if (!roomLeft) return
    }
  }

  /** Returns whether the readable side takes more. */
  #process({ resampler }: Opened, blocks: Buffer): boolean {
    const output = Buffer.allocUnsafe(resampler.maxOutput(blocks.length) * BYTES_PER_OUTPUT)
    const roomLeft = this.#deliver(output, resampler.process(blocks, output))
    if (!this.#warnedOfNonFinite && resampler.nonFinite > 0) {
      this.#warnedOfNonFinite = true
      this.#warn('STT_WARN_NON_FINITE', 'the input holds NaN or infinite samples; they are read as silence')
    }
    return roomLeft
  }

  #deliver(output: Buffer, samples: number): boolean {
    if (samples === 0) return true
    this.#samplesOut += samples
    return this.push(output.subarray(0, samples * BYTES_PER_OUTPUT))
  }

  #warn(code: ResampleWarning['code'], message: string): void {
    this.emit('warning', { code, message } satisfies ResampleWarning)
  }
}

/** @throws TypeError, RangeError */
function checkKnown(format: PcmFormat, mix: ChannelMixOptions): void {
  checkPcmFormat(format, 'format')
  gainsOf(mix, format.channels)
}

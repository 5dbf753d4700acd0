import { ALAW, MULAW } from '../g711.js'
import type { PcmEncoding, PcmFormat } from '../pcm-format.js'
import { bytesPerSample } from '../pcm-format.js'

type SampleReader = (view: DataView, offset: number) => number

/** 2^20 times full scale: a broken encoder's larger values would drown their neighbours in the filter's sums. */
const MAX_MAGNITUDE = 32_768 * 2 ** 20

/** In LINEAR16 steps; the floating-point encodings, whose full scale is 1, are scaled by `#limit`. */
const SAMPLE_READERS: Record<PcmEncoding, SampleReader> = {
  u8: (view, at) => (view.getUint8(at) - 128) * 256,
  s8: (view, at) => view.getInt8(at) * 256,
  s16le: (view, at) => view.getInt16(at, true),
  s16be: (view, at) => view.getInt16(at, false),
  s24le: (view, at) => view.getInt8(at + 2) * 256 + view.getUint16(at, true) / 256,
  s24be: (view, at) => view.getInt8(at) * 256 + view.getUint16(at + 1, false) / 256,
  s32le: (view, at) => view.getInt32(at, true) / 65_536,
  s32be: (view, at) => view.getInt32(at, false) / 65_536,
  f32le: (view, at) => view.getFloat32(at, true),
  f32be: (view, at) => view.getFloat32(at, false),
  f64le: (view, at) => view.getFloat64(at, true),
  f64be: (view, at) => view.getFloat64(at, false),
  mulaw: (view, at) => MULAW[view.getUint8(at)] ?? 0,
  alaw: (view, at) => ALAW[view.getUint8(at)] ?? 0,
}

/**
 * Reads interleaved blocks as one channel, in units of one LINEAR16 step (full scale is 32768). NaN and
 * infinities read as 0 and are counted. Twin of native/resampler/pcm_downmix.cc.
 */
export class PcmDownmix {
  readonly blockAlign: number
  /** Of the channels that are mixed, where their samples lie in the block, in bytes. */
  readonly #offsets: readonly number[]
  readonly #gains: Float32Array
  readonly #divisor: number
  readonly #readSample: SampleReader
  #nonFinite = 0

  /** `gains`: one for each channel; without them the mean of all. A channel with gain 0 is not read at all. */
  constructor({ encoding, channels }: PcmFormat, gains: Float32Array = equal(channels)) {
    const sampleBytes = bytesPerSample(encoding)
    const readSample = SAMPLE_READERS[encoding]
    this.#readSample = encoding.startsWith('f') ? (view, at) => this.#limit(readSample(view, at)) : readSample
    this.blockAlign = sampleBytes * channels

    this.#offsets = [...gains.keys()].filter(channel => gains[channel] !== 0).map(at => at * sampleBytes)
    this.#gains = gains.filter(gain => gain !== 0)
    // 1 / n for n channels is a mean: dividing the sum keeps means of integers exact where they can be.
    const share = Math.fround(1 / this.#gains.length)
    const isMean = this.#gains.every(gain => gain === share)
    this.#divisor = isMean ? Math.max(this.#gains.length, 1) : 1
    if (isMean) this.#gains.fill(1)
  }

  /** NaN and infinite samples read as 0 so far. */
  get nonFinite(): number {
    return this.#nonFinite
  }

  /** Fills `output` with the blocks of `input` from byte `offset` on. */
  read(input: DataView, offset: number, output: Float32Array): void {
    const readSample = this.#readSample
    const offsets = this.#offsets
    const gains = this.#gains
    const divisor = this.#divisor
    for (let i = 0; i < output.length; i++, offset += this.blockAlign) {
      let sum = 0
      for (let k = 0; k < offsets.length; k++) sum += gains[k]! * readSample(input, offset + offsets[k]!)
      output[i] = sum / divisor
    }
  }

  #limit(sample: number): number {
    if (Number.isFinite(sample)) return Math.min(Math.max(sample * 32_768, -MAX_MAGNITUDE), MAX_MAGNITUDE)
    this.#nonFinite++
    return 0
  }
}

function equal(channels: number): Float32Array {
  return new Float32Array(channels).fill(1 / channels)
}

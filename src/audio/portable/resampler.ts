import type { PcmFormat } from '../pcm-format.js'
import { HalfBandDecimator, SLICE_SAMPLES } from './half-band.js'
import { PcmDownmix } from './pcm-downmix.js'
import { Polyphase } from './polyphase.js'
import { filterTable, type FilterTable } from './resampler-filter.js'
import { maxHeldOutputs, maxOutputsOf, outputsOf } from './resampler-geometry.js'
import { checkFlush, checkProcess, type PcmResampler, type PcmResamplerOptions } from './pcm-resampler.js'

/** Samples of silence at the end, at once. */
const FLUSH_SAMPLES = 256

/**
 * The TypeScript twin of native/resampler: the same taps on the same grid, so the same samples within one
 * LINEAR16 step. Sums are kept in double, the taps and what passes between stages in float32.
 */
export class PortableResampler implements PcmResampler {
  readonly #table: FilterTable
  readonly #downmix: PcmDownmix
  readonly #halfBands: readonly HalfBandDecimator[]
  readonly #polyphase: Polyphase
  readonly #samples = new Float32Array(SLICE_SAMPLES)
  #blocksIn = 0
  #samplesOut = 0

  constructor(format: PcmFormat, { quality = 'high', mix }: PcmResamplerOptions = {}) {
    this.#table = filterTable(format.sampleRateHertz, quality)
    this.#downmix = new PcmDownmix(format, mix)
    this.#halfBands = this.#table.halfBands.map(design => new HalfBandDecimator(design))
    this.#polyphase = new Polyphase(this.#table)
  }

  get nonFinite(): number {
    return this.#downmix.nonFinite
  }

  get maxFlush(): number {
    return maxHeldOutputs(this.#table)
  }

  maxOutput(bytes: number): number {
    return maxOutputsOf(this.#table, Math.floor(bytes / this.#downmix.blockAlign))
  }

  process(input: Uint8Array, output: Uint8Array): number {
    const { blockAlign } = this.#downmix
    checkProcess(this, blockAlign, input, output)
    const view = viewOf(input)
    const writer = new Linear16Writer(output)
    const blocks = input.length / blockAlign
    for (let done = 0; done < blocks; done += SLICE_SAMPLES) {
      const slice = this.#samples.subarray(0, Math.min(SLICE_SAMPLES, blocks - done))
      this.#downmix.read(view, done * blockAlign, slice)
      this.#filter(slice, writer.write)
    }
    this.#blocksIn += blocks
    this.#samplesOut += writer.written
    return writer.written
  }

  flush(output: Uint8Array): number {
    checkFlush(this, output)
    const due = outputsOf(this.#table, this.#blocksIn) - this.#samplesOut
    const writer = new Linear16Writer(output.subarray(0, due * 2))
    const silence = this.#samples.subarray(0, FLUSH_SAMPLES).fill(0)
    while (writer.written < due) this.#filter(silence, writer.write)
    this.#reset()
    return due
  }

  #filter(samples: Float32Array, write: (value: number) => void): void {
    for (const halfBand of this.#halfBands) samples = halfBand.process(samples)
    this.#polyphase.process(samples, write)
  }

  #reset(): void {
    for (const halfBand of this.#halfBands) halfBand.reset()
    this.#polyphase.reset()
    this.#blocksIn = 0
    this.#samplesOut = 0
  }
}

/** Adding and taking away 1.5 * 2^52 leaves no room for a fraction: rounds to nearest, halfway to even. */
const ROUNDING = 1.5 * 2 ** 52

/** Writes samples one after the other; those beyond the output's end are dropped. */
class Linear16Writer {
  readonly #view: DataView
  readonly #capacity: number
  written = 0

  constructor(output: Uint8Array) {
    this.#view = viewOf(output)
    this.#capacity = Math.floor(output.length / 2)
  }

  readonly write = (value: number): void => {
    if (this.written === this.#capacity) return
    const clamped = Math.min(Math.max(value, -32_768), 32_767)
    this.#view.setInt16(2 * this.written, clamped + ROUNDING - ROUNDING, true)
    this.written++
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

import type { PcmFormat } from '../pcm-format.js'
import { PcmDownmix } from './pcm-downmix.js'
import { filterTable, outputsOf, type FilterTable } from './resampler-filter.js'
import {
  checkFlush,
  checkProcess,
  type ResamplerKernel,
  type ResamplerKernelOptions,
} from './resampler-kernel.js'

/** Input samples taken between two looks at the outputs, beyond the filter's own span. */
const SLICE_SAMPLES = 2048

/**
 * The TypeScript twin of native/resampler: the same taps on the same grid, so the same samples within one
 * LINEAR16 step. Sums are kept in double, the taps and the samples in float32.
 *
 * The samples that outputs still to come need lie in the window; `#index` and `#phase` say where the next
 * output's taps begin. Only when the window is full does what remains move to its front.
 */
export class PortableResampler implements ResamplerKernel {
  readonly #table: FilterTable
  readonly #downmix: PcmDownmix
  readonly #window: Float32Array
  #filled = 0
  #index = 0
  #phase = 0

  constructor(format: PcmFormat, { mix }: ResamplerKernelOptions = {}) {
    this.#table = filterTable(format.sampleRateHertz)
    this.#downmix = new PcmDownmix(format, mix)
    this.#window = new Float32Array(this.#table.taps + SLICE_SAMPLES)
    this.#reset()
  }

  get nonFinite(): number {
    return this.#downmix.nonFinite
  }

  get maxFlush(): number {
    return outputsOf(this.#table, this.#table.taps / 2)
  }

  maxOutput(bytes: number): number {
    return outputsOf(this.#table, Math.floor(bytes / this.#downmix.blockAlign))
  }

  process(input: Uint8Array, output: Uint8Array): number {
    const { blockAlign } = this.#downmix
    checkProcess(this, blockAlign, input, output)
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
    return this.#fill(input.length / blockAlign, viewOf(output), (slice, done) =>
      this.#downmix.read(view, done * blockAlign, slice),
    )
  }

  flush(output: Uint8Array): number {
    checkFlush(this, output)
    const written = this.#fill(this.#table.taps / 2, viewOf(output), slice => slice.fill(0))
    this.#reset()
    return written
  }

  #reset(): void {
    this.#index = 0
    this.#phase = 0
    // Silence before the first sample, as much as the first output's taps reach back.
    this.#filled = Math.max(0, this.#table.taps / 2 - 1)
    this.#window.fill(0, 0, this.#filled)
  }

  /** Takes `count` samples, slice by slice, and writes the outputs that each slice completes. */
  #fill(count: number, output: DataView, read: (slice: Float32Array, done: number) => void): number {
    const window = this.#window
    let written = 0
    for (let done = 0; done < count;) {
      if (this.#filled === window.length) {
        window.copyWithin(0, this.#index)
        this.#filled -= this.#index
        this.#index = 0
      }
      const taken = Math.min(count - done, window.length - this.#filled)
      read(window.subarray(this.#filled, this.#filled + taken), done)
      this.#filled += taken
      done += taken
      written += this.#table.taps === 0 ? this.#pass(output, written) : this.#drain(output, written)
    }
    return written
  }

  #pass(output: DataView, written: number): number {
    const count = this.#filled
    for (let i = 0; i < count; i++) writeLinear16(output, written + i, this.#window[i] ?? 0)
    this.#filled = 0
    return count
  }

  /** Writes every output whose taps lie within the window. */
  #drain(output: DataView, written: number): number {
    const { up, down, taps, interpolatedRows, rows } = this.#table
    const wholeStep = Math.floor(down / up)
    const phaseStep = down % up
    const window = this.#window
    let count = 0
    while (this.#index + taps <= this.#filled) {
      let value: number
      if (interpolatedRows === 0) {
        value = dot(rows, this.#phase * taps, window, this.#index, taps)
      } else {
        const scaled = this.#phase * interpolatedRows
        const weight = (scaled % up) / up
        const row = ((scaled - (scaled % up)) / up) * taps
        const before = dot(rows, row, window, this.#index, taps)
        const after = dot(rows, row + taps, window, this.#index, taps)
        value = before + weight * (after - before)
      }
      writeLinear16(output, written + count, value)
      count++
      this.#phase += phaseStep
      this.#index += wholeStep
      if (this.#phase >= up) {
        this.#phase -= up
        this.#index++
      }
    }
    return count
  }
}

/** Four sums in flight: one would wait for each addition to finish. `count` is a multiple of four. */
function dot(rows: Float32Array, row: number, window: Float32Array, index: number, count: number): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let k = 0; k < count; k += 4) {
    a += rows[row + k]! * window[index + k]!
    b += rows[row + k + 1]! * window[index + k + 1]!
    c += rows[row + k + 2]! * window[index + k + 2]!
    d += rows[row + k + 3]! * window[index + k + 3]!
  }
  return a + b + (c + d)
}

/** Adding and taking away 1.5 * 2^52 leaves no room for a fraction: rounds to nearest, halfway to even. */
const ROUNDING = 1.5 * 2 ** 52

function writeLinear16(output: DataView, index: number, value: number): void {
  const clamped = Math.min(Math.max(value, -32_768), 32_767)
  output.setInt16(2 * index, clamped + ROUNDING - ROUNDING, true)
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

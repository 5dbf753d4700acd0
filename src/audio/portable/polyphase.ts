import { SLICE_SAMPLES } from './half-band.js'
import type { FilterTable } from './resampler-filter.js'

/**
 * The filter that puts samples on the grid of 16 kHz. `#phase` / up is where the next output stands between two
 * samples; its oldest tap meets the window's front. Whole numbers only, so that no position ever drifts.
 */
export class Polyphase {
  readonly #table: FilterTable
  readonly #window: Float32Array
  #filled = 0
  #phase = 0

  constructor(table: FilterTable) {
    this.#table = table
    this.#window = new Float32Array(table.taps + SLICE_SAMPLES)
    this.reset()
  }

  /** Silence before the first sample, as much as the first output's taps reach back. */
  reset(): void {
    this.#phase = 0
    this.#filled = Math.max(0, this.#table.taps / 2 - 1)
    this.#window.fill(0, 0, this.#filled)
  }

  /** Takes at most `SLICE_SAMPLES` samples and hands on, in LINEAR16 steps, every output that they complete. */
  process(samples: Float32Array, write: (value: number) => void): void {
    const { up, down, taps } = this.#table
    if (taps === 0) {
      for (const sample of samples) write(sample)
      return
    }
    this.#window.set(samples, this.#filled)
    this.#filled += samples.length
    const wholeStep = Math.floor(down / up)
    const phaseStep = down % up
    let index = 0
    while (index + taps <= this.#filled) {
      write(this.#sumAt(index))
      this.#phase += phaseStep
      index += wholeStep
      if (this.#phase >= up) {
        this.#phase -= up
        index++
      }
    }
    this.#window.copyWithin(0, index, this.#filled)
    this.#filled -= index
  }

  #sumAt(index: number): number {
    const { up, taps, intervals, rows } = this.#table
    if (intervals === 0) return dot(rows, this.#phase * taps, this.#window, index, taps)
    const scaled = this.#phase * intervals
    const weight = (scaled % up) / up
    const row = ((scaled - (scaled % up)) / up) * taps
    const before = dot(rows, row, this.#window, index, taps)
    const after = dot(rows, row + taps, this.#window, index, taps)
    return before + weight * (after - before)
  }
}

/** Two sums in flight: one would wait for each addition to finish. `count` is even. */
function dot(rows: Float32Array, row: number, window: Float32Array, index: number, count: number): number {
  let even = 0
  let odd = 0
  for (let k = 0; k < count; k += 2) {
    even += rows[row + k]! * window[index + k]!
    odd += rows[row + k + 1]! * window[index + k + 1]!
  }
  return even + odd
}

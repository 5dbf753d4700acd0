import type { HalfBandDesign } from './prototypes.js'

/** The most samples that one call takes. */
export const SLICE_SAMPLES = 2048

/**
 * A half-band decimator: output n is half of sample 2 n plus the weighted sums of the pairs around it at odd
 * distances. What outputs still to come need lies at the window's front, from a sample of even number on.
 */
export class HalfBandDecimator {
  readonly #taps: Float32Array
  readonly #window: Float32Array
  readonly #output = new Float32Array(SLICE_SAMPLES / 2 + 1)
  #filled = 0

  constructor({ taps }: HalfBandDesign) {
    this.#taps = Float32Array.from(taps)
    this.#window = new Float32Array(4 * taps.length + SLICE_SAMPLES)
    this.reset()
  }

  /** Silence before the first sample. */
  reset(): void {
    this.#filled = 2 * this.#taps.length
    this.#window.fill(0, 0, this.#filled)
  }

  /** Takes at most `SLICE_SAMPLES` samples; what it returns holds until the next call. */
  process(samples: Float32Array): Float32Array {
    const taps = this.#taps
    const window = this.#window
    window.set(samples, this.#filled)
    this.#filled += samples.length
    const reach = 2 * taps.length
    const count = this.#filled < 2 * reach ? 0 : Math.floor(this.#filled / 2) - reach + 1
    for (let n = 0; n < count; n++) {
      const center = 2 * n + reach
      let sum = window[center]! / 2
      for (let k = 0, distance = 1; k < taps.length; k++, distance += 2)
        sum += taps[k]! * (window[center - distance]! + window[center + distance]!)
      this.#output[n] = sum
    }
    window.copyWithin(0, 2 * count, this.#filled)
    this.#filled -= 2 * count
    return this.#output.subarray(0, count)
  }
}

/**
 * Power spectra by an iterative radix-2 transform (Cooley and Tukey 1965). The bench's own, so that what measures
 * the library does not change with it.
 */
export class Spectrum {
  #size
  #cos
  #sin
  #re
  #im

  /** @param size samples per frame, a power of two */
  constructor(size) {
    this.#size = size
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size))
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / size))
    this.#re = new Float64Array(size)
    this.#im = new Float64Array(size)
  }

  /** Writes |X[k]|² for k = 0 … size / 2 - 1 into `power`. */
  compute(frame, power) {
    const [re, im] = [this.#re, this.#im]
    re.set(frame)
    im.fill(0)
    this.#permute(re)
    for (let span = 1; span < this.#size; span *= 2) this.#butterflies(re, im, span)
    for (let k = 0; k < power.length; k++) power[k] = re[k] * re[k] + im[k] * im[k]
  }

  /** Into the order of reversed bits. The frame is real: there is nothing to exchange in its imaginary part. */
  #permute(values) {
    for (let i = 1, j = 0; i < this.#size; i++) {
      let bit = this.#size >> 1
      for (; j & bit; bit >>= 1) j ^= bit
      j ^= bit
      if (i < j) [values[i], values[j]] = [values[j], values[i]]
    }
  }

  #butterflies(re, im, span) {
    const stride = this.#size / (2 * span)
    for (let start = 0; start < this.#size; start += 2 * span) {
      for (let k = 0; k < span; k++) {
        const [upper, lower] = [start + k, start + k + span]
        const [cos, sin] = [this.#cos[k * stride], this.#sin[k * stride]]
        const real = re[lower] * cos + im[lower] * sin
        const imaginary = im[lower] * cos - re[lower] * sin
        re[lower] = re[upper] - real
        im[lower] = im[upper] - imaginary
        re[upper] += real
        im[upper] += imaginary
      }
    }
  }
}

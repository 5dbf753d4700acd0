const f = Math.fround

/**
 * Power spectra of real frames by one complex FFT of half the length: even samples as real parts, odd ones as
 * imaginary parts, a radix-2 transform that sorts itself (Stockham, see Cochran et al., IEEE Trans. AU-15(2),
 * 1967), then the two halves are untangled. Everything is allocated once.
 *
 * Twin of power_sums() in native/voice_activity/hop_kernel_*: each sum and product is rounded to float32, in the same
 * order, so that both give the same bits.
 */
export class RealSpectrum {
  readonly #half: number
  readonly #cos: Float32Array
  readonly #sin: Float32Array
  #re: Float32Array
  #im: Float32Array
  #nextRe: Float32Array
  #nextIm: Float32Array

  /** @param size samples per frame, a power of two from 4 */
  constructor(size: number) {
    const half = size / 2
    this.#half = half
    this.#cos = Float32Array.from({ length: half }, (_, k) => Math.cos((2 * Math.PI * k) / size))
    this.#sin = Float32Array.from({ length: half }, (_, k) => Math.sin((2 * Math.PI * k) / size))
    this.#re = new Float32Array(half)
    this.#im = new Float32Array(half)
    this.#nextRe = new Float32Array(half)
    this.#nextIm = new Float32Array(half)
  }

  /** Writes |2 X[k]|² for k = 0, 1, … into `power`, as many as it holds, at most size/2. */
  compute(frame: Float32Array, power: Float32Array): void {
    const half = this.#half
    for (let i = 0; i < half; i++) {
      this.#re[i] = frame[2 * i]!
      this.#im[i] = frame[2 * i + 1]!
    }
    for (let span = 1; span < half; span *= 2) this.#pass(span)

    const re = this.#re
    const im = this.#im
    for (let k = 0; k < power.length; k++) {
      const mirror = (half - k) % half
      const c = this.#cos[k]!
      const s = this.#sin[k]!
      const evenRe = f(re[k]! + re[mirror]!)
      const evenIm = f(im[k]! - im[mirror]!)
      const oddRe = f(im[k]! + im[mirror]!)
      const oddIm = f(re[mirror]! - re[k]!)
      const x = f(f(evenRe + f(c * oddRe)) + f(s * oddIm))
      const y = f(f(evenIm + f(c * oddIm)) - f(s * oddRe))
      power[k] = f(x * x) + f(y * y)
    }
  }

  /** Butterflies of values half the array apart; the results stand `span` apart. */
  #pass(span: number): void {
    const half = this.#half
    const apart = half / 2
    const [re, im, nextRe, nextIm] = [this.#re, this.#im, this.#nextRe, this.#nextIm]
    for (let first = 0; first < apart; first += span) {
      const c = this.#cos[2 * first]! // the tables are those of the full size: twice as fine
      const s = this.#sin[2 * first]!
      for (let i = first; i < first + span; i++) {
        const x = f(re[i]! - re[i + apart]!)
        const y = f(im[i]! - im[i + apart]!)
        nextRe[first + i] = re[i]! + re[i + apart]!
        nextIm[first + i] = im[i]! + im[i + apart]!
        nextRe[first + i + span] = f(x * c) + f(y * s)
        nextIm[first + i + span] = f(y * c) - f(x * s)
      }
    }
    ;[this.#re, this.#im, this.#nextRe, this.#nextIm] = [nextRe, nextIm, re, im]
  }
}

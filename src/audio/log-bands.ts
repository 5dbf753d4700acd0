import { RealSpectrum } from './portable/real-spectrum.js'

/** First bins of the bands, 15.6 Hz apart in frames of 64 ms: a quarter of an octave wide from 220 Hz on, 31 Hz to 4 kHz. */
const EDGES = [
  2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 33, 38, 45, 53, 63, 75, 89, 106, 126, 150, 178, 212, 255,
]
export const BANDS = EDGES.length - 1
/** A band fainter than this part of the frame, −42 dB, shows the channel's filter and noise. */
const FAINTEST = 2 ** -14

/** Which share of a frame's power each band holds, in octaves: loudness is not in it. */
export class LogBands {
  readonly shares = new Float64Array(BANDS)
  readonly #spectrum: RealSpectrum
  readonly #hann: Float32Array
  readonly #windowed: Float32Array
  readonly #power: Float32Array

  /** @param size samples per frame of 64 ms */
  constructor(size: number) {
    this.#spectrum = new RealSpectrum(size)
    this.#hann = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size))
    this.#windowed = new Float32Array(size)
    this.#power = new Float32Array(size / 2)
  }

  measure(frame: Float32Array): void {
    for (let i = 0; i < frame.length; i++) this.#windowed[i] = frame[i]! * this.#hann[i]!
    const power = this.#power
    this.#spectrum.compute(this.#windowed, power)
    let total = 0
    for (let band = 0; band < BANDS; band++) {
      let sum = 0
      for (let k = EDGES[band]!; k < EDGES[band + 1]!; k++) sum += power[k]!
      this.shares[band] = sum
      total += sum
    }
    for (let band = 0; band < BANDS; band++) {
      this.shares[band] = Math.log2(Math.max(this.shares[band]! / total, FAINTEST))
    }
  }
}

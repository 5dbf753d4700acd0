/**
 * The pitch of a voice: the lag at which a frame is most like itself, by normalised cross-correlation, among lags
 * that do nearly as well the shortest (Talkin, "A robust algorithm for pitch tracking", in Speech Coding and
 * Synthesis, 1995). It is sought at 2 kHz, where the harmonics that carry it are most of the sound.
 */

/** Samples of a frame that become one. */
const STEP = 4
/** Periods of 667 to 40 Hz, in samples at 2 kHz: a child at its right speed, a man at half of his. */
const SHORTEST_PERIOD = 3
const LONGEST_PERIOD = 50
/** Several periods are one too: the shortest that correlates nearly as well as the best is the period. */
const NEARLY = 0.85
/** Against a division by 0 where a part of a frame is silent. */
const SILENCE = 1e-12

export class VoicePitch {
  readonly #slow: Float32Array
  readonly #rate: number
  /** Of the samples before each, and of all. */
  readonly #energy: Float64Array
  readonly #correlation = new Float32Array(LONGEST_PERIOD + 2)
  #hertz = 0
  #clarity = 0

  /** @param size samples per frame */
  constructor(size: number, sampleRateHertz: number) {
    this.#slow = new Float32Array(size / STEP)
    this.#rate = sampleRateHertz / STEP
    this.#energy = new Float64Array(size / STEP + 1)
  }

  /** Of the last frame; 0 where nothing recurs. */
  get hertz(): number {
    return this.#hertz
  }

  /** How much the last frame is like itself a period later: 1 for a steady buzz, about 0 for noise. */
  get clarity(): number {
    return this.#clarity
  }

  /** @param frame without offset */
  find(frame: Float32Array): void {
    this.#decimate(frame)
    this.#correlate()
    const correlation = this.#correlation
    let best = 0
    for (let lag = SHORTEST_PERIOD; lag <= LONGEST_PERIOD; lag++) {
      if (correlation[lag]! > best && this.#isPeak(lag)) best = correlation[lag]!
    }
    this.#clarity = 0
    this.#hertz = 0
    if (best === 0) return
    let lag = SHORTEST_PERIOD
    while (correlation[lag]! < NEARLY * best || !this.#isPeak(lag)) lag++
    this.#clarity = correlation[lag]!
    this.#hertz = this.#rate / (lag + this.#vertex(lag))
  }

  #decimate(frame: Float32Array): void {
    for (let j = 0, i = 0; j < this.#slow.length; j++, i += STEP) {
      this.#slow[j] = frame[i]! + frame[i + 1]! + frame[i + 2]! + frame[i + 3]!
    }
  }

  #correlate(): void {
    const slow = this.#slow
    const energy = this.#energy
    const size = slow.length
    for (let j = 0; j < size; j++) energy[j + 1] = energy[j]! + slow[j]! * slow[j]!
    const all = energy[size]!
    for (let lag = SHORTEST_PERIOD - 1; lag <= LONGEST_PERIOD + 1; lag++) {
      let product = 0
      for (let j = lag; j < size; j++) product += slow[j - lag]! * slow[j]!
      this.#correlation[lag] = product / Math.sqrt(energy[size - lag]! * (all - energy[lag]!) + SILENCE)
    }
  }

  #isPeak(lag: number): boolean {
    const correlation = this.#correlation
    return correlation[lag]! >= correlation[lag - 1]! && correlation[lag]! >= correlation[lag + 1]!
  }

  /** @returns how far the top of the parabola through three lags is from the middle one */
  #vertex(lag: number): number {
    const [before, here, after] = [-1, 0, 1].map(i => this.#correlation[lag + i]!) as [number, number, number]
    const bend = before - 2 * here + after
    return bend < 0 ? (before - after) / (2 * bend) : 0
  }
}

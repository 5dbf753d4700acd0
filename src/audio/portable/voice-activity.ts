import { RealSpectrum } from './real-spectrum.js'

/**
 * Voice activity by the signal-to-noise ratio of frequency bands.
 *
 * Every 10 ms a Hann-windowed spectrum of the last 16 ms is summed into 13 bands that widen with frequency like
 * the ear's. Each band keeps its own noise floor after "minima controlled recursive averaging" (Cohen and
 * Berdugo, IEEE SPL 9(1), 2002): a recursive mean that runs only while the band is near the minimum of its last
 * two seconds, so that speech does not lift it and a fan that is switched on does. Speech fills several bands at
 * once, a hum or a whistle one or two: the score is the mean excess over the floor of the best bands, and a
 * logistic curve makes a probability of it. A floor never lies further below the recent peak than speech itself
 * reaches, so that breath and room sound of a clean recording do not count as speech.
 */

/** Samples per hop: 10 ms at 16 kHz. */
const HOP = 160
/** Samples per spectrum: 16 ms, the shortest power of two that covers a hop; bins are 62.5 Hz apart. */
const WINDOW = 256
/** First bins of the bands, and the end of the last: 125 Hz (above the mains) to 6.75 kHz. */
const BAND_EDGES = [2, 4, 6, 8, 11, 14, 18, 23, 29, 37, 47, 61, 80, 108]
const BANDS = BAND_EDGES.length - 1
/** How many bands make the score: voiced sounds fill the lower ones, fricatives the upper ones. */
const BEST_BANDS = 5

/** Weight of the new hop in the power that is compared with the floor. */
const FAST_SMOOTHING = 0.8
/** Weight of the new hop in the power whose minimum is sought: about 50 ms. */
const SLOW_SMOOTHING = 0.2
/** Minima are kept over 8 blocks of 25 hops: 2 s, longer than a breath group's densest stretch. */
const MINIMUM_BLOCKS = 8
const BLOCK_HOPS = 25
/** A band nearer than this factor (7 dB) to its minimum holds noise only. */
const NOISE_OVER_MINIMUM = 5
/** Weight of a noise hop in the floor: about 0.3 s. */
const FLOOR_SMOOTHING = 0.03

/** A band's excess over its floor counts from here … */
const EXCESS_FROM_DB = 2
/** … to here; louder adds nothing, so that one blaring band cannot pass for speech. */
const EXCESS_TO_DB = 20
/** Scores pass a median of this many hops: a click fills two or three spectra and dies in it, at a cost of 30 ms. */
const MEDIAN_HOPS = 7
/** The score at which the probability is one half, and the score that takes it from there to 0.73. */
const SCORE_MIDPOINT_DB = 1
const SCORE_SLOPE_DB = 0.5

/** Speech spans about this much between its loudest band and its faintest sounds. */
const SPEECH_RANGE_DB = 42
/** How fast a peak is forgotten, so that a softer speaker is heard after a louder one. */
const PEAK_DECAY_DB_PER_HOP = 0.04
/** Nothing under this level in one band is speech: 1-LSB dither lies some 10 dB lower. */
const QUIETEST_BAND_DBFS = -82
/** Hops that the first floor is taken from. */
const FIRST_FLOOR_HOPS = 5
/** A stream that starts louder than this in one band starts with speech, not with noise. */
const LOUDEST_FIRST_FLOOR_DBFS = -40

const toPower = (db: number) => 10 ** (db / 10)
/** Sum of |X|² over the bins of a full-scale sine: the 0 dBFS of a band. */
const FULL_SCALE = (32768 ** 2 / 4) * sumOfSquares(hann(WINDOW)) * WINDOW
const QUIETEST_FLOOR = FULL_SCALE * toPower(QUIETEST_BAND_DBFS)
const LOUDEST_FIRST_FLOOR = FULL_SCALE * toPower(LOUDEST_FIRST_FLOOR_DBFS)
const PEAK_TO_FLOOR = toPower(-SPEECH_RANGE_DB)
const PEAK_DECAY = toPower(-PEAK_DECAY_DB_PER_HOP)
/** Level that stands for digital silence, in dBFS. */
const SILENCE_DBFS = -100

/** Finds speech in 16 kHz mono LINEAR16. The same results for every split of the input. */
export class VoiceActivityDetector {
  readonly #spectrum = new RealSpectrum(WINDOW)
  readonly #window = hann(WINDOW)
  readonly #frame = new Float64Array(WINDOW)
  readonly #power = new Float64Array(WINDOW / 2)
  readonly #scores = new Float64Array(MEDIAN_HOPS)
  readonly #sorted = new Float64Array(MEDIAN_HOPS)
  readonly #excess = new Float64Array(BANDS)
  /** The last WINDOW samples; the newest hop, perhaps unfinished, ends the array. */
  readonly #samples = new Float64Array(WINDOW)
  readonly #fast = new Float64Array(BANDS)
  readonly #slow = new Float64Array(BANDS)
  readonly #floor = new Float64Array(BANDS)
  readonly #minima = new Float64Array(MINIMUM_BLOCKS * BANDS)
  #levelsDb = new Float32Array(0)
  #filled = 0
  #hops = 0
  #peak = 0

  /** Levels of the hops that the last `process()` completed, in dBFS: 0 is a full-scale square wave, at least -100. */
  get levelsDb(): Float32Array {
    return this.#levelsDb
  }

  /**
   * Takes any number of samples.
   * @returns the probability of speech, 0 to 1, of each 10 ms hop that these samples complete; samples of an
   * unfinished hop wait for the next call
   */
  process(pcm: Int16Array): Float32Array {
    const hops = Math.floor((this.#filled + pcm.length) / HOP)
    const probabilities = new Float32Array(hops)
    this.#levelsDb = new Float32Array(hops)
    let read = 0
    for (let hop = 0; hop < hops; hop++) {
      read = this.#fill(pcm, read, HOP - this.#filled)
      this.#filled = 0
      this.#levelsDb[hop] = this.#levelDb()
      probabilities[hop] = this.#probability()
      this.#samples.copyWithin(0, HOP)
    }
    this.#fill(pcm, read, pcm.length - read)
    return probabilities
  }

  /** Forgets everything heard, as if new. */
  reset(): void {
    for (const state of [this.#samples, this.#fast, this.#slow, this.#floor, this.#minima, this.#scores])
      state.fill(0)
    this.#levelsDb = new Float32Array(0)
    this.#filled = 0
    this.#hops = 0
    this.#peak = 0
  }

  #fill(pcm: Int16Array, from: number, count: number): number {
    const at = WINDOW - HOP + this.#filled
    for (let i = 0; i < count; i++) this.#samples[at + i] = pcm[from + i]!
    this.#filled += count
    return from + count
  }

  #levelDb(): number {
    let sum = 0
    for (let i = WINDOW - HOP; i < WINDOW; i++) sum += this.#samples[i]! ** 2
    return Math.max(SILENCE_DBFS, 10 * Math.log10(sum / HOP / 32768 ** 2))
  }

  #probability(): number {
    for (let i = 0; i < WINDOW; i++) this.#frame[i] = this.#samples[i]! * this.#window[i]!
    this.#spectrum.compute(this.#frame, this.#power)

    let loudest = 0
    for (let band = 0; band < BANDS; band++) {
      let power = 0
      for (let bin = BAND_EDGES[band]!; bin < BAND_EDGES[band + 1]!; bin++) power += this.#power[bin]!
      this.#track(band, power)
      loudest = Math.max(loudest, this.#fast[band]!)
    }
    this.#peak = Math.max(this.#peak * PEAK_DECAY, loudest)

    const leastFloor = Math.max(QUIETEST_FLOOR, this.#peak * PEAK_TO_FLOOR)
    for (let band = 0; band < BANDS; band++) {
      const overFloorDb = 10 * Math.log10(this.#fast[band]! / Math.max(leastFloor, this.#floor[band]!) + 1e-9)
      this.#excess[band] = Math.min(EXCESS_TO_DB, Math.max(0, overFloorDb - EXCESS_FROM_DB))
    }
    this.#excess.sort()
    let score = 0
    for (let band = BANDS - BEST_BANDS; band < BANDS; band++) score += this.#excess[band]! / BEST_BANDS
    this.#scores[this.#hops % MEDIAN_HOPS] = score
    this.#hops++
    this.#sorted.set(this.#scores)
    const median = this.#sorted.sort()[MEDIAN_HOPS >> 1]!
    return 1 / (1 + Math.exp((SCORE_MIDPOINT_DB - median) / SCORE_SLOPE_DB))
  }

  /** Takes one band's power into its smoothed powers, its minimum and its floor. */
  #track(band: number, power: number): void {
    if (this.#hops < FIRST_FLOOR_HOPS) {
      this.#begin(band, power)
      return
    }
    this.#fast[band] = this.#fast[band]! + FAST_SMOOTHING * (power - this.#fast[band]!)
    const slow = this.#slow[band]! + SLOW_SMOOTHING * (power - this.#slow[band]!)
    this.#slow[band] = slow

    const block = Math.floor(this.#hops / BLOCK_HOPS) % MINIMUM_BLOCKS
    const at = block * BANDS + band
    this.#minima[at] = this.#hops % BLOCK_HOPS === 0 ? slow : Math.min(this.#minima[at]!, slow)
    let minimum = Infinity
    for (let i = band; i < this.#minima.length; i += BANDS) minimum = Math.min(minimum, this.#minima[i]!)

    let floor = this.#floor[band]!
    if (slow < minimum * NOISE_OVER_MINIMUM) floor += FLOOR_SMOOTHING * (power - floor)
    this.#floor[band] = Math.min(minimum * NOISE_OVER_MINIMUM, Math.max(minimum, floor))
  }

  /** The first floor is the mean of the first hops: a single one may be 10 dB off. */
  #begin(band: number, power: number): void {
    this.#fast[band] = power
    const sum = this.#slow[band]! * this.#hops + power
    const mean = Math.min(LOUDEST_FIRST_FLOOR, sum / (this.#hops + 1))
    this.#slow[band] = mean
    this.#floor[band] = mean
    for (let i = band; i < this.#minima.length; i += BANDS) this.#minima[i] = mean
  }
}

function hann(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length))
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0)
}

import { RealSpectrum } from './real-spectrum.js'

/**
 * Voice activity by the signal-to-noise ratio of frequency bands.
 *
 * Every 10 ms a Hann-windowed spectrum of the last 16 ms is summed into 13 bands that widen with frequency like
 * the ear's. Each band keeps its own noise floor after "minima controlled recursive averaging" (Cohen and
 * Berdugo, IEEE SPL 9(1), 2002): a recursive mean that runs only while the band is near the minimum of its last
 * two seconds, so that speech does not lift it and a fan that is switched on does. Speech fills several bands at
 * once, a hum or a whistle one or two: the score is the mean excess in dB over the floor of the best bands, and a
 * logistic curve makes a probability of it. A floor never lies further below the recent peak than speech itself
 * reaches, so that breath and room sound of a clean recording do not count as speech.
 *
 * Twin of native/voice_activity: constants and formulas stand there too, change both. Each sum and product is
 * rounded to float32, in the same order, so that both find the same speech. No logarithm stands on the way to a
 * decision, for no two libraries round theirs alike: a mean of dB is the product of the ratios.
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
/** … and as far as this beyond; louder adds nothing, so that one blaring band cannot pass for speech. */
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

const f = Math.fround
const toPower = (db: number) => f(10 ** (db / 10))
/** Sum of |X|² over the bins of a full-scale sine: the 0 dBFS of a band. The squares of a Hann window sum to 3/8. */
const FULL_SCALE = (32768 ** 2 / 4) * ((WINDOW * 3) / 8) * WINDOW
const QUIETEST_FLOOR = f(FULL_SCALE * 10 ** (QUIETEST_BAND_DBFS / 10))
const LOUDEST_FIRST_FLOOR = f(FULL_SCALE * 10 ** (LOUDEST_FIRST_FLOOR_DBFS / 10))
const PEAK_TO_FLOOR = toPower(-SPEECH_RANGE_DB)
const PEAK_DECAY = toPower(-PEAK_DECAY_DB_PER_HOP)
const EXCESS_FROM = toPower(-EXCESS_FROM_DB)
const EXCESS_TO = toPower(EXCESS_TO_DB)
/** Scores are products of the best bands' ratios. The one at which the probability is one half … */
const SPEECH_SCORE = toPower(SCORE_MIDPOINT_DB * BEST_BANDS)
/** … and the power of such a ratio that is e to the power of its dB over the slope. */
const SCORE_EXPONENT = 10 / (BEST_BANDS * SCORE_SLOPE_DB * Math.LN10)
const [FAST, SLOW, FLOOR] = [f(FAST_SMOOTHING), f(SLOW_SMOOTHING), f(FLOOR_SMOOTHING)]

/** Finds speech in 16 kHz mono LINEAR16. The same results for every split of the input. */
export class VoiceActivityDetector {
  readonly #spectrum = new RealSpectrum(WINDOW)
  /** Half a Hann window: the spectrum doubles. */
  readonly #window = Float32Array.from(
    { length: WINDOW },
    (_, i) => 0.25 - 0.25 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW),
  )
  readonly #frame = new Float32Array(WINDOW)
  readonly #power = new Float32Array(BAND_EDGES[BANDS]!)
  readonly #scores = new Float32Array(MEDIAN_HOPS).fill(1)
  readonly #sorted = new Float32Array(MEDIAN_HOPS)
  readonly #excess = new Float32Array(BANDS)
  /** The last WINDOW samples; the newest hop, perhaps unfinished, ends the array. */
  readonly #samples = new Int16Array(WINDOW)
  readonly #fast = new Float32Array(BANDS)
  readonly #slow = new Float32Array(BANDS)
  readonly #floor = new Float32Array(BANDS)
  readonly #minima = new Float32Array(MINIMUM_BLOCKS * BANDS)
  #filled = 0
  #hops = 0
  #peak = 0

  /**
   * Takes any number of samples.
   * @returns the probability of speech, 0 to 1, of each 10 ms hop that these samples complete; samples of an
   * unfinished hop wait for the next call
   */
  process(pcm: Int16Array): Float32Array {
    const hops = Math.floor((this.#filled + pcm.length) / HOP)
    const probabilities = new Float32Array(hops)
    let read = 0
    for (let hop = 0; hop < hops; hop++) {
      read = this.#fill(pcm, read, HOP - this.#filled)
      this.#filled = 0
      probabilities[hop] = this.#probability()
      this.#samples.copyWithin(0, HOP)
    }
    this.#fill(pcm, read, pcm.length - read)
    return probabilities
  }

  /** Forgets everything heard, as if new. */
  reset(): void {
    for (const state of [this.#samples, this.#fast, this.#slow, this.#floor, this.#minima]) state.fill(0)
    this.#scores.fill(1)
    this.#filled = 0
    this.#hops = 0
    this.#peak = 0
  }

  #fill(pcm: Int16Array, from: number, count: number): number {
    this.#samples.set(pcm.subarray(from, from + count), WINDOW - HOP + this.#filled)
    this.#filled += count
    return from + count
  }

  #probability(): number {
    for (let i = 0; i < WINDOW; i++) this.#frame[i] = this.#samples[i]! * this.#window[i]!
    this.#spectrum.compute(this.#frame, this.#power)

    let loudest = 0
    for (let band = 0; band < BANDS; band++) {
      const power = sumOf(this.#power, BAND_EDGES[band]!, BAND_EDGES[band + 1]!)
      this.#track(band, power)
      loudest = Math.max(loudest, this.#fast[band]!)
    }
    this.#peak = Math.max(f(this.#peak * PEAK_DECAY), loudest)

    this.#scores[this.#hops % MEDIAN_HOPS] = this.#score()
    this.#hops++
    this.#sorted.set(this.#scores)
    const median = this.#sorted.sort()[MEDIAN_HOPS >> 1]!
    // At SPEECH_SCORE this is one half exactly, and under it less even as a float32.
    return 1 / (1 + (SPEECH_SCORE / median) ** SCORE_EXPONENT)
  }

  /** The product of the best bands' ratios to their floors, each from 1 to EXCESS_TO. */
  #score(): number {
    const leastFloor = Math.max(QUIETEST_FLOOR, f(this.#peak * PEAK_TO_FLOOR))
    for (let band = 0; band < BANDS; band++) {
      const overFloor = f(this.#fast[band]! / Math.max(leastFloor, this.#floor[band]!))
      this.#excess[band] = Math.min(EXCESS_TO, Math.max(1, f(overFloor * EXCESS_FROM)))
    }
    this.#excess.sort()
    let score = 1
    for (let band = BANDS - 1; band >= BANDS - BEST_BANDS; band--) score = f(score * this.#excess[band]!)
    return score
  }

  /** Takes one band's power into its smoothed powers, its minimum and its floor. */
  #track(band: number, power: number): void {
    if (this.#hops < FIRST_FLOOR_HOPS) {
      this.#begin(band, power)
      return
    }
    this.#fast[band] = smooth(this.#fast[band]!, power, FAST)
    const slow = smooth(this.#slow[band]!, power, SLOW)
    this.#slow[band] = slow

    const block = Math.floor(this.#hops / BLOCK_HOPS) % MINIMUM_BLOCKS
    const at = block * BANDS + band
    this.#minima[at] = this.#hops % BLOCK_HOPS === 0 ? slow : Math.min(this.#minima[at]!, slow)
    let minimum = Infinity
    for (let i = band; i < this.#minima.length; i += BANDS) minimum = Math.min(minimum, this.#minima[i]!)

    const ceiling = f(minimum * NOISE_OVER_MINIMUM)
    const floor = slow < ceiling ? smooth(this.#floor[band]!, power, FLOOR) : this.#floor[band]!
    this.#floor[band] = Math.min(ceiling, Math.max(minimum, floor))
  }

  /** The first floor is the mean of the first hops: a single one may be 10 dB off. */
  #begin(band: number, power: number): void {
    this.#fast[band] = power
    const sum = f(f(this.#slow[band]! * this.#hops) + power)
    const mean = Math.min(LOUDEST_FIRST_FLOOR, f(sum / (this.#hops + 1)))
    this.#slow[band] = mean
    this.#floor[band] = mean
    for (let i = band; i < this.#minima.length; i += BANDS) this.#minima[i] = mean
  }
}

function smooth(value: number, power: number, weight: number): number {
  return f(value + f(weight * f(power - value)))
}

/** By pairs of pairs of pairs, as vectors add: eights first, then what four, two and one make up. */
function sumOf(values: Float32Array, first: number, end: number): number {
  let sum = 0
  for (const count of [8, 4, 2, 1])
    for (; end - first >= count; first += count) sum = f(sum + pairwiseSum(values, first, count))
  return sum
}

function pairwiseSum(values: Float32Array, first: number, count: number): number {
  if (count === 1) return values[first]!
  const half = count / 2
  return f(pairwiseSum(values, first, half) + pairwiseSum(values, first + half, half))
}

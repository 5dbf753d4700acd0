import { bytesPerSample, type PcmFormat } from './pcm-format.js'
import { readFloats } from './pcm-floats.js'
import { RealSpectrum } from './portable/real-spectrum.js'

/**
 * What tells at which speed speech is played: the pitch of the voice, where its formants lie, and how fast it gets
 * loud and soft. All of them scale with the speed; how one speaker differs from another scales them apart.
 */

/** Spectra are taken at this rate, so that all declared rates show the same bands. */
const SPECTRUM_RATE = 8_000
const SPECTRUM_SAMPLES = 256
/** First bins of the bands, 31.25 Hz apart, a third of an octave wide from 300 Hz on: 31 Hz to 4 kHz. */
const BAND_EDGES = [1, 2, 4, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 64, 80, 102, 128]
const BANDS = BAND_EDGES.length - 1
/** A band fainter than this part of the frame, −36 dB, shows the channel's filter and noise. */
const FAINTEST_BAND = 2 ** -12
/** A band is filled above this, in octaves of power. */
const FILLED_BAND = -11
/** The pitch is sought at a quarter of that rate, where its harmonics are most of the sound. */
const PITCH_STEP = 4
const PITCH_SAMPLES = SPECTRUM_SAMPLES / PITCH_STEP
const PITCH_RATE = SPECTRUM_RATE / PITCH_STEP
/** Periods of 667 to 62.5 Hz, in samples at PITCH_RATE. */
const SHORTEST_PERIOD = 3
const LONGEST_PERIOD = 40
/** A frame is voiced where it correlates so well with itself a period later. */
const VOICED = 0.6
/** Several periods are one too: the shortest that correlates nearly as well as the best is the period. */
const NEARLY = 0.85
const ENOUGH_PITCHES = 4
/** Against a division by 0 where a part of a frame is silent. */
const SILENCE = 1e-12
/** Frames fainter than this, −48 dBFS, or than this part of the loudest power of late, are no voice. */
const FAINTEST_POWER = 1.6e-5
const FAINTEST_OF_PEAK = 0.01
const PEAK_DECAY = 0.995

/** Levels are taken in hops of 7.8 ms, and compared over so many hops. */
const HOPS_PER_SECOND = 128
/** A level is a mean of so many magnitudes; more cost time and change little. */
const LEVEL_SAMPLES = 16
const LAGS = [1, 2, 4, 8, 16, 32, 64]
/** Levels fainter than this part of their mean square's root, −28 dB, count as pauses. */
const FAINTEST_LEVEL = 0.04

/** The lag of the swing: a syllable's half. */
const SWING_LAG = 16

export interface SpeechDescription {
  /**
   * Bands of the voiced spectra and their pitch over 100 Hz in octaves, the growth of level changes from lag to lag,
   * which share of the spectra is voiced, and how clearly.
   */
  readonly features: readonly number[]
  /** The median. */
  readonly pitchHertz: number
  /** How many of the bands hold more than a 2048th of the power on average; 0 where hardly any frame is voiced. */
  readonly filledBands: number
  /** By how much the level changes within an eighth of a second, in octaves: 1 to 2.3 for speech. */
  readonly levelSwing: number
}

/** Collects spectra and levels, and makes features of them. */
export class SpeechFeatures {
  readonly #spectrum = new RealSpectrum(SPECTRUM_SAMPLES)
  readonly #frame = new Float32Array(SPECTRUM_SAMPLES)
  readonly #power = new Float32Array(SPECTRUM_SAMPLES / 2)
  readonly #slow = new Float32Array(PITCH_SAMPLES)
  /** Of the samples before each, and of all. */
  readonly #energy = new Float64Array(PITCH_SAMPLES + 1)
  readonly #correlation = new Float32Array(LONGEST_PERIOD + 2)
  readonly #bands = new Float64Array(BANDS)
  readonly #pitches: number[] = []
  readonly #format: PcmFormat
  /** Samples of one channel that a spectrum needs, and one in so many of those that levels are taken from. */
  readonly #samples: Float32Array
  readonly #levelStep: number
  #magnitudes = new Float32Array(0)
  readonly #levels: number[] = []
  #channel = -1
  #voicing = 0
  #spectra = 0
  #peak = 0

  constructor(format: PcmFormat) {
    this.#format = format
    this.#samples = new Float32Array(Math.ceil((format.sampleRateHertz * SPECTRUM_SAMPLES) / SPECTRUM_RATE))
    this.#levelStep = Math.max(1, Math.floor(format.sampleRateHertz / HOPS_PER_SECOND / LEVEL_SAMPLES))
  }

  /** Spectra with sound in them so far. */
  get spectra(): number {
    return this.#spectra
  }

  /** Takes the spectrum of the first 32 ms, of the channel that has sound first. */
  addSpectrum(view: DataView): void {
    if (this.#channel < 0) this.#channel = this.#findChannel(view)
    if (this.#channel < 0) return
    const { encoding, channels } = this.#format
    readFloats(view, encoding, this.#samples, this.#channel, channels)
    const power = this.#resample(this.#samples)
    this.#peak = Math.max(this.#peak * PEAK_DECAY, power)
    if (!(power >= FAINTEST_POWER && power >= FAINTEST_OF_PEAK * this.#peak)) return
    this.#spectra++
    const period = this.#period()
    if (period === 0) return
    this.#pitches.push(PITCH_RATE / period)
    this.#addBands()
  }

  /** Takes the levels of all of `view`, which continues what was there before. */
  addLevels(view: DataView): void {
    if (this.#channel < 0) return
    const { encoding, channels, sampleRateHertz } = this.#format
    const samples = view.byteLength / bytesPerSample(encoding) / channels
    const hops = Math.floor((samples * HOPS_PER_SECOND) / sampleRateHertz)
    const read = Math.floor(samples / this.#levelStep)
    if (this.#magnitudes.length !== read) this.#magnitudes = new Float32Array(read)
    readFloats(view, encoding, this.#magnitudes, this.#channel, channels * this.#levelStep)
    for (let k = 0; k < hops; k++) {
      const from = Math.floor((k * read) / hops)
      const to = Math.floor(((k + 1) * read) / hops)
      let sum = 0
      for (let i = from; i < to; i++) sum += Math.abs(this.#magnitudes[i]!)
      this.#levels.push(sum / (to - from))
    }
  }

  describe(): SpeechDescription {
    const voiced = this.#pitches.length
    const bands = Array.from(this.#bands, band => band / Math.max(voiced, 1))
    const changes = this.#levelChanges()
    const growth = changes.slice(1).map((change, i) => Math.log2(change / changes[i]!))
    const voicing = this.#voicing / Math.max(voiced, 1)
    const pitchHertz = this.#medianPitch()
    return {
      features: [
        ...bands,
        Math.log2(pitchHertz / 100),
        ...growth,
        voiced / Math.max(this.#spectra, 1),
        voicing,
      ],
      pitchHertz,
      filledBands: voiced < ENOUGH_PITCHES ? 0 : bands.filter(band => band > FILLED_BAND).length,
      levelSwing: changes[LAGS.indexOf(SWING_LAG)]!,
    }
  }

  /** The lowest that could be found where hardly any was. */
  #medianPitch(): number {
    const pitches = this.#pitches
    if (pitches.length < ENOUGH_PITCHES) return PITCH_RATE / LONGEST_PERIOD
    return pitches.toSorted((a, b) => a - b)[pitches.length >> 1]!
  }

  /** Fills the frame with samples at SPECTRUM_RATE, without offset. @returns their mean power */
  #resample(samples: Float32Array): number {
    const frame = this.#frame
    const ratio = samples.length / SPECTRUM_SAMPLES
    let total = 0
    for (let j = 0, from = 0; j < SPECTRUM_SAMPLES; j++) {
      // The mean of what falls together is filter enough: voices have little beyond 4 kHz.
      const to = Math.max(from + 1, Math.floor((j + 1) * ratio))
      let sum = 0
      for (let i = from; i < to; i++) sum += samples[i]!
      frame[j] = sum / (to - from)
      total += frame[j]!
      from = to
    }
    const mean = total / SPECTRUM_SAMPLES
    let power = 0
    for (let j = 0; j < SPECTRUM_SAMPLES; j++) {
      const sample = frame[j]! - mean
      frame[j] = sample
      power += sample * sample
    }
    return power / SPECTRUM_SAMPLES
  }

  /** By normalised autocorrelation. @returns in samples at PITCH_RATE, with fractions; 0 where there is no voice */
  #period(): number {
    const slow = this.#slow
    for (let j = 0, i = 0; j < PITCH_SAMPLES; j++, i += PITCH_STEP) {
      slow[j] = this.#frame[i]! + this.#frame[i + 1]! + this.#frame[i + 2]! + this.#frame[i + 3]!
    }
    const correlation = this.#correlation
    const energy = this.#energy
    for (let j = 0; j < PITCH_SAMPLES; j++) energy[j + 1] = energy[j]! + slow[j]! * slow[j]!
    const all = energy[PITCH_SAMPLES]!
    for (let lag = SHORTEST_PERIOD - 1; lag <= LONGEST_PERIOD + 1; lag++) {
      let product = 0
      for (let j = lag; j < PITCH_SAMPLES; j++) product += slow[j - lag]! * slow[j]!
      correlation[lag] = product / Math.sqrt(energy[PITCH_SAMPLES - lag]! * (all - energy[lag]!) + SILENCE)
    }
    let best = 0
    for (let lag = SHORTEST_PERIOD; lag <= LONGEST_PERIOD; lag++) {
      if (this.#isPeak(lag) && correlation[lag]! > best) best = correlation[lag]!
    }
    if (best < VOICED) return 0
    let lag = SHORTEST_PERIOD
    while (!this.#isPeak(lag) || correlation[lag]! < NEARLY * best) lag++
    this.#voicing += correlation[lag]!
    const [before, here, after] = [correlation[lag - 1]!, correlation[lag]!, correlation[lag + 1]!]
    const bend = before - 2 * here + after
    return bend < 0 ? lag + (before - after) / (2 * bend) : lag
  }

  #isPeak(lag: number): boolean {
    const correlation = this.#correlation
    return correlation[lag]! >= correlation[lag - 1]! && correlation[lag]! >= correlation[lag + 1]!
  }

  #addBands(): void {
    const frame = this.#frame
    for (let j = 0; j < SPECTRUM_SAMPLES; j++) frame[j]! *= HANN[j]!
    const power = this.#power
    this.#spectrum.compute(frame, power)
    let total = 0
    for (let k = BAND_EDGES[0]!; k < power.length; k++) total += power[k]!
    for (let band = 0; band < BANDS; band++) {
      let sum = 0
      for (let k = BAND_EDGES[band]!; k < BAND_EDGES[band + 1]!; k++) sum += power[k]!
      this.#bands[band]! += Math.log2(Math.max(sum / total, FAINTEST_BAND))
    }
  }

  /** Mean change of the logarithmic level, for each lag. Pauses change nothing, and scale all alike. */
  #levelChanges(): number[] {
    const levels = this.#levels
    const meanSquare = levels.reduce((sum, level) => sum + level * level, 0) / levels.length
    const faintest = FAINTEST_LEVEL * Math.sqrt(meanSquare)
    const octaves = levels.map(level => Math.log2(Math.max(level, faintest)))
    return LAGS.map(lag => {
      let sum = 0
      for (let i = lag; i < octaves.length; i++) sum += Math.abs(octaves[i]! - octaves[i - lag]!)
      return sum / (octaves.length - lag) + Number.EPSILON
    })
  }

  /** @returns the first channel that is louder than FAINTEST_POWER, or -1 */
  #findChannel(view: DataView): number {
    const { encoding, channels } = this.#format
    for (let channel = 0; channel < channels; channel++) {
      readFloats(view, encoding, this.#samples, channel, channels)
      if (this.#resample(this.#samples) >= FAINTEST_POWER) return channel
    }
    return -1
  }
}

const HANN = Float32Array.from(
  { length: SPECTRUM_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SPECTRUM_SAMPLES),
)

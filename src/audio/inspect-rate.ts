import type { Glance, WarnOfAudio } from './inspect-warning.js'
import type { PcmFormat } from './pcm-format.js'
import { FAST, SLOW } from './rate-model.js'
import { SpeechFeatures, type SpeechDescription } from './speech-features.js'

/** Spectra that are taken, from one window each; fewer will do where the audio ends before. */
const ENOUGH_SPECTRA = 40
const ENOUGH_AT_END = 24
/** Below this rate a voice's formants are missing. */
const LEAST_RATE = 8_000
/** How sure the model must be. Of speech at its own rate it gets 0.4 and 0.64 at most, but for letters said one by one. */
const SURELY_FAST = 0.6
const SURELY_SLOW = 0.7
/** Music, noise and steady tones swing less than speech, and slow speech less than fast. */
const FAST_SWING = 1.3
const SLOW_SWING = 1
/** A voice fills nine of the sixteen bands at least, two tones eight at most. */
const FILLED_BANDS = 9

/** A constant, then a weight for each feature. */
export interface SpeedModel {
  readonly fast: readonly number[]
  readonly slow: readonly number[]
}

export interface SpeedVerdict {
  /** Times the right speed; 1 where the model is not sure that it is another. */
  readonly speed: 0.5 | 1 | 2
  readonly probability: number
}

/** @returns at which speed speech is played that is so described */
export function speedOf(description: SpeechDescription, model: SpeedModel): SpeedVerdict {
  const { features, levelSwing, filledBands } = description
  const fast = Math.exp(weigh(model.fast, features))
  const slow = Math.exp(weigh(model.slow, features))
  const sum = 1 + fast + slow
  if (filledBands < FILLED_BANDS) return { speed: 1, probability: 1 / sum }
  if (fast / sum > SURELY_FAST && levelSwing > FAST_SWING) return { speed: 2, probability: fast / sum }
  if (slow / sum > SURELY_SLOW && levelSwing > SLOW_SWING) return { speed: 0.5, probability: slow / sum }
  return { speed: 1, probability: 1 / sum }
}

/**
 * Hears whether speech is played at another speed than it was spoken: the declared rate is wrong. A logistic model
 * of pitch, formants and pace says whether the speed is double, half or right, once, when the first 16 s have been
 * heard or the audio is over; where it is not sure nothing is said. scripts/rate-model.mjs makes the model.
 */
export class RateCheck {
  readonly #format: PcmFormat
  readonly #warn: WarnOfAudio
  readonly #features: SpeechFeatures
  #isDone: boolean

  constructor(format: PcmFormat, warn: WarnOfAudio) {
    this.#format = format
    this.#warn = warn
    this.#features = new SpeechFeatures(format)
    this.#isDone = format.sampleRateHertz < LEAST_RATE
  }

  /** @param isEarly whether windows touch: then they show the pace too */
  look({ view }: Glance, isEarly: boolean): void {
    if (this.#isDone) return
    if (this.#features.spectra < ENOUGH_SPECTRA) this.#features.addSpectrum(view)
    else if (!isEarly) this.#judge()
    if (isEarly) this.#features.addLevels(view)
  }

  end(): void {
    if (!this.#isDone && this.#features.spectra >= ENOUGH_AT_END) this.#judge()
  }

  #judge(): void {
    this.#isDone = true
    const description = this.#features.describe()
    const verdict = speedOf(description, { fast: FAST, slow: SLOW })
    if (verdict.speed !== 1) this.#found(verdict, description)
  }

  #found({ speed, probability }: SpeedVerdict, { pitchHertz, levelSwing }: SpeechDescription): void {
    const declaredHertz = this.#format.sampleRateHertz
    const suggestedHertz = Math.round(declaredHertz / speed)
    const pitch = Math.round(pitchHertz)
    this.#warn({
      code: 'STT_WARN_SAMPLE_RATE',
      message:
        `at ${declaredHertz} Hz the audio sounds like speech played ${speed > 1 ? 'too fast' : 'too slowly'}: its ` +
        `pitch is ${pitch} Hz, and pitch, formants and pace fit ${speed} times the right speed (probability ` +
        `${probability.toFixed(2)}). Declare sampleRateHertz: ${suggestedHertz}? Two channels declared as one, or ` +
        'one as two, sound so too',
      evidence: {
        declaredHertz,
        suggestedHertz,
        speed,
        probability: round(probability),
        pitchHertz: pitch,
        levelSwing: round(levelSwing),
      },
    })
  }
}

/** The first weight stands alone. */
function weigh([constant = 0, ...weights]: readonly number[], features: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * features[i]!, constant)
}

const round = (value: number) => Math.round(value * 1_000) / 1_000

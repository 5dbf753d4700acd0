import type { Glance, WarnOfAudio } from './inspect-warning.js'
import type { PcmFormat } from './pcm-format.js'
import { MODEL } from './rate-model.js'
import { HOP_MS } from './speech-frames.js'
import { SpeechFeatures, type SpeechDescription } from './speech-features.js'
import { speedOdds, type SpeedOdds } from './speed-network.js'

/**
 * Frames with sound, 32 ms apart: after 3 s of them all is judged, and at the end of shorter audio 1.3 s will do. Most
 * audio is at its right rate, and cleared before: after 0.8 s and 1.5 s, where the model is so sure of it.
 */
const ENOUGH_FRAMES = 96
const ENOUGH_FRAMES_AT_END = 40
const GLANCES: readonly { readonly frames: number; readonly surelyRight: number }[] = [
  { frames: 24, surelyRight: 0.9 },
  { frames: 48, surelyRight: 0.8 },
]
/** Below this rate a voice's formants are missing. */
const LEAST_RATE = 8_000
/** How sure the model must be to warn. */
const SURELY_WRONG = 0.8

/** @returns times the right speed; 1 where the model is not sure that it is another */
export function surelySpeed({ slow, fast }: SpeedOdds): 0.5 | 1 | 2 {
  if (fast > SURELY_WRONG) return 2
  return slow > SURELY_WRONG ? 0.5 : 1
}

/**
 * Hears whether speech is played at another speed than it was spoken: the declared rate is wrong. A small network
 * says so from formants, pitch and pace, once; where it is not sure nothing is said. scripts/rate-model.mjs makes it.
 */
export class RateCheck {
  readonly #format: PcmFormat
  readonly #warn: WarnOfAudio
  readonly #features: SpeechFeatures
  #glances = 0
  #isDone: boolean

  constructor(format: PcmFormat, warn: WarnOfAudio) {
    this.#format = format
    this.#warn = warn
    this.#features = new SpeechFeatures(format)
    this.#isDone = format.sampleRateHertz < LEAST_RATE
  }

  /** Windows follow each other without a gap, up to the last. */
  look({ view }: Glance): void {
    if (this.#isDone) return
    this.#features.add(view)
    const { frames } = this.#features
    const glance = GLANCES[this.#glances]
    if (frames >= ENOUGH_FRAMES) this.#judge()
    else if (glance && frames >= glance.frames) {
      this.#glances++
      this.#glance(glance.surelyRight)
    }
  }

  /** There is nothing more to look at. */
  end(): void {
    if (!this.#isDone && this.#features.frames >= ENOUGH_FRAMES_AT_END) this.#judge()
    this.#isDone = true
  }

  #glance(surelyRight: number): void {
    const description = this.#features.describe()
    this.#isDone = description !== undefined && speedOdds(description.features, MODEL).right > surelyRight
  }

  #judge(): void {
    this.#isDone = true
    const description = this.#features.describe()
    if (!description) return
    const odds = speedOdds(description.features, MODEL)
    const speed = surelySpeed(odds)
    if (speed !== 1) this.#found(speed, Math.max(odds.fast, odds.slow), description)
  }

  #found(speed: number, probability: number, { pitchHertz }: SpeechDescription): void {
    const declaredHertz = this.#format.sampleRateHertz
    const suggestedHertz = Math.round(declaredHertz / speed)
    const pitch = Math.round(pitchHertz)
    this.#warn({
      code: 'STT_WARN_SAMPLE_RATE',
      message:
        `at ${declaredHertz} Hz the audio sounds like speech played ${speed > 1 ? 'too fast' : 'too slowly'}: its ` +
        `pitch is ${pitch} Hz, and formants, pitch and pace fit ${speed} times the right speed (probability ` +
        `${probability.toFixed(2)}). Declare sampleRateHertz: ${suggestedHertz}? Two channels declared as one, or ` +
        'one as two, sound so too',
      evidence: {
        declaredHertz,
        suggestedHertz,
        speed,
        probability: Math.round(probability * 1_000) / 1_000,
        pitchHertz: pitch,
        soundMs: this.#features.frames * HOP_MS,
      },
    })
  }
}

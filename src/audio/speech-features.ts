import { BANDS, LogBands } from './log-bands.js'
import type { PcmFormat } from './pcm-format.js'
import { FAINTEST_POWER, FRAME_RATE, FRAME_SAMPLES, SpeechFrames } from './speech-frames.js'
import { VoicePitch } from './voice-pitch.js'

/** A frame counts where it has this part of the loudest power of late, −20 dB; "of late" fades by half in 3 s. */
const FAINTEST_OF_PEAK = 0.01
const PEAK_DECAY = 0.993
/** A frame is voiced where it is so much like itself a period later. */
const VOICED = 0.5
const ENOUGH_VOICED = 6

export interface SpeechDescription {
  readonly features: readonly number[]
  /** The median. */
  readonly pitchHertz: number
}

/**
 * What tells at which speed speech is played: how its power is spread over bands and how much that varies, which
 * shows where the formants lie; the pitch; and how fast all that changes. Everything scales with the speed; how one
 * speaker differs from another scales each by itself. Means and deviations over frames (statistics pooling, as
 * Snyder et al., "X-vectors", ICASSP 2018, have it), so that it takes no longer to describe more of them.
 */
export class SpeechFeatures {
  readonly #source: SpeechFrames
  readonly #voice = new VoicePitch(FRAME_SAMPLES, FRAME_RATE)
  readonly #bands = new LogBands(FRAME_SAMPLES)
  readonly #before = { shares: new Float64Array(BANDS), level: 0, pitch: 0, isVoiced: false, index: -1 }
  readonly #shares = Array.from({ length: BANDS }, () => new Moments())
  readonly #pitch = new Moments()
  readonly #clarity = new Moments()
  readonly #level = new Moments()
  readonly #shareChange = new Moments()
  readonly #levelChange = new Moments()
  readonly #pitchChange = new Moments()
  readonly #pitches: number[] = []
  #heard = 0
  #first = -1
  #peak = 0

  constructor(format: PcmFormat) {
    this.#source = new SpeechFrames(format, frame => this.#hear(frame))
  }

  /** Frames with sound in them so far, 32 ms apart. */
  get frames(): number {
    return this.#level.count
  }

  /** @param view whole samples, which continue those before */
  add(view: DataView): void {
    this.#source.add(view)
  }

  /** @returns undefined where hardly anything is voiced */
  describe(): SpeechDescription | undefined {
    if (this.#pitch.count < ENOUGH_VOICED) return undefined
    const pitchHertz = this.#pitches.toSorted((a, b) => a - b)[this.#pitches.length >> 1]!
    return {
      features: [
        ...this.#shares.map(share => share.mean),
        ...this.#shares.map(share => share.deviation),
        this.#pitch.mean,
        this.#pitch.deviation,
        this.#pitch.count / this.frames,
        this.#clarity.mean,
        this.#shareChange.mean,
        this.#levelChange.mean,
        this.#pitchChange.mean,
        this.#level.deviation,
        this.frames / (this.#before.index - this.#first + 1),
      ],
      pitchHertz,
    }
  }

  #hear(frame: Float32Array): void {
    const index = this.#heard++
    const power = meanSquare(frame)
    this.#peak = Math.max(this.#peak * PEAK_DECAY, power)
    // Written so that a NaN is no sound either.
    if (!(power >= FAINTEST_POWER && power >= FAINTEST_OF_PEAK * this.#peak)) return
    if (this.#first < 0) this.#first = index
    this.#voice.find(frame)
    this.#bands.measure(frame)
    const { hertz, clarity } = this.#voice
    const isVoiced = clarity > VOICED
    const level = Math.log2(power)
    const pitch = isVoiced ? Math.log2(hertz / 100) : 0
    this.#level.add(level)
    if (isVoiced) this.#addVoice(hertz, pitch, clarity)
    this.#addChange(index, level, pitch, isVoiced)
  }

  #addVoice(hertz: number, pitch: number, clarity: number): void {
    this.#pitches.push(hertz)
    this.#pitch.add(pitch)
    this.#clarity.add(clarity)
    for (let band = 0; band < BANDS; band++) this.#shares[band]!.add(this.#bands.shares[band]!)
  }

  /** Counts only between frames that follow each other. */
  #addChange(index: number, level: number, pitch: number, isVoiced: boolean): void {
    const before = this.#before
    const { shares } = this.#bands
    if (index === before.index + 1 && this.#level.count > 1) {
      let sum = 0
      for (let band = 0; band < BANDS; band++) sum += Math.abs(shares[band]! - before.shares[band]!)
      this.#shareChange.add(sum / BANDS)
      this.#levelChange.add(Math.abs(level - before.level))
      if (isVoiced && before.isVoiced) this.#pitchChange.add(Math.abs(pitch - before.pitch))
    }
    before.shares.set(shares)
    before.level = level
    before.pitch = pitch
    before.isVoiced = isVoiced
    before.index = index
  }
}

class Moments {
  count = 0
  #sum = 0
  #squares = 0

  add(value: number): void {
    this.count++
    this.#sum += value
    this.#squares += value * value
  }

  /** 0 of nothing. */
  get mean(): number {
    return this.#sum / Math.max(this.count, 1)
  }

  get deviation(): number {
    return Math.sqrt(Math.max(this.#squares / Math.max(this.count, 1) - this.mean ** 2, 0))
  }
}

function meanSquare(samples: Float32Array): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!
  return sum / samples.length
}

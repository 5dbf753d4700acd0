import { bytesPerSample, type PcmFormat } from './pcm-format.js'
import { readFloats } from './pcm-floats.js'

/** The rate of all frames, so that all declared rates show the same bands. */
export const FRAME_RATE = 8_000
/** 64 ms: two and a half periods of 40 Hz, which is a man at half his speed. */
export const FRAME_SAMPLES = 512
const HOP_SAMPLES = FRAME_SAMPLES / 2
export const HOP_MS = 32
/** Mean squares fainter than this, −48 dBFS, are no voice. */
export const FAINTEST_POWER = 1.6e-5

/**
 * Cuts audio into frames of 64 ms, half of each in the next one, at 8 kHz and without offset. They are of the first
 * channel in which there is sound, from where it begins.
 */
export class SpeechFrames {
  readonly #format: PcmFormat
  readonly #onFrame: (frame: Float32Array) => void
  readonly #recent = new Float32Array(FRAME_SAMPLES)
  readonly #frame = new Float32Array(FRAME_SAMPLES)
  /** Samples of the input that make one. */
  readonly #ratio: number
  #input = new Float32Array(0)
  #channel = -1
  #filled = 0
  /** Of the sample in the making: what has been gathered, and how much of the input is still missing from it. */
  #sum = 0
  #missing: number

  /** @param onFrame is given each frame, which the next one overwrites */
  constructor(format: PcmFormat, onFrame: (frame: Float32Array) => void) {
    this.#format = format
    this.#onFrame = onFrame
    this.#ratio = this.#missing = format.sampleRateHertz / FRAME_RATE
  }

  /** @param view whole samples of all channels, which continue those before */
  add(view: DataView): void {
    const { encoding, channels } = this.#format
    const count = Math.floor(view.byteLength / bytesPerSample(encoding) / channels)
    if (this.#input.length !== count) this.#input = new Float32Array(count)
    for (let channel = Math.max(this.#channel, 0); channel < channels; channel++) {
      readFloats(view, encoding, this.#input, channel, channels)
      if (this.#channel < 0 && variance(this.#input) < FAINTEST_POWER) continue
      this.#channel = channel
      this.#resample()
      return
    }
  }

  /** Means of what falls into a sample are filter enough: voices have little beyond 4 kHz. */
  #resample(): void {
    const ratio = this.#ratio
    let sum = this.#sum
    let missing = this.#missing
    const input = this.#input
    for (let i = 0; i < input.length; i++) {
      const sample = input[i]!
      if (missing > 1) {
        sum += sample
        missing--
        continue
      }
      this.#push((sum + missing * sample) / ratio)
      const rest = 1 - missing
      sum = rest * sample
      missing = ratio - rest
    }
    this.#sum = sum
    this.#missing = missing
  }

  #push(sample: number): void {
    const recent = this.#recent
    recent[this.#filled++] = sample
    if (this.#filled < FRAME_SAMPLES) return
    const offset = mean(recent)
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#frame[i] = recent[i]! - offset
    this.#onFrame(this.#frame)
    recent.copyWithin(0, HOP_SAMPLES)
    this.#filled = FRAME_SAMPLES - HOP_SAMPLES
  }
}

function mean(samples: Float32Array): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum += samples[i]!
  return sum / samples.length
}

function variance(samples: Float32Array): number {
  let squares = 0
  for (let i = 0; i < samples.length; i++) squares += samples[i]! * samples[i]!
  return squares / samples.length - mean(samples) ** 2
}

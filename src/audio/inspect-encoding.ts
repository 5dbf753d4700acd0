import type { Glance, WarnOfAudio } from './inspect-warning.js'
import type { PcmEncoding, PcmFormat } from './pcm-format.js'
import { readFloats } from './pcm-floats.js'

/** What an encoding is mistaken for and misread as noise. Bytes signed or not show in the levels instead. */
const MISTAKEN_FOR: Record<PcmEncoding, readonly PcmEncoding[]> = {
  u8: [],
  s8: [],
  s16le: ['s16be'],
  s16be: ['s16le'],
  s24le: ['s24be'],
  s24be: ['s24le'],
  s32le: ['s32be'],
  s32be: ['s32le'],
  f32le: ['f32be'],
  f32be: ['f32le'],
  f64le: ['f64be'],
  f64be: ['f64le'],
  mulaw: ['alaw'],
  alaw: ['mulaw'],
}

/** Glances with sound in them before anything is said. */
const ENOUGH_GLANCES = 32
const ENOUGH_AT_END = 8
/** One sample in so many is compared with the one before it; a prime, so that all of several channels have their turn. */
const STRIDE = 5
/** A glance whose samples all lie under this tells nothing: −54 dBFS. */
const SOUND = 0.002
/**
 * What speech is when it is read right: 0.1 to 0.6 on the scale of {@link Roughness}. Noise is 1.4 however it is
 * read, and speech in the wrong byte order 0.5 to 1.3, in the wrong law 0.4 to 0.9.
 */
const SMOOTH = 0.75
/** How much smoother than the declared reading another one must be. Where the declared one is right, none is smoother at all. */
const BETTER = 0.85

/**
 * Compares how smooth the samples are as declared and as what they may be instead: the bytes of each in the other
 * order, the other law of G.711. Misread speech sounds like full-band noise. A quiet signal, and noise itself, look
 * alike either way, and nothing is said.
 */
export class EncodingCheck {
  readonly #declared: Roughness
  readonly #others: readonly Roughness[]
  readonly #warn: WarnOfAudio
  #glances = 0
  #isDone = false

  constructor({ encoding, channels }: PcmFormat, warn: WarnOfAudio) {
    this.#declared = new Roughness(encoding, channels)
    this.#others = MISTAKEN_FOR[encoding].map(other => new Roughness(other, channels))
    this.#warn = warn
  }

  look({ samples, view }: Glance): void {
    if (this.#isDone || !hasSound(samples)) return
    this.#declared.add(samples)
    for (const other of this.#others) other.addFrom(view, samples.length)
    if (++this.#glances === ENOUGH_GLANCES) this.#judge()
  }

  end(): void {
    if (!this.#isDone && this.#glances >= ENOUGH_AT_END) this.#judge()
  }

  #judge(): void {
    this.#isDone = true
    const declared = this.#declared
    const [best] = this.#others.toSorted((a, b) => a.value - b.value)
    if (!best || best.value > SMOOTH || best.value > BETTER * declared.value) return
    const isOrder = best.encoding.slice(0, -2) === declared.encoding.slice(0, -2)
    this.#warn({
      code: 'STT_WARN_ENCODING',
      message:
        `the audio is smoother read as ${best.encoding} than as ${declared.encoding}, which it is declared to be: from ` +
        `sample to sample it changes by ${percent(best.value)} of its level, not ${percent(declared.value)}. ` +
        (isOrder ? 'The bytes of each sample stand in the other order, or one byte was lost. ' : '') +
        `Declare encoding: '${best.encoding}'?`,
      evidence: {
        declared: declared.encoding,
        suggested: best.encoding,
        declaredRoughness: round(declared.value),
        suggestedRoughness: round(best.value),
      },
    })
  }
}

/** Mean change from sample to sample over the mean deviation: near 0 for a low tone, 1.41 for white noise, 2 at half the rate. */
class Roughness {
  readonly encoding: PcmEncoding
  readonly #channels: number
  #scratch = new Float32Array(0)
  #change = 0
  #deviation = 0

  constructor(encoding: PcmEncoding, channels: number) {
    this.encoding = encoding
    this.#channels = channels
  }

  get value(): number {
    return this.#deviation > 0 ? this.#change / this.#deviation : Infinity
  }

  addFrom(view: DataView, length: number): void {
    if (this.#scratch.length !== length) this.#scratch = new Float32Array(length)
    readFloats(view, this.encoding, this.#scratch)
    this.add(this.#scratch)
  }

  add(samples: Float32Array): void {
    const channels = this.#channels
    let sum = 0
    for (let i = 0; i < samples.length; i += STRIDE) sum += bounded(samples[i]!)
    const mean = (sum * STRIDE) / samples.length
    let change = 0
    let deviation = 0
    for (let i = channels; i < samples.length; i += STRIDE) {
      const sample = bounded(samples[i]!)
      change += Math.abs(sample - bounded(samples[i - channels]!))
      deviation += Math.abs(sample - mean)
    }
    this.#change += change
    this.#deviation += deviation
  }
}

/** Integers read as floating point are of any size, or no numbers. */
function bounded(sample: number): number {
  if (sample < -8) return -8
  return sample < 8 ? sample : 8
}

function hasSound(samples: Float32Array): boolean {
  for (let i = 0; i < samples.length; i += 7) if (Math.abs(samples[i]!) > SOUND) return true
  return false
}

const round = (value: number) => Math.round(value * 1_000) / 1_000
const percent = (value: number) => `${Math.round(value * 100)} %`

import { VoiceActivityDetector } from './voice-activity.js'
import {
  checkVoiceActivity,
  ENERGY,
  HOPS,
  SPEECH_HOPS,
  type VoiceActivityMeter,
} from './voice-activity-meter.js'

/** A hop counts as speech from this probability on; the native twin decides at the same score. */
const SPEECH_PROBABILITY = 0.5

/** The TypeScript twin of native/voice_activity. */
export class PortableVoiceActivity implements VoiceActivityMeter {
  readonly #detector = new VoiceActivityDetector()

  process(pcm: Uint8Array, report: Float64Array): void {
    checkVoiceActivity(pcm, report)
    const samples = toSamples(pcm)
    const probabilities = this.#detector.process(samples)
    report[HOPS] = probabilities.length
    report[SPEECH_HOPS] = probabilities.filter(probability => probability >= SPEECH_PROBABILITY).length
    let energy = 0
    for (const sample of samples) energy += sample * sample
    report[ENERGY] = energy
  }
}

/** Little-endian on every machine; the bytes of a pooled Buffer may stand at an odd offset. */
function toSamples({ buffer, byteOffset, byteLength }: Uint8Array): Int16Array {
  const view = new DataView(buffer, byteOffset, byteLength)
  const samples = new Int16Array(byteLength / 2)
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true)
  return samples
}

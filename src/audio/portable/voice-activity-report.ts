import { VoiceActivityDetector } from './voice-activity.js'
import {
  checkVoiceActivity,
  ENERGY,
  HOPS,
  SPEECH_HOPS,
  type VoiceActivityKernel,
} from './voice-activity-kernel.js'

/** A hop counts as speech from this probability on; the native twin decides at the same score. */
const SPEECH_PROBABILITY = 0.5

/** The TypeScript twin of native/voice_activity. */
export class PortableVoiceActivity implements VoiceActivityKernel {
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

/** A copy: the bytes of a pooled Buffer may stand at an odd offset. */
function toSamples(pcm: Uint8Array): Int16Array {
  const samples = new Int16Array(pcm.length / 2)
  new Uint8Array(samples.buffer).set(pcm)
  return samples
}

import waveResampler from 'wave-resampler'
import { downmixToInt16, samplesOf, toInt16 } from './edges.mjs'

/** It has no streams: as in the samples that use it, every chunk is resampled as if it stood alone. */
function peer(method) {
  return {
    name: `wave-resampler ${method}`,
    open({ sampleRateHertz, channels }) {
      return chunk => {
        // A copy, since it filters its input in place.
        const mono = Int16Array.from(downmixToInt16(samplesOf(chunk), channels))
        const resampled = waveResampler.resample(mono, sampleRateHertz, 16_000, { method })
        return toInt16(resampled, resampled.length, 32_768)
      }
    },
  }
}

export const peers = [peer('linear'), peer('cubic'), peer('sinc')]

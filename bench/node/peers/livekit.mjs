import { AudioFrame, AudioResampler, AudioResamplerQuality } from '@livekit/rtc-node'
import { downmixToInt16, samplesOf } from './edges.mjs'

function peer(name, quality) {
  return {
    name: `@livekit/rtc-node ${name}`,
    open({ sampleRateHertz, channels }) {
      const resampler = new AudioResampler(sampleRateHertz, 16_000, 1, quality)
      return chunk => {
        // A copy where the downmix makes none: AudioFrame reads its array's memory from the beginning.
        const mono = channels === 1 ? samplesOf(chunk).slice() : downmixToInt16(samplesOf(chunk), channels)
        const frames = resampler.push(new AudioFrame(mono, sampleRateHertz, 1, mono.length))
        return frames.length === 1 ? frames[0].data : joined(frames)
      }
    },
  }
}

function joined(frames) {
  const samples = new Int16Array(frames.reduce((sum, { data }) => sum + data.length, 0))
  let at = 0
  for (const { data } of frames) {
    samples.set(data, at)
    at += data.length
  }
  return samples
}

export const peers = [
  peer('medium', AudioResamplerQuality.MEDIUM),
  peer('high', AudioResamplerQuality.HIGH),
  peer('very high', AudioResamplerQuality.VERY_HIGH),
]

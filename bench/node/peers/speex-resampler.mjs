import speex from 'speex-resampler'
import { downmixToInt16, samplesOf } from './edges.mjs'

const SpeexResampler = speex.default ?? speex

function peer(quality) {
  return {
    name: `speex-resampler q${quality}`,
    async open({ sampleRateHertz, channels }) {
      await SpeexResampler.initPromise
      const resampler = new SpeexResampler(1, sampleRateHertz, 16_000, quality)
      return chunk => {
        const { buffer, byteOffset, byteLength } = downmixToInt16(samplesOf(chunk), channels)
        return samplesOf(resampler.processChunk(Buffer.from(buffer, byteOffset, byteLength)))
      }
    },
  }
}

export const peers = [peer(5), peer(7), peer(10)]

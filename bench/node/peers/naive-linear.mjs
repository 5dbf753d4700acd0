import { downmixToInt16, samplesOf } from './edges.mjs'

/** Linear interpolation as it is often written by hand, the position carried from chunk to chunk. */
export const peers = [
  {
    name: 'hand-written linear',
    open({ sampleRateHertz, channels }) {
      const step = sampleRateHertz / 16_000
      let position = 0
      let last = 0
      return chunk => {
        const mono = downmixToInt16(samplesOf(chunk), channels)
        const output = new Int16Array(Math.ceil((mono.length - position) / step) + 1)
        let count = 0
        // Position 0 is the last sample of the chunk before.
        for (; position < mono.length; position += step) {
          const index = Math.floor(position)
          const before = index === 0 ? last : mono[index - 1]
          output[count++] = Math.round(before + (position - index) * (mono[index] - before))
        }
        position -= mono.length
        last = mono[mono.length - 1]
        return output.subarray(0, count)
      }
    },
  },
]

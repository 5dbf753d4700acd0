import { SoftwareResampleContext } from 'node-av/lib'
import { AV_SAMPLE_FMT_S16 } from 'node-av/constants'
import { samplesOf } from './edges.mjs'

const layout = channels => ({ nbChannels: channels, order: 1, mask: channels === 1 ? 4n : 3n })
/** Room for what swresample holds back. */
const SPARE_SAMPLES = 4_096

export const peers = [
  {
    name: 'node-av swresample',
    open({ sampleRateHertz, channels }) {
      const context = new SoftwareResampleContext()
      const [input, output] = [layout(channels), layout(1)]
      context.allocSetOpts2(output, AV_SAMPLE_FMT_S16, 16_000, input, AV_SAMPLE_FMT_S16, sampleRateHertz)
      const status = context.init()
      if (status < 0) throw new Error(`swr_init: ${status}`)
      const buffer = Buffer.alloc(2 * (32_000 + SPARE_SAMPLES))
      return chunk => {
        const samples = chunk.length / (2 * channels)
        const count = context.convertSync([buffer], buffer.length / 2, [chunk], samples)
        if (count < 0) throw new Error(`swr_convert: ${count}`)
        return samplesOf(buffer.subarray(0, 2 * count))
      }
    },
  },
]

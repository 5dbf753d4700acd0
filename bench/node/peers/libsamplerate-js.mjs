import libsamplerate from '@alexanderolsen/libsamplerate-js'
import { downmixToFloat, samplesOf, toInt16 } from './edges.mjs'

const { ConverterType, create } = libsamplerate

function peer(name, converterType) {
  return {
    name: `libsamplerate-js ${name}`,
    async open({ sampleRateHertz, channels }) {
      const src = await create(1, sampleRateHertz, 16_000, { converterType })
      return chunk => {
        const resampled = src.full(downmixToFloat(samplesOf(chunk), channels))
        return toInt16(resampled, resampled.length, 1)
      }
    },
  }
}

export const peers = [
  peer('linear', ConverterType.SRC_LINEAR),
  peer('fastest', ConverterType.SRC_SINC_FASTEST),
  peer('medium', ConverterType.SRC_SINC_MEDIUM_QUALITY),
  peer('best', ConverterType.SRC_SINC_BEST_QUALITY),
]

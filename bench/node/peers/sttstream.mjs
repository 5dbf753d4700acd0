import { createResampler } from '../../../dist/native.js'
import { resample } from '../../../dist/audio/resample.js'
import { PortableResampler } from '../../../dist/audio/portable/resampler.js'
import { samplesOf } from './edges.mjs'

const LONGEST_CHUNK_SECONDS = 1

/** The kernel as the Transform calls it, into one output that is used again. */
function intoReusedOutput(kernel, { sampleRateHertz, channels }) {
  const output = Buffer.alloc(2 * kernel.maxOutput(LONGEST_CHUNK_SECONDS * sampleRateHertz * channels * 2))
  return chunk => samplesOf(output.subarray(0, 2 * kernel.process(chunk, output)))
}

/** The stage as the library joins it: chunks in by write(), pooled Buffers out by read(). */
function throughTransform(stage) {
  return chunk => {
    stage.write(chunk)
    const output = stage.read()
    return output ? samplesOf(output) : new Int16Array(0)
  }
}

const format = ({ sampleRateHertz, channels }) => ({ encoding: 's16le', sampleRateHertz, channels })

const QUALITIES = ['high', 'fast']

export const peers = QUALITIES.flatMap(quality => [
  {
    name: `sttstream ${quality}, addon`,
    open: input => intoReusedOutput(createResampler(format(input), { quality }), input),
  },
  {
    name: `sttstream ${quality}, Transform`,
    open: input => throughTransform(resample({ format: format(input), quality })),
  },
  {
    name: `sttstream ${quality}, TypeScript twin`,
    open: input => intoReusedOutput(new PortableResampler(format(input), { quality }), input),
  },
])

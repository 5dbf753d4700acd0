import { createResampler } from '../../../dist/native.js'
import { resample } from '../../../dist/audio/resample.js'
import { PortableResampler } from '../../../dist/audio/portable/resampler.js'
import { samplesOf } from './edges.mjs'

/** One second of 16 kHz LINEAR16, used again by every chunk of every stream, and a view of it for each length. */
const output = Buffer.alloc(2 * 16_000)
const views = []

/** The resampler as the Transform calls it, into the output above. */
function intoReusedOutput(resampler) {
  return chunk => {
    const samples = resampler.process(chunk, output)
    return (views[samples] ??= new Int16Array(output.buffer, output.byteOffset, samples))
  }
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
    open: input => intoReusedOutput(createResampler(format(input), { quality })),
  },
  {
    name: `sttstream ${quality}, Transform`,
    open: input => throughTransform(resample({ format: format(input), quality })),
  },
  {
    name: `sttstream ${quality}, TypeScript twin`,
    open: input => intoReusedOutput(new PortableResampler(format(input), { quality })),
  },
])

/**
 * The stages without a service: what is in a file, how loud it is, and where somebody speaks.
 *
 *   node examples/stages.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { decode, frame, resample } from 'sttstream'

const [file] = process.argv.slice(2)
const decoder = decode()
decoder.on('format', ({ encoding, sampleRateHertz, channels }) =>
  console.log(`${encoding}, ${sampleRateHertz} Hz, ${channels} channel(s)`),
)

await pipeline(
  createReadStream(file),
  decoder,
  // Takes the format from the decoder, which knows it before its first chunk.
  resample({ format: decoder }),
  frame({ frameMs: 200, startMs: 0 }),
  async frames => {
    for await (const { startMs, levelDb, voiced } of frames) {
      console.log(
        `${String(startMs).padStart(7)} ms ${levelDb.toFixed(0).padStart(5)} dB${voiced ? '  speech' : ''}`,
      )
    }
  },
)

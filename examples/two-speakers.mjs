/**
 * A call recorded in stereo, one speaker on each side: each gets a session of its own, so that nobody's words are
 * mixed with another's. Both sessions take audio at the pace of the slower.
 *
 *   node examples/two-speakers.mjs call.wav
 */
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { decode, splitChannels, sttStream } from 'sttstream'

const [path] = process.argv.slice(2)
const decoder = decode({ path })
// From here on the format is known; of an empty file it never is.
await once(decoder, 'readable')
if (!decoder.format) throw new Error('the file is empty')

const finals = []
const splitter = splitChannels({ format: decoder.format })

async function listen(output, channel) {
  const stream = sttStream({ url: process.env.STT_URL ?? 'local', input: output.format })
  await pipeline(output, stream, async events => {
    for await (const { type, isFinal, transcript, startMs = 0 } of events) {
      if (type === 'transcription' && isFinal) finals.push({ startMs, channel, transcript })
    }
  })
}

await Promise.all([pipeline(decoder, splitter), ...splitter.outputs.map(listen)])
finals.sort((a, b) => a.startMs - b.startMs)
for (const { startMs, channel, transcript } of finals)
  console.log(`${startMs} ms, channel ${channel}: ${transcript}`)

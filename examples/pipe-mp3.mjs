/**
 * A file of any kind that ffmpeg reads, with interims and word times.
 *
 *   node examples/pipe-mp3.mjs talk.mp3
 *   STT_URL=wss://… INWORLD_API_KEY=… node examples/pipe-mp3.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { sttStream } from 'sttstream'

const [file] = process.argv.slice(2)
const stream = sttStream({ url: process.env.STT_URL ?? 'local', includeWordTimestamps: true })

// pipeline() and not .pipe(): a file that cannot be read then fails here, and not as an unheard event.
await pipeline(createReadStream(file), stream, async events => {
  for await (const event of events) {
    if (event.type !== 'transcription') continue
    if (!event.isFinal) console.log(`… ${event.transcript}`)
    else console.log(`${event.turnId}: ${event.transcript}`)
    for (const { word, startMs, endMs } of event.isFinal ? event.wordTimestamps : []) {
      console.log(`   ${startMs} to ${endMs} ms  ${word}`)
    }
  }
})

const { decodedMs, finals } = stream.stats()
console.log(`${(decodedMs / 1000).toFixed(1)} s of audio, ${finals} turns`)

/**
 * Stops in mid-sentence, here as soon as anything has been understood. An abort ends the stream at once, with
 * everything below it: ffmpeg, the connection, the timers.
 *
 *   node examples/abort.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { sttStream } from 'sttstream'

const [file] = process.argv.slice(2)
const controller = new AbortController()
const stream = sttStream({ url: process.env.STT_URL ?? 'local', signal: controller.signal })

try {
  await pipeline(createReadStream(file), stream, async events => {
    for await (const event of events) {
      if (event.type !== 'transcription') continue
      console.log(event.transcript)
      controller.abort()
    }
  })
} catch (error) {
  if (error.name !== 'AbortError') throw error
  console.log(`stopped after ${Math.round(stream.stats().sentMs)} ms of audio`)
}

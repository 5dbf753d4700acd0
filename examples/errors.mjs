/**
 * What can go wrong, and what to do then. Codes and remedies: docs/errors.md.
 *
 *   node examples/errors.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { SttError, sttStream } from 'sttstream'

const [file] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'

try {
  sttStream({ url, frameMs: 5 })
} catch (error) {
  // Misuse is thrown at the call, before anything opens.
  console.log(`${error.name}: ${error.message}`)
}

const finals = []
const stream = sttStream({ url, retry: { maxAttempts: 5 } })
stream.on('warning', ({ code, message }) => console.log(`${code}: ${message}`))
// What may pass by itself is tried again, and the audio since the last safe point with it.
stream.on('reconnecting', ({ attempt, cause }) => console.log(`attempt ${attempt} after ${cause.code}`))
try {
  await pipeline(createReadStream(file), stream, async events => {
    for await (const event of events) {
      if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
    }
  })
  console.log(finals.join('\n'))
} catch (error) {
  // The code is for programs, the message for people.
  console.log(error instanceof SttError ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}

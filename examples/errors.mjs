/**
 * What can go wrong, and what to do then. Codes and remedies: docs/errors.md.
 *
 *   node examples/errors.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { SttError, sttStream } from 'sttstream'

const ATTEMPTS = 3
const [file] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'

try {
  sttStream({ url, frameMs: 5 })
} catch (error) {
  // Misuse is thrown at the call, before anything opens.
  console.log(`${error.name}: ${error.message}`)
}

async function transcribe() {
  const finals = []
  const stream = sttStream({ url })
  stream.on('warning', ({ code, message }) => console.log(`${code}: ${message}`))
  await pipeline(createReadStream(file), stream, async events => {
    for await (const event of events) {
      if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
    }
  })
  return finals.join('\n')
}

for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
  try {
    console.log(await transcribe())
    break
  } catch (error) {
    // The code is for programs, the message for people.
    console.log(error instanceof SttError ? `${error.code}: ${error.message}` : error)
    const retryable = error instanceof SttError && error.retryable
    if (!retryable || attempt === ATTEMPTS) {
      process.exitCode = 1
      break
    }
    await delay(error.retryAfterMs ?? 500 * 2 ** attempt)
  }
}

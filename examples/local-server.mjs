/**
 * One local server for several streams: it loads the recogniser's model once. `url: 'local'` does the same
 * behind the scenes; a server of your own has a port, a key and limits that you choose.
 *
 *   node examples/local-server.mjs FILE…
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { sttStream } from 'sttstream'
import { startLocalServer } from 'sttstream/testing'

const files = process.argv.slice(2)
const apiKey = randomUUID()
const server = await startLocalServer({ apiKey, limits: { maxConnections: 10 } })
console.log(`${server.recognizerName} listens on ${server.url}`)

try {
  // One after the other: there are as many decoders as the machine has cores.
  for (const file of files) {
    const stream = sttStream({ url: server.url, apiKey, interimResults: false })
    await pipeline(createReadStream(file), stream, async events => {
      for await (const event of events) {
        if (event.type === 'transcription') console.log(`${file}: ${event.transcript}`)
      }
    })
  }
} finally {
  await server.close()
}

/**
 * Web streams: the body of a fetch() goes in, a ReadableStream of events comes out.
 *
 *   node examples/web-stream.mjs https://example.com/talk.mp3
 */
import { Duplex } from 'node:stream'
import { sttStream } from 'sttstream'

const [address] = process.argv.slice(2)
const response = await fetch(address)
if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`)

const events = response.body.pipeThrough(Duplex.toWeb(sttStream({ url: process.env.STT_URL ?? 'local' })))
for await (const event of events) {
  if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
}

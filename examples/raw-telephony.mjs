/**
 * Audio as a telephone exchange sends it: mu-law at 8 kHz, one packet each 20 ms, live. What it is must be said,
 * since raw audio has no header. The file stands in for the exchange.
 *
 *   ffmpeg -i talk.mp3 -ar 8000 -ac 1 -f mulaw call.ulaw
 *   node examples/raw-telephony.mjs call.ulaw
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { sttStream } from 'sttstream'

const PACKET_MS = 20
const PACKET_BYTES = 160

const [file] = process.argv.slice(2)
const call = await readFile(file)
const stream = sttStream({
  url: process.env.STT_URL ?? 'local',
  input: { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 },
})

async function speak() {
  const startedMs = performance.now()
  for (let packet = 0; packet * PACKET_BYTES < call.length; packet++) {
    await delay(startedMs + packet * PACKET_MS - performance.now())
    // A live source cannot be held back; the stream keeps what it cannot send yet.
    stream.write(call.subarray(packet * PACKET_BYTES, (packet + 1) * PACKET_BYTES))
  }
  stream.end()
}

async function listen() {
  for await (const event of stream) {
    if (event.type === 'speechStarted') console.log(`(speech from ${event.startMs} ms)`)
    if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
  }
}

await Promise.all([speak(), listen()])

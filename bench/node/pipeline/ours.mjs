import { sttStream } from '../../../dist/index.js'

/** The library's whole path: raw decode → resample → frame (with voice activity) → session → WebSocket. */
export async function openCall(url) {
  const stream = sttStream({
    url,
    pace: false,
    input: { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 },
  })
  stream.resume()
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject))
  return {
    push(message) {
      const { media } = JSON.parse(message)
      stream.write(Buffer.from(media.payload, 'base64'))
    },
    async end() {
      const closed = new Promise(resolve => stream.once('close', resolve))
      stream.end()
      await closed
    },
  }
}

/** One phone call as a media stream sends it: 8 kHz mulaw in JSON messages of 20 ms, payload in base64. */

export const MESSAGE_MS = 20
const BYTES_PER_MESSAGE = 160

/** The messages of so many seconds, as the text that a WebSocket would hand over. Seeded noise, since no codec cares. */
export function messagesOf(seconds) {
  const count = (1_000 * seconds) / MESSAGE_MS
  let state = 1
  return Array.from({ length: count }, (_, i) => {
    const payload = Buffer.alloc(BYTES_PER_MESSAGE)
    for (let k = 0; k < payload.length; k++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      payload[k] = state >>> 24
    }
    return JSON.stringify({
      event: 'media',
      sequenceNumber: String(i + 2),
      streamSid: 'MZ18ad3ab5a668481ce02b83e7395059f0',
      media: {
        track: 'inbound',
        chunk: String(i + 1),
        timestamp: String(i * MESSAGE_MS),
        payload: payload.toString('base64'),
      },
    })
  })
}

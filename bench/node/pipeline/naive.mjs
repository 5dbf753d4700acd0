import alawmulaw from 'alawmulaw'
import waveResampler from 'wave-resampler'
import WebSocket from 'ws'

const FRAME_SAMPLES = 1_600

/** As phone samples do it: each message resampled alone, 100 ms to a message, JSON.stringify, ws.send. */
export const openNaiveCall = method =>
  async function openCall(url) {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send(JSON.stringify({ transcribeConfig: { audioEncoding: 'LINEAR16', sampleRateHertz: 16_000 } }))
    let frame = new Int16Array(FRAME_SAMPLES)
    let filled = 0
    return {
      push(message) {
        const { media } = JSON.parse(message)
        const pcm = alawmulaw.mulaw.decode(Buffer.from(media.payload, 'base64'))
        const samples = Int16Array.from(waveResampler.resample(pcm, 8_000, 16_000, { method }))
        frame.set(samples, filled)
        filled += samples.length
        if (filled < FRAME_SAMPLES) return
        socket.send(JSON.stringify({ audioChunk: { content: Buffer.from(frame.buffer).toString('base64') } }))
        frame = new Int16Array(FRAME_SAMPLES)
        filled = 0
      },
      async end() {
        const closed = new Promise(resolve => socket.once('close', resolve))
        socket.send(JSON.stringify({ closeStream: {} }))
        await closed
      },
    }
  }

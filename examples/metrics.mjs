/**
 * How long the service takes, while it runs and at the end. Latencies run from when the audio left to when its words
 * came; what they mean is in docs/observability.md.
 *
 *   node examples/metrics.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { sttStream } from 'sttstream'

const [file] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'
const stream = sttStream({ url, metricsIntervalMs: 5_000 })

stream.on('metrics', ({ decodedMs, queueMs, audioToInterim, audioToFinal, finals, bytesSent }) => {
  const [minutes, waiting] = [decodedMs / 60_000, queueMs / 1_000].map(value => value.toFixed(1))
  console.log(`${minutes} min read, ${waiting} s of it waiting, ${bytesSent} bytes sent, ${finals} turns`)
  for (const [what, latency] of Object.entries({ interims: audioToInterim, finals: audioToFinal })) {
    // Absent until there is something to measure.
    if (!latency) continue
    const { count, p50Ms, p95Ms, maxMs } = latency
    const [half, most, worst] = [p50Ms, p95Ms, maxMs].map(Math.round)
    console.log(`  ${count} ${what}: half within ${half} ms, 95 % within ${most} ms, all within ${worst} ms`)
  }
})

await pipeline(createReadStream(file), stream, async events => {
  for await (const event of events) {
    if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
  }
})

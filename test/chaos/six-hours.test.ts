import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { sttStream, type SttEvent, type TranscriptionEvent } from '#dist/index.js'
import {
  scriptedRecognizer,
  stampedAudio,
  startLocalServer,
  type Faults,
  type ScriptedUtterance,
} from '#dist/testing.js'

const HOUR_MS = 3_600_000
const DURATION_MS = 6 * HOUR_MS
const PIECE_MS = 10_000
/** Every connection dies after so much audio. */
const LIFE_MS = 5 * 60_000
const CONNECTIONS = DURATION_MS / LIFE_MS
const ROUNDING_MS = 2

/** One sentence in 10 s; each begins a little later than the last. */
const script: ScriptedUtterance[] = Array.from({ length: DURATION_MS / PIECE_MS }, (_, index) => {
  const startMs = index * PIECE_MS + 1_000 + (index % 50) * 100
  return { startMs, endMs: startMs + 1_500, text: `this is sentence ${index}` }
})

/** The ways in which a service ends a session, one after the other. */
const DEATHS: readonly Faults[] = [
  { close: { code: 1000, at: { afterAudioMs: LIFE_MS }, afterFinals: true } },
  { close: { code: 1001, at: { afterAudioMs: LIFE_MS } } },
  { close: { code: 1006, at: { afterAudioMs: LIFE_MS } } },
  { error: { code: 14, message: 'the session is too long', at: { afterAudioMs: LIFE_MS } } },
]

function* source() {
  for (let atMs = 0; atMs < DURATION_MS; atMs += PIECE_MS) {
    const piece = script.slice(Math.max(0, atMs / PIECE_MS - 1), atMs / PIECE_MS + 1)
    yield stampedAudio(piece, PIECE_MS, atMs)
  }
}

t.test('six hours over connections that die every five minutes are one stream', async t => {
  const server = await startLocalServer({
    recognizer: scriptedRecognizer(script, { clock: 'stamps' }),
    faults: index => DEATHS[index % DEATHS.length],
  })
  t.teardown(() => server.close())
  const stream = sttStream({
    url: server.url,
    input: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
    interimResults: false,
    retry: { baseDelayMs: 1, maxDelayMs: 5 },
    // Unpaced, what lies unread in the buffers of TCP is minutes of audio.
  })
  let lostMs = 0
  stream.on('reconnected', (notice: { lostMs: number }) => (lostMs += notice.lostMs))
  const finals: TranscriptionEvent[] = []
  await pipeline(source, stream, async (events: AsyncIterable<SttEvent>) => {
    for await (const event of events) if (event.type === 'transcription') finals.push(event)
  })
  const { connections, decodedMs } = stream.stats()
  t.equal(decodedMs, DURATION_MS)
  t.ok(connections >= CONNECTIONS, `${connections} connections`)
  t.equal(lostMs, 0)
  t.strictSame(
    finals.filter(({ overlapMs }) => overlapMs === undefined).map(({ transcript }) => transcript),
    script.map(({ text }) => text),
  )
  const misplaced = finals.filter(({ startMs, endMs, turnId }) => {
    const said = script[turnId - 1]!
    return Math.abs(said.startMs - startMs!) > ROUNDING_MS || Math.abs(said.endMs - endMs!) > ROUNDING_MS
  })
  t.strictSame(misplaced, [])
})

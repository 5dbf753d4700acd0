import { once } from 'node:events'
import t from 'tap'
import { sttStream, type SttEvent } from '#dist/index.js'
import { ManualTurnLimit } from '#dist/stt/manual-turn-limit.js'
import { frames } from './fixtures/frames.js'
import { scriptedServer, toneWav } from './fixtures/scripted.js'

const ends = (limit: ManualTurnLimit, voiced: (index: number) => boolean, count: number) =>
  frames(count).flatMap((frame, index) =>
    limit.mustEndAfter({ ...frame, voiced: voiced(index) }) ? [(index + 1) * 100] : [],
  )

t.test('ends a long turn at the limit, or in a pause shortly before', t => {
  const limit = new ManualTurnLimit(2_000)
  t.strictSame(
    ends(limit, () => true, 100),
    [],
    'off where the service ends turns',
  )
  limit.enabled = true
  t.strictSame(
    ends(limit, () => true, 45),
    [2_000, 4_000],
  )
  limit.ended()
  t.strictSame(
    ends(limit, index => index !== 18 && index !== 5, 45),
    [1_900, 3_900],
  )
  t.end()
})

t.test('keeps a manual turn of a minute within what the service takes', async t => {
  const script = [
    { startMs: 1_000, endMs: 2_000, text: 'begin' },
    { startMs: 57_000, endMs: 58_000, text: 'end' },
  ]
  const server = await scriptedServer(t, { script, faults: { longTurn: 'error' } })
  const stream = sttStream({ url: server.url, inworldSttV1Config: { vadThreshold: 0 } })
  const warnings: { code: string }[] = []
  stream.on('warning', (warning: { code: string }) => warnings.push(warning))
  const finals: string[] = []
  stream.on('data', (event: SttEvent) => {
    if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
  })
  stream.end(toneWav(60_000))
  await once(stream, 'close')
  t.strictSame(finals, ['begin', 'end'])
  t.match(warnings, [{ code: 'STT_WARN_TURN_SPLIT' }, { code: 'STT_WARN_TURN_SPLIT' }])
  t.equal(server.sessions[0]?.endTurns, 3)
})

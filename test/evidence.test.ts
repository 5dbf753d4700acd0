import t from 'tap'
import type { ServerMessage } from '#dist/stt/protocol.js'
import { Evidence } from '#dist/stt/evidence.js'

const final = (endMs?: number): ServerMessage => ({
  kind: 'transcription',
  transcript: 'x',
  isFinal: true,
  words: endMs === undefined ? [] : [{ word: 'x', startMs: 0, endMs }],
})
const interim: ServerMessage = { kind: 'transcription', transcript: 'x', isFinal: false, words: [] }

t.test('holds voiced audio pending until a final or a later speech proves it heard', async t => {
  const evidence = new Evidence()
  evidence.sent(1_000, false)
  t.notOk(evidence.pending, 'silence is not pending')
  evidence.sent(2_000, true)
  t.ok(evidence.pending)
  evidence.received(final(1_900))
  t.notOk(evidence.pending)
  t.equal(evidence.provenMs, 1_900)
  evidence.sent(4_000, true)
  t.ok(evidence.pending)
  evidence.received(final(2_500))
  t.ok(evidence.pending, 'a final of older audio proves nothing about the newer')
  evidence.received({ kind: 'speechStarted', startMs: 4_100 })
  t.notOk(evidence.pending)
})

t.test('holds an open interim pending, and trusts no final without times', async t => {
  const evidence = new Evidence()
  evidence.received(interim)
  t.ok(evidence.pending)
  evidence.received(final())
  t.notOk(evidence.pending)
  evidence.sent(3_000, true)
  evidence.received(final())
  t.ok(evidence.pending)
  t.equal(evidence.provenMs, 0)
})

t.test('holds even the shortest first speech pending', async t => {
  const evidence = new Evidence()
  evidence.sent(100, true)
  t.ok(evidence.pending)
})

t.test('knows whether anything was said', async t => {
  const evidence = new Evidence()
  t.notOk(evidence.heard)
  evidence.received({ kind: 'unknown', message: {} })
  t.ok(evidence.heard)
})

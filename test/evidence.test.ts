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
  t.equal(evidence.provenMs, 4_100)
  t.ok(evidence.pending, 'the service hears what our voice activity does not')
  evidence.received(final(2_500))
  t.ok(evidence.pending, 'a final of what came before')
  evidence.received({ kind: 'transcription', transcript: '', isFinal: true, words: [] })
  t.notOk(evidence.pending, 'a false start')
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

t.test('proves nothing by a pause within a turn', async t => {
  const evidence = new Evidence()
  evidence.received({ kind: 'speechStarted', startMs: 500 })
  t.equal(evidence.provenMs, 500, 'before the first speech nothing was said')
  evidence.received({ kind: 'speechStarted', startMs: 1_500 })
  t.equal(evidence.provenMs, 500, 'the first words have no final yet')
  evidence.received(final(1_900))
  evidence.received({ kind: 'speechStarted', startMs: 3_000 })
  t.equal(evidence.provenMs, 3_000)
})

t.test('lets an empty final cover nothing, and a late one not the speech after it', async t => {
  const evidence = new Evidence()
  evidence.received({ kind: 'speechStarted', startMs: 500 })
  evidence.received({ kind: 'transcription', transcript: '', isFinal: true, words: [] })
  evidence.received({ kind: 'speechStarted', startMs: 1_500 })
  t.equal(evidence.provenMs, 500)

  const late = new Evidence()
  late.received({ kind: 'speechStarted', startMs: 500 })
  late.received({ kind: 'speechStarted', startMs: 2_000 })
  late.received(final(900))
  t.equal(late.provenMs, 900)
  late.received({ kind: 'speechStarted', startMs: 2_800 })
  t.equal(late.provenMs, 900, 'the turn that began at 2000 is still open')
})

t.test('is settled as far as it was sent, or up to what may still bring a final', t => {
  const evidence = new Evidence()
  t.equal(evidence.settledMs, 0)
  evidence.sent(1_000, false)
  t.equal(evidence.settledMs, 1_000, 'silence brings no final')
  evidence.sent(1_100, true)
  evidence.sent(1_200, true)
  t.equal(evidence.settledMs, 800, 'a word may begin a little before the voice is heard')
  evidence.received({ kind: 'speechStarted', startMs: 950 })
  t.equal(evidence.settledMs, 950, 'the service says where it begins')
  evidence.sent(2_000, false)
  evidence.received(final(1_150))
  t.equal(evidence.settledMs, 2_000)
  t.end()
})

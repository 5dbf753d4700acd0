import t from 'tap'
import { ResultQueue } from '#dist/stt/result-queue.js'
import type { UnnumberedTranscription } from '#dist/stt/turns.js'

const result = (turnId: number, transcript: string, isFinal = false): UnnumberedTranscription => ({
  type: 'transcription',
  transcript,
  isFinal,
  turnId,
  wordTimestamps: [],
})

function drain(queue: ResultQueue) {
  const events = []
  for (let event; (event = queue.shift());) events.push(event)
  return events
}

t.test('replaces an unread interim of the same turn and leaves no gap in seq', async t => {
  const queue = new ResultQueue(10)
  queue.pushTranscription(result(1, 'a'))
  queue.push({ type: 'speechStopped', atMs: 1, silenceDurationMs: 1 })
  queue.pushTranscription(result(1, 'a b'))
  queue.pushTranscription(result(1, 'a b c'))
  queue.pushTranscription(result(1, 'A b c.', true))
  queue.pushTranscription(result(2, 'd'))
  t.match(drain(queue), [
    { seq: 1, transcript: 'a b c', isFinal: false },
    { type: 'speechStopped' },
    { seq: 2, transcript: 'A b c.', isFinal: true },
    { seq: 3, transcript: 'd' },
  ])
})

t.test('delivers every interim to a reader who keeps up', async t => {
  const queue = new ResultQueue(10)
  const seen = ['a', 'a b'].map(text => {
    queue.pushTranscription(result(1, text))
    return queue.shift()
  })
  t.match(seen, [
    { seq: 1, transcript: 'a' },
    { seq: 2, transcript: 'a b' },
  ])
})

t.test('is full only by what cannot be replaced', async t => {
  const queue = new ResultQueue(2)
  for (let i = 0; i < 100; i++) queue.pushTranscription(result(1, `interim ${i}`))
  t.equal(queue.length, 1)
  t.notOk(queue.full)
  queue.pushTranscription(result(1, 'final', true))
  t.ok(queue.full)
})

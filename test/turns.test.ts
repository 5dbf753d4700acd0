import t from 'tap'
import { Turns } from '#dist/stt/turns.js'
import type { TranscriptionMessage } from '#dist/stt/protocol.js'

function message(transcript: string, isFinal: boolean, times: [number, number][] = []): TranscriptionMessage {
  const words = times.map(([startMs, endMs], index) => ({ word: `w${index}`, startMs, endMs }))
  return { kind: 'transcription', transcript, isFinal, words }
}

t.test('holds the turn id from the first interim to the final', async t => {
  const turns = new Turns()
  const results = [
    turns.accept(message('one', false)),
    turns.accept(message('one two', false)),
    turns.accept(message('One two.', true)),
    turns.accept(message('three', false)),
    turns.accept(message('Three.', true)),
    turns.accept(message('Four.', true)),
  ]
  t.strictSame(
    results.map(result => [result?.turnId, result?.isFinal, result?.transcript]),
    [
      [1, false, 'one'],
      [1, false, 'one two'],
      [1, true, 'One two.'],
      [2, false, 'three'],
      [2, true, 'Three.'],
      [3, true, 'Four.'],
    ],
  )
})

t.test('takes an empty final without interims for no turn, and lets one end an open turn', async t => {
  const turns = new Turns()
  t.equal(turns.accept(message('', true)), undefined)
  t.equal(turns.accept(message('', false)), undefined)
  t.match(turns.accept(message('noise', false)), { turnId: 1 })
  t.match(turns.accept(message('', true)), { turnId: 1, isFinal: true, transcript: '' })
  t.match(turns.accept(message('word', true)), { turnId: 2 })
})

t.test('spans the turn by its word times', async t => {
  const result = new Turns().accept(
    message('a b', true, [
      [100, 200],
      [300, 450],
    ]),
  )
  t.match(result, { startMs: 100, endMs: 450 })
  t.strictSame(result?.wordTimestamps, [
    { word: 'w0', startMs: 100, endMs: 200 },
    { word: 'w1', startMs: 300, endMs: 450 },
  ])
  t.notOk('startMs' in (new Turns().accept(message('a', true)) ?? {}), 'no times, no fields')
})

t.test('promotes a left-over interim once', async t => {
  const turns = new Turns()
  t.equal(turns.promote(), undefined)
  turns.accept(message('left over', false))
  t.match(turns.promote(), { transcript: 'left over', isFinal: true, promoted: true, turnId: 1 })
  t.equal(turns.promote(), undefined)
})

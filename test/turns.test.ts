import t from 'tap'
import { Turns } from '#dist/stt/turns.js'
import type { TranscriptionMessage } from '#dist/stt/protocol.js'

const same = (ms: number) => ms
function message(transcript: string, isFinal: boolean, times: [number, number][] = []): TranscriptionMessage {
  const words = times.map(([startMs, endMs], index) => ({ word: `w${index}`, startMs, endMs }))
  return { kind: 'transcription', transcript, isFinal, words }
}

t.test('holds the turn id from the first interim to the final', async t => {
  const turns = new Turns()
  const results = [
    turns.accept(message('one', false), same),
    turns.accept(message('one two', false), same),
    turns.accept(message('One two.', true), same),
    turns.accept(message('three', false), same),
    turns.accept(message('Three.', true), same),
    turns.accept(message('Four.', true), same),
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
  t.equal(turns.accept(message('', true), same), undefined)
  t.equal(turns.accept(message('', false), same), undefined)
  t.match(turns.accept(message('noise', false), same), { turnId: 1 })
  t.match(turns.accept(message('', true), same), { turnId: 1, isFinal: true, transcript: '' })
  t.match(turns.accept(message('word', true), same), { turnId: 2 })
})

t.test("places word times on the source's clock and spans the turn", async t => {
  const result = new Turns().accept(
    message('a b', true, [
      [100, 200],
      [300, 450],
    ]),
    ms => ms + 1_000,
  )
  t.match(result, { startMs: 1_100, endMs: 1_450 })
  t.strictSame(result?.wordTimestamps, [
    { word: 'w0', startMs: 1_100, endMs: 1_200 },
    { word: 'w1', startMs: 1_300, endMs: 1_450 },
  ])
  t.notOk('startMs' in (new Turns().accept(message('a', true), same) ?? {}), 'no times, no fields')
})

t.test('promotes a left-over interim once', async t => {
  const turns = new Turns()
  t.equal(turns.promote(), undefined)
  turns.accept(message('left over', false), same)
  t.match(turns.promote(), { transcript: 'left over', isFinal: true, promoted: true, turnId: 1 })
  t.equal(turns.promote(), undefined)
})

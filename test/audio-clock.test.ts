import t from 'tap'
import { AudioClock } from '#dist/stt/audio-clock.js'

t.test('maps connection time to source time across a late start and padding', async t => {
  const clock = new AudioClock()
  t.equal(clock.toSource(123), 123, 'nothing sent: the same')
  clock.book(5_000, 100, 0)
  clock.book(5_100, 7, 13) // an end of turn: 7 ms of source padded to 20
  clock.book(5_107, 100, 0)
  t.equal(clock.sentMs, 220)
  t.equal(clock.insertedMs, 13)
  for (const [connectionMs, sourceMs] of [
    [0, 5_000],
    [99, 5_099],
    [107, 5_107],
    [115, 5_107],
    [120, 5_107],
    [150, 5_137],
    [220, 5_207],
    [9_999, 5_207],
  ] as const) {
    t.equal(clock.toSource(connectionMs), sourceMs, `${connectionMs} ms of the connection`)
  }
})

t.test('never runs backwards, and stays exact over many turns', async t => {
  const clock = new AudioClock()
  let sourceMs = 0
  for (let turn = 0; turn < 1_000; turn++) {
    clock.book(sourceMs, 100, 0)
    clock.book(sourceMs + 100, 5, 15)
    sourceMs += 105
  }
  let last = -1
  for (let ms = 0; ms <= clock.sentMs; ms += 7) {
    const mapped = clock.toSource(ms)
    if (mapped < last) t.fail(`${ms} ms maps to ${mapped}, before ${last}`)
    last = mapped
  }
  t.equal(clock.toSource(clock.sentMs), sourceMs)
})

import t from 'tap'
import { SendTimes } from '#dist/stt/send-times.js'

t.test('knows when each instant of the source left, to the frame', async t => {
  const times = new SendTimes()
  t.equal(times.newestMs, 0)
  t.equal(times.at(50), undefined, 'nothing was sent')
  times.add(100, 1_000)
  times.add(200, 1_105)
  for (const [ms, sentAtMs] of [
    [0.1, 1_000],
    [100, 1_000],
    [100.1, 1_105],
    [200, 1_105],
    [200.1, undefined],
  ] as const) {
    t.equal(times.at(ms), sentAtMs, `${ms} ms`)
  }
  t.equal(times.newestMs, 200)
})

t.test('keeps the time at which audio first left when it is sent again', async t => {
  const times = new SendTimes()
  for (const endMs of [100, 200, 300]) times.add(endMs, endMs)
  for (const endMs of [200, 300, 400]) times.add(endMs, 9_000 + endMs)
  t.equal(times.at(150), 200)
  t.equal(times.at(300), 300)
  t.equal(times.at(301), 9_400)
})

t.test('forgets what is settled, and nothing behind it', async t => {
  const times = new SendTimes()
  for (const endMs of [100, 200, 300]) times.add(endMs, endMs)
  times.forgetUntil(150)
  t.equal(times.at(150), undefined)
  t.equal(times.at(151), 200)
  times.forgetUntil(20)
  t.equal(times.at(100), undefined, 'what is forgotten stays so')
  times.forgetUntil(5_000)
  t.equal(times.newestMs, 300, 'what was not sent cannot be settled')
  times.add(300, 7_000)
  t.equal(times.at(300), undefined)
  times.add(400, 8_000)
  t.equal(times.at(400), 8_000)
})

/** Frames of which nothing is ever settled, at times that `sentAt` gives; every instant of all is asked for. */
function worstError(frames: number, sentAt: (frame: number) => number) {
  const times = new SendTimes()
  for (let i = 0; i < frames; i++) times.add((i + 1) * 100, sentAt(i))
  const nowMs = sentAt(frames - 1)
  let worst = 0
  for (let i = 0; i < frames; i++) {
    const latencyMs = nowMs - sentAt(i)
    const error = latencyMs - (nowMs - (times.at((i + 1) * 100) ?? NaN))
    worst = error === 0 ? worst : Math.max(worst, error / latencyMs)
    if (Number.isNaN(error) || error < 0) return NaN
  }
  return worst
}

t.test('is within 4 % of any latency although nothing is settled for an hour, 8 % for a day', async t => {
  const HOUR = 36_000
  t.equal(
    worstError(250, i => i * 100),
    0,
    'the newest 25 s are exact',
  )
  for (const [name, hours, sentAt] of [
    ['real time', 1, (i: number) => i * 100],
    ['late timers', 1, (i: number) => i * 100 + (i % 7) * 13],
    ['twenty times real time', 1, (i: number) => i * 5],
    ['in bursts of 5 s', 1, (i: number) => Math.floor(i / 50) * 5_000],
    ['an outage of a minute', 1, (i: number) => i * 100 + (i > 5_000 ? 60_000 : 0)],
    ['all at once', 1, () => 1_000],
    ['real time', 24, (i: number) => i * 100],
  ] as const) {
    const worst = worstError(hours * HOUR, sentAt)
    t.ok(worst <= (hours === 1 ? 0.04 : 0.08), `${hours} h, ${name}: ${worst}`)
  }
})

t.test('holds a bounded number of entries, where a small share leaves nothing to merge too', async t => {
  for (const growth of [1.01, 1.05, 1.1, 2]) {
    const times = new SendTimes()
    let most = 0
    for (let i = 1; i <= 10_000; i++) {
      // Ever faster: each entry's age is `growth` times that of the next.
      times.add(i, 1e9 * (1 - growth ** -i))
      most = Math.max(most, times.length)
    }
    t.equal(most, 511, `${growth}: ${most} entries`)
    t.not(times.at(1), undefined, 'the oldest still has one')
  }
})

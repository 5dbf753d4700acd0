import t from 'tap'
import type { Frame, FrameOrMark } from '#dist/audio/frame.js'
import { ReplayRing } from '#dist/stt/replay-ring.js'
import { frames } from './fixtures/frames.js'

/** One frame of 100 ms for each letter: v voiced, u unvoiced; | a mark. */
function items(pattern: string): FrameOrMark[] {
  let startMs = 0
  return [...pattern].map(letter => {
    if (letter === '|') return { endTurn: true }
    const [frame] = frames(1, { startMs, voiced: letter === 'v' })
    startMs += 100
    return frame!
  })
}

function ring(pattern: string, capacityMs = 30_000): ReplayRing {
  const made = new ReplayRing(capacityMs)
  for (const item of items(pattern)) made.push(item)
  return made
}

t.test('finds the last pause that begins at or before what is proven', t => {
  const made = ring('uuvvvuuuvvuuu')
  t.equal(made.pauseBefore(0), 0)
  t.equal(made.pauseBefore(499), 0, 'a pause that begins later is none')
  t.equal(made.pauseBefore(500), 5)
  t.equal(made.pauseBefore(999), 5)
  t.equal(made.pauseBefore(1_000), 10)
  t.equal(ring('vvuv').pauseBefore(1_000), undefined, '100 ms are no pause')
  t.equal(ring('vv').pauseBefore(1_000), undefined)
  t.equal(ring('vu|uv').pauseBefore(100), 1, 'a mark does not interrupt a pause')
  t.end()
})

t.test('finds the first pause behind voiced audio', t => {
  t.equal(ring('uuvvvuuuvvuuu').pauseAfterVoice(), 5)
  t.equal(ring('uuvuvuu').pauseAfterVoice(), 5)
  t.equal(ring('uuuu').pauseAfterVoice(), undefined)
  t.equal(ring('uuvv').pauseAfterVoice(), undefined)
  t.end()
})

t.test('drops what lies before a number, or up to a mark', t => {
  const made = ring('vvuu|vv')
  made.trim(2)
  t.match([made.first, made.next, made.startMs, made.endMs], [2, 7, 200, 600])
  t.equal(made.at(1), undefined)
  t.match(made.at(2), { startMs: 200 })
  t.equal(made.pauseBefore(300), 2, 'numbers stay')
  made.trimThrough(made.at(4) as { endTurn: true })
  t.match([made.first, made.startMs], [5, 400])
  made.trimThrough({ endTurn: true })
  t.equal(made.first, 5, 'a mark that is gone')
  made.trim(100)
  t.match([made.first, made.next, made.startMs, made.endMs], [7, 7, 600, 600])
  t.end()
})

t.test('keeps what it is told to keep, however full it is', t => {
  const made = ring('vvvv', 400)
  const [long] = items('v')
  made.push({ ...(long as Frame), startMs: 400, sourceMs: 300 }, 1)
  t.match([made.first, made.next, made.startMs], [1, 5, 100])
  t.end()
})

t.test('is bounded: the oldest leave, never the newest', t => {
  const made = ring('vvvvvvvvvv', 300)
  t.match([made.first, made.startMs, made.endMs], [7, 700, 1_000])
  t.equal(ring('uvvuuuuu', 300).evictedVoiceEndMs, 300)
  t.equal(ring('uuuuuuuu', 300).evictedVoiceEndMs, -1)
  const tiny = ring('vvv', 1)
  t.match([tiny.first, tiny.next, tiny.startMs], [2, 3, 200])
  t.end()
})

t.test('measures in source time', t => {
  const made = ring('vv|uuu')
  t.equal(made.trailingPauseMs, 300)
  t.equal(made.durationMs(0, made.next), 500)
  t.equal(made.durationMs(1, 4), 200, 'a mark lasts no time')
  t.equal(made.lastMs(250), 3)
  t.equal(made.lastMs(10_000), 0)
  t.equal(new ReplayRing(1_000).trailingPauseMs, 0)
  const padded = new ReplayRing(1_000)
  padded.push({ ...frames(1)[0]!, sourceMs: 5, insertedMs: 15 })
  t.equal(padded.endMs, 5)
  t.end()
})

t.test('agrees with a plain list on any sequence', t => {
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (let round = 0; round < 200; round++) {
    const all: { number: number; startMs: number }[] = []
    const made = new ReplayRing(500)
    let startMs = 0
    for (let step = 0; step < 60; step++) {
      if (random(6) === 0) {
        const number = made.first + random(4)
        made.trim(number)
        while (all[0] && all[0].number < number) all.shift()
      } else {
        all.push({ number: made.next, startMs })
        made.push(frames(1, { startMs, voiced: random(2) === 0 })[0]!)
        startMs += 100
        while (all.length > 5) all.shift()
      }
      if (made.next - made.first !== all.length || (all[0] && made.startMs !== all[0].startMs)) {
        t.fail(`round ${round}, step ${step}: ${made.first}..${made.next}, ${made.startMs}`)
        return t.end()
      }
    }
  }
  t.pass('200 sequences')
  t.end()
})

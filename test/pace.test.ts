import { once } from 'node:events'
import { Readable } from 'node:stream'
import t from 'tap'
import { pace, type PaceClock, type PaceOptions } from '#dist/audio/pace.js'
import { frames } from './fixtures/frames.js'

/** A clock that jumps to each deadline as it is set, plus a lateness: no waiting, and every wait on record. */
function jumpingClock(latenessMs = 0): PaceClock & { nowMs: number } {
  const clock = {
    nowMs: 5_000,
    now: () => clock.nowMs,
    setTimeout(callback: () => void, ms: number) {
      clock.nowMs += ms + latenessMs
      return setTimeout(callback, 0)
    },
  }
  return clock
}

async function leaveTimes(options: PaceOptions, clock: ReturnType<typeof jumpingClock>, count: number) {
  const times: number[] = []
  const paced = Readable.from(frames(count)).pipe(pace({ ...options, clock }))
  paced.on('data', () => times.push(clock.nowMs - 5_000))
  await once(paced, 'end')
  return times
}

t.test('lets frames leave at absolute deadlines, whatever the timers add', async t => {
  t.strictSame(await leaveTimes({ burstMs: 0 }, jumpingClock(), 4), [0, 100, 200, 300])
  const late = await leaveTimes({ burstMs: 0 }, jumpingClock(30), 601)
  t.equal(late.at(-1), 60_030, 'a minute at 30 ms lateness a timer ends 30 ms late')
})

t.test('runs at a multiple of real time and lets a burst ahead', async t => {
  t.strictSame(await leaveTimes({ rate: 4, burstMs: 0 }, jumpingClock(), 4), [0, 25, 50, 75])
  t.strictSame(await leaveTimes({ burstMs: 250 }, jumpingClock(), 5), [0, 0, 0, 50, 150])
})

t.test('never holds back a source that is live', async t => {
  const clock = jumpingClock()
  const pacer = pace({ burstMs: 0, clock })
  for (const item of frames(5)) {
    pacer.write(item)
    await once(pacer, 'readable')
    pacer.read()
    clock.nowMs += 130
  }
  t.equal(clock.nowMs, 5_000 + 5 * 130, 'no wait was set')
  pacer.destroy()
})

t.test('lets what a stall has made overdue leave at once', async t => {
  const clock = jumpingClock()
  const [first, ...rest] = frames(5)
  const times: number[] = []
  const pacer = pace({ burstMs: 0, clock })
  pacer.on('data', () => times.push(clock.nowMs - 5_000))
  pacer.write(first)
  clock.nowMs += 250
  for (const item of rest) pacer.write(item)
  pacer.end()
  await once(pacer, 'end')
  t.strictSame(times, [0, 250, 250, 300, 400], 'and then by the deadlines that were set at first')
})

t.test('passes marks on in their place', async t => {
  const [first, second] = frames(2)
  const out = await Readable.from([first, { endTurn: true }, second])
    .pipe(pace({ clock: jumpingClock() }))
    .toArray()
  t.strictSame(out, [first, { endTurn: true }, second])
})

t.test('drops its timer when destroyed or aborted', async t => {
  for (const stop of ['destroy', 'abort'] as const) {
    const controller = new AbortController()
    const pacer = pace({ rate: 0.001, burstMs: 0, signal: controller.signal })
    for (const item of frames(2)) pacer.write(item)
    const closed = new Promise(resolve => pacer.once('close', resolve))
    pacer.on('error', error => t.equal(error.name, 'AbortError'))
    if (stop === 'destroy') pacer.destroy()
    else controller.abort()
    await closed
    t.notOk(process.getActiveResourcesInfo().includes('Timeout'), stop)
  }
})

t.test('refuses rates and bursts out of range', async t => {
  for (const rate of [0, -1, NaN, Infinity]) t.throws(() => pace({ rate }), { name: 'RangeError' })
  t.throws(() => pace({ rate: '1' as never }), { name: 'TypeError' })
  t.throws(() => pace({ burstMs: -1 }), { name: 'RangeError' })
})

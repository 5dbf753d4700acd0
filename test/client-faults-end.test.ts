import t from 'tap'
import { stampedRuns } from '#dist/testing.js'
import { checkRecovery, faultRun, FINALS, first, named, SOURCE, texts } from './fixtures/fault-run.js'

/** Faults 43 to 50: what follows closeStream, and closes of any kind. SOURCE ends 2400 ms after its first frame. */

t.test('43: a service that never closes is left once usage has come', async t => {
  const outcome = await faultRun(t, { faults: { end: { neverClose: true } } })
  t.strictSame(texts(outcome), FINALS)
  t.equal(outcome.stats.transcribedAudioMs, 3_000)
  t.strictSame(outcome.notices, [{ name: 'open' }])
  t.ok(outcome.elapsedMs <= 4_500)
})

t.test('44: without usage, the close is the end', async t => {
  const outcome = await faultRun(t, { faults: { usage: 'missing' } })
  t.strictSame(texts(outcome), FINALS)
  t.strictSame(outcome.notices, [{ name: 'open' }])
  t.ok(outcome.elapsedMs <= 3_500)
})

t.test('45: with neither, quiet with nothing pending is the end', async t => {
  const outcome = await faultRun(t, { faults: { usage: 'missing', end: { neverClose: true } } })
  t.strictSame(texts(outcome), FINALS)
  t.strictSame(outcome.notices, [{ name: 'open' }])
  t.ok(outcome.elapsedMs >= 4_400 && outcome.elapsedMs <= 6_500)
})

t.test('45: with neither and a turn open, finishTimeoutMs is the end, with a warning', async t => {
  const outcome = await faultRun(t, {
    faults: { usage: 'missing', end: { neverClose: true, interimOnly: true } },
  })
  t.match(outcome.finals, [{ transcript: FINALS[0] }, { transcript: FINALS[1], promoted: true, turnId: 2 }])
  t.match(named(outcome, 'warning'), [{ code: 'STT_WARN_FINISH_TIMEOUT' }])
  t.ok(outcome.elapsedMs >= 22_000)
})

for (const finalDelayMs of [3_000, 5_000, 15_000]) {
  t.test(`46: a final that is ${finalDelayMs} ms late is waited for`, async t => {
    const outcome = await faultRun(t, { faults: { end: { finalDelayMs } } })
    t.strictSame(texts(outcome), FINALS)
    t.strictSame(outcome.notices, [{ name: 'open' }])
    t.notOk(outcome.finals.some(({ promoted }) => promoted))
  })
}

t.test('46: a final later than finishTimeoutMs is done without', async t => {
  const outcome = await faultRun(t, { faults: { end: { finalDelayMs: 25_000 } } })
  t.match(outcome.finals, [{ transcript: FINALS[0] }, { promoted: true }])
  t.match(named(outcome, 'warning'), [{ code: 'STT_WARN_FINISH_TIMEOUT' }])
})

t.test('47: an interim that is left over at the close becomes its final', async t => {
  const outcome = await faultRun(t, { faults: { end: { interimOnly: true } } })
  t.strictSame(texts(outcome), FINALS)
  t.match(outcome.finals, [{ promoted: undefined }, { promoted: true }])
})

t.test('48: all finals that follow closeStream are delivered', async t => {
  const outcome = await faultRun(t, { faults: { end: { splitFinals: true } } })
  t.match(outcome.finals, [
    { transcript: FINALS[0], turnId: 1 },
    { transcript: 'thank', turnId: 2 },
    { transcript: 'you', turnId: 3, endMs: 2_700 },
  ])
})

for (const code of [1001, 1006, 1008, 1011]) {
  const cause = { code: 'STT_ERR_CLOSED', closeCode: code }

  for (const [state, at] of [
    ['in mid-turn', { afterAudioMs: 2_500 }],
    ['after closeStream', 'closeStream'],
  ] as const) {
    t.test(`49: a close with ${code} ${state} ${code === 1008 ? 'is the error' : 'is mended'}`, async t => {
      const outcome = await faultRun(t, { faults: first({ close: { code, at } }) })
      if (code === 1008) t.match(outcome.error, { code: 'STT_ERR_CLOSED', closeCode: 1008, retryable: false })
      else checkRecovery(t, outcome, cause)
    })

    t.test(`49: a close with ${code} ${state}, without retry, is the error`, async t => {
      const outcome = await faultRun(t, { faults: { close: { code, at } }, options: { retry: false } })
      t.match(outcome.error, { ...cause, retryable: code !== 1008 })
      t.strictSame(texts(outcome), FINALS.slice(0, 1))
    })
  }

  t.test(`49: a close with ${code} once all has been said takes nothing away`, async t => {
    const outcome = await faultRun(t, { faults: { close: { code, at: 'closeStream', afterFinals: true } } })
    t.strictSame(texts(outcome), FINALS)
    t.equal(outcome.stats.transcribedAudioMs, 3_000)
    t.equal(outcome.upgrades, 1)
  })

  t.test(`49: a close with ${code} at a maximum duration costs nothing`, async t => {
    const outcome = await faultRun(t, {
      faults: first({ close: { code, at: { afterAudioMs: 2_000 }, afterFinals: true } }),
    })
    if (code === 1008) t.match(outcome.error, { code: 'STT_ERR_CLOSED', closeCode: 1008 })
    else checkRecovery(t, outcome, cause)
  })
}

t.test('50: the turn that the service loses with its connection is said over the next', async t => {
  const outcome = await faultRun(t, { faults: first({ close: { code: 1006, at: { afterAudioMs: 2_500 } } }) })
  checkRecovery(t, outcome, {})
  const [before, after] = outcome.sessions.flatMap(session => stampedRuns(session.audio()))
  const [report] = named(outcome, 'reconnected')
  t.equal(before!.sourceAt, 0)
  t.equal(after!.sourceAt, (report?.fromMs as number) * 32, 'from where the notice says')
  t.ok(after!.sourceAt <= 2_200 * 32, 'from before the turn')
  t.equal(after!.sourceAt + after!.length, SOURCE.length)
  t.equal(outcome.stats.replayedMs, report?.replayedMs)
})

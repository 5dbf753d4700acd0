import t from 'tap'
import type { ErrorFault, FaultPoint } from '#dist/testing.js'
import { checkRecovery, faultRun, FINALS, first, named, texts } from './fixtures/fault-run.js'

/** Faults 39 to 42: an error frame, then close 1000. */

const STATES: [string, FaultPoint][] = [
  ['once connected', 'open'],
  ['before audio', 'config'],
  ['in mid-turn', { afterAudioMs: 2_500 }],
  ['after closeStream', 'closeStream'],
]

for (const [state, at] of STATES) {
  t.test(`39: an error that may pass, ${state}, does not show in the finals`, async t => {
    const outcome = await faultRun(t, { faults: first({ error: { code: 14, message: 'busy', at } }) })
    checkRecovery(t, outcome, { code: 'STT_ERR_SERVER', grpcCode: 14, retryable: true, message: /busy/ })
  })

  t.test(`39: an error that stays, ${state}, is told once, after the attempts`, async t => {
    const outcome = await faultRun(t, {
      faults: {
        error: { code: 14, message: 'busy', at: typeof at === 'object' ? { afterAudioMs: 700 } : at },
      },
      options: { retry: { maxAttempts: 4 } },
    })
    t.match(outcome.error, { code: 'STT_ERR_SERVER', grpcCode: 14, message: /busy/ })
    t.match(named(outcome, 'reconnecting').at(-1), { attempt: 4 })
  })

  t.test(`39: an error that no attempt can mend, ${state}, is the error at once`, async t => {
    const outcome = await faultRun(t, { faults: first({ error: { code: 3, message: 'no', at } }) })
    t.match(outcome.error, { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3, retryable: false })
    t.equal(outcome.upgrades, 1)
    const interim = outcome.events.findLast(event => event.type === 'transcription')
    t.strictSame(outcome.error?.interim?.transcript, interim?.isFinal ? undefined : interim?.transcript)
  })
}

t.test('39: the interim of an open turn is kept in the error, and out of logs', async t => {
  const error = { code: 13, message: 'no', at: { afterAudioMs: 700 } }
  const outcome = await faultRun(t, { faults: { error }, options: { retry: false } })
  t.match(outcome.error?.interim, { transcript: /^turn/, turnId: 1 })
  t.notOk(Object.keys(outcome.error ?? {}).includes('interim'))
  t.strictSame(named(outcome, 'reconnecting'), [])
})

for (const shape of ['object', 'text', 'flat', 'result.error', 'result.status'] as ErrorFault['shape'][]) {
  t.test(`40: an error as ${shape} is the same error`, async t => {
    const error = { code: 13, message: 'it broke', shape, at: { afterAudioMs: 1_000 } }
    const outcome = await faultRun(t, { faults: first({ error }) })
    const expected = { code: 'STT_ERR_SERVER', message: /it broke/ }
    // Words alone do not say whether another attempt helps.
    if (shape === 'text') t.match(outcome.error, { ...expected, retryable: false, grpcCode: undefined })
    else checkRecovery(t, outcome, { ...expected, grpcCode: 13 })
  })
}

for (const [code, name] of [
  [3, 'STT_ERR_BAD_REQUEST'],
  [5, 'STT_ERR_NOT_FOUND'],
  [7, 'STT_ERR_AUTH'],
  [8, 'STT_ERR_QUOTA'],
  [13, 'STT_ERR_SERVER'],
  [14, 'STT_ERR_SERVER'],
  [16, 'STT_ERR_AUTH'],
] as const) {
  const error = { code, message: 'no', at: { afterAudioMs: 1_000 } }
  const retried = [8, 13, 14].includes(code)

  t.test(`41: code ${code} is ${retried ? 'tried again' : 'the error at once'}`, async t => {
    const outcome = await faultRun(t, { faults: first({ error }) })
    if (retried) checkRecovery(t, outcome, { code: name, grpcCode: code })
    else t.match(outcome.error, { code: name, grpcCode: code, retryable: false })
    t.equal(outcome.upgrades, retried ? 2 : 1)
  })

  t.test(`41: shouldRetry decides otherwise on code ${code}`, async t => {
    const shouldRetry = ({ grpcCode }: { grpcCode?: number }) => !retried && grpcCode === code
    const outcome = await faultRun(t, { faults: first({ error }), options: { retry: { shouldRetry } } })
    if (retried) t.match(outcome.error, { code: name, grpcCode: code })
    else checkRecovery(t, outcome, { code: name, grpcCode: code })
  })
}

for (const pace of ['realtime', false] as const) {
  const error = { code: 8, message: 'too many', at: { afterAudioMs: 500 }, racingClose: true }

  t.test(`42: an error that the close races is read, at pace ${pace}`, async t => {
    const outcome = await faultRun(t, { faults: { error }, options: { pace, retry: false } })
    t.match(outcome.error, { code: 'STT_ERR_QUOTA', grpcCode: 8, message: /too many/ })
  })

  t.test(`42: an error that the close races is told as the cause, at pace ${pace}`, async t => {
    const outcome = await faultRun(t, { faults: first({ error }), options: { pace } })
    checkRecovery(t, outcome, { code: 'STT_ERR_QUOTA', grpcCode: 8 })
    t.strictSame(texts(outcome), FINALS)
  })
}

import t from 'tap'
import { SttError } from '#dist/errors.js'
import { RetryPolicy } from '#dist/stt/retry-policy.js'

const lost = new SttError('STT_ERR_SOCKET', 'lost', { retryable: true })
const failure = (error = lost, nowMs = 0, heard = true) => ({ error, nowMs, heard })

t.test('doubles the bound of a random delay up to the maximum', t => {
  const policy = new RetryPolicy({ baseDelayMs: 100, maxDelayMs: 1_000, maxAttempts: 6 }, () => 1)
  policy.opened()
  const delays = Array.from({ length: 7 }, () => policy.nextDelayMs(failure()))
  t.strictSame(delays, [100, 200, 400, 800, 1_000, 1_000, undefined])
  t.equal(new RetryPolicy({ baseDelayMs: 100 }, () => 0.25).nextDelayMs(failure()), 25)
  t.equal(policy.attempt, 6)
  policy.proved()
  t.equal(policy.attempt, 0)
  t.equal(policy.nextDelayMs(failure()), 100)
  t.end()
})

t.test('tries fewer times before the first connection has stood', t => {
  const policy = new RetryPolicy()
  const retried = Array.from({ length: 4 }, () => policy.nextDelayMs(failure()) !== undefined)
  t.strictSame(retried, [true, true, true, false])
  policy.opened()
  t.not(policy.nextDelayMs(failure()), undefined)
  const few = new RetryPolicy({ maxAttempts: 1 })
  t.not(few.nextDelayMs(failure()), undefined)
  t.equal(few.nextDelayMs(failure()), undefined)
  t.end()
})

t.test('waits as long as the service asks, within the outage that is allowed', t => {
  const busy = new SttError('STT_ERR_QUOTA', 'busy', { retryable: true, retryAfterMs: 30_000 })
  const policy = new RetryPolicy()
  t.equal(policy.nextDelayMs(failure(busy)), 30_000)
  t.equal(policy.nextDelayMs(failure(busy, 30_000)), 30_000)
  t.equal(policy.nextDelayMs(failure(busy, 60_000)), undefined)
  policy.proved()
  t.equal(policy.nextDelayMs(failure(busy, 60_000)), 30_000, 'the outage begins anew')
  t.end()
})

t.test('retries what may pass, and only when it may', t => {
  t.equal(new RetryPolicy(false).nextDelayMs(failure()), undefined)
  const refused = new SttError('STT_ERR_AUTH', 'no')
  t.equal(new RetryPolicy().nextDelayMs(failure(refused)), undefined)
  const stubborn = new RetryPolicy({ shouldRetry: ({ code }) => code === 'STT_ERR_AUTH' })
  t.type(stubborn.nextDelayMs(failure(refused)), 'number')
  t.equal(stubborn.nextDelayMs(failure()), undefined)
  t.equal(
    new RetryPolicy({ maxAttempts: undefined, baseDelayMs: undefined }, () => 1).nextDelayMs(failure()),
    250,
  )
  t.end()
})

t.test("retries the caller's own functions once they have worked", t => {
  const credentials = new SttError('STT_ERR_CREDENTIALS', 'no token')
  const policy = new RetryPolicy()
  t.equal(policy.nextDelayMs(failure(credentials)), undefined)
  policy.opened()
  t.type(policy.nextDelayMs(failure(credentials)), 'number')
  const full = new SttError('STT_ERR_FLEET_FULL', 'full', { retryable: true })
  t.equal(new RetryPolicy().nextDelayMs(failure(full)), undefined, 'it has queued already')
  t.type(policy.nextDelayMs(failure(full)), 'number')
  t.end()
})

t.test('takes three closes in peace without a word for a refusal', t => {
  const closed = new SttError('STT_ERR_CLOSED_EARLY', 'closed', { retryable: true })
  const policy = new RetryPolicy()
  t.type(policy.nextDelayMs(failure(closed, 0, false)), 'number')
  t.type(policy.nextDelayMs(failure(closed, 0, true)), 'number')
  t.type(policy.nextDelayMs(failure(closed, 0, false)), 'number')
  t.equal(policy.nextDelayMs(failure(closed, 0, false)), undefined)
  t.end()
})

import t from 'tap'
import { HandshakeLimiter } from '#dist/stt/handshake-limiter.js'

/** When each of `count` handshakes begins that all want to begin at `fromMs`. */
function times(limiter: HandshakeLimiter, count: number, fromMs = 0): number[] {
  let nowMs = fromMs
  return Array.from({ length: count }, () => {
    nowMs += limiter.delayMs(nowMs)
    limiter.take(nowMs)
    return nowMs
  })
}

t.test('spaces handshakes evenly, with a burst after a rest', async t => {
  t.strictSame(times(new HandshakeLimiter(10, 1), 4), [0, 100, 200, 300])
  const limiter = new HandshakeLimiter(10, 3)
  t.strictSame(times(limiter, 5), [0, 0, 0, 100, 200])
  t.strictSame(times(limiter, 3, 350), [350, 400, 500], 'what was not rested for is not given')
  t.strictSame(times(limiter, 4, 10_000), [10_000, 10_000, 10_000, 10_100], 'nor more than the burst')
})

t.test('lets everybody through without a limit, and nobody while it rests', async t => {
  const limiter = new HandshakeLimiter(Infinity, 1)
  t.strictSame(times(limiter, 3), [0, 0, 0])
  limiter.rest(500)
  limiter.rest(200)
  t.strictSame(times(limiter, 2, 100), [500, 500], 'the longer rest counts')
  const slow = new HandshakeLimiter(0.5, 1)
  slow.rest(300)
  t.strictSame(times(slow, 2), [300, 2_300])
})

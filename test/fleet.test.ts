import { EventEmitter, getEventListeners } from 'node:events'
import t, { type Test } from 'tap'
import { Fleet, SttError, type ConnectionGate, type ConnectionPass, type FleetOptions } from '#dist/index.js'
import { mockClock } from './fixtures/mock-clock.js'

const settle = () => new Promise(setImmediate)
const unavailable = (retryAfterMs?: number) =>
  new SttError('STT_ERR_SERVER', 'HTTP 503', { retryable: true, httpStatus: 503, retryAfterMs })

/** What a fleet sees of a stream, with a connection at the end of a test's strings. */
class FakeStream extends EventEmitter {
  readonly gate: ConnectionGate
  readonly controller = new AbortController()
  #settle: { resolve(): void; reject(error: Error): void } = { resolve() {}, reject() {} }
  stops = 0

  constructor(fleet: Fleet) {
    super()
    this.gate = fleet.join(this)
  }

  /** Wants a connection; tells what came of it in `asked`. */
  enter(asked: unknown[] = []): Promise<ConnectionPass> {
    const pass = this.gate.enter(this.controller.signal)
    pass.then(
      () => asked.push(this),
      (error: unknown) => asked.push(error),
    )
    return pass
  }

  stop(): Promise<void> {
    this.stops++
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
  }

  close(): void {
    this.emit('close')
    this.#settle.resolve()
  }

  destroy(error: Error): void {
    this.emit('close')
    this.#settle.reject(error)
  }
}

const made = new Set<FakeStream>()
const streamsOf = (fleet: Fleet, count: number) =>
  Array.from({ length: count }, () => {
    const stream = new FakeStream(fleet)
    made.add(stream)
    return stream
  })

// Those that still wait would keep the process alive until their deadlines.
t.afterEach(() => {
  for (const { controller } of made) controller.abort()
  made.clear()
})

/** A fleet whose circuit is open, and what its changes were. */
async function brokenFleet(t: Test, options: FleetOptions = {}) {
  const clock = mockClock(t)
  const fleet = new Fleet({ ...options, breaker: { failureThreshold: 2, openMs: 500, ...options.breaker } })
  const changes: unknown[] = []
  fleet.on('circuit', change => changes.push(change))
  for (const stream of streamsOf(fleet, 2)) {
    const pass = await stream.enter()
    pass.failed(unavailable())
    pass.leave()
    stream.close()
  }
  t.equal(fleet.stats().circuit, 'open')
  return { fleet, clock, changes }
}

t.test('connects so many streams at a time, the others in the order in which they came', async t => {
  const fleet = new Fleet({ maxSessions: 2 })
  const [a, b, c, d] = streamsOf(fleet, 4) as [FakeStream, FakeStream, FakeStream, FakeStream]
  const admitted: unknown[] = []
  const first = await a.enter(admitted)
  await b.enter(admitted)
  const third = c.enter(admitted)
  void d.enter(admitted)
  await settle()
  t.strictSame(admitted, [a, b])
  t.strictSame(fleet.stats(), {
    streams: 4,
    sessions: 2,
    connections: 2,
    handshakes: 2,
    waiting: 2,
    admitted: 2,
    circuit: 'closed',
  })
  first.opened()
  t.equal(fleet.stats().handshakes, 1)
  first.leave()
  ;(await third).opened()
  t.match(fleet.stats(), { sessions: 2, waiting: 1, admitted: 3 })
  t.strictSame(admitted, [a, b, c])
})

t.test('a rotation needs no place of its own, not even in a full fleet', async t => {
  const fleet = new Fleet({ maxSessions: 1 })
  const [a, b] = streamsOf(fleet, 2) as [FakeStream, FakeStream]
  const old = await a.enter()
  old.opened()
  const waiting = b.enter()
  const next = await a.enter()
  next.opened()
  t.match(fleet.stats(), { sessions: 1, connections: 2, waiting: 1 })
  old.leave()
  await settle()
  t.match(fleet.stats(), { sessions: 1, connections: 1, waiting: 1 }, 'the place is still taken')
  next.leave()
  await waiting
})

t.test(
  'a stream that lost its connection keeps its place; one that gave it up goes before new ones',
  async t => {
    const fleet = new Fleet({ maxSessions: 1 })
    const [cut, hibernating, fresh] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
    const admitted: unknown[] = []
    const idle = await hibernating.enter()
    idle.opened()
    idle.leave()
    const lost = await cut.enter()
    lost.opened()
    void fresh.enter(admitted)
    void hibernating.enter(admitted)
    lost.failed(new SttError('STT_ERR_SOCKET', 'reset', { retryable: true }))
    lost.leave()
    await settle()
    t.match(fleet.stats(), { sessions: 1, connections: 0, waiting: 2 })
    const again = await cut.enter()
    again.opened()
    again.failed(new SttError('STT_ERR_AUTH', 'refused'))
    again.leave()
    await settle()
    t.strictSame(admitted, [hibernating], 'a loss for good frees the place')
  },
)

t.test('a stream that rests after a loss gives its place back, and goes before new ones', async t => {
  const fleet = new Fleet({ maxSessions: 1 })
  const [dormant, other, fresh] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const lost = await dormant.enter()
  lost.opened()
  dormant.gate.rest?.()
  t.match(fleet.stats(), { sessions: 1 }, 'not while it has a connection')
  const waiting = other.enter()
  lost.failed(new SttError('STT_ERR_CLOSED', '1001', { retryable: true }))
  lost.leave()
  t.match(fleet.stats(), { sessions: 1, waiting: 1 })
  dormant.gate.rest?.()
  const given = await waiting
  const admitted: unknown[] = []
  void fresh.enter(admitted)
  void dormant.enter(admitted)
  given.leave()
  await settle()
  t.strictSame(admitted, [dormant])
  fresh.controller.abort(new Error('gone'))
})

t.test('a stream that closes gives its place back, in whatever state', async t => {
  const fleet = new Fleet({ maxSessions: 1 })
  const [a, b] = streamsOf(fleet, 2) as [FakeStream, FakeStream]
  const pass = await a.enter()
  pass.failed(unavailable())
  pass.leave()
  const waiting = b.enter()
  a.close()
  ;(await waiting).leave()
  t.match(fleet.stats(), { streams: 1, sessions: 0 })
  b.close()
  t.match(fleet.stats(), { streams: 0, sessions: 0, connections: 0 })
})

t.test('a stream that waits no more leaves the queue at once, and nothing behind', async t => {
  const fleet = new Fleet({ maxSessions: 1 })
  const [a, b, c] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const pass = await a.enter()
  const given = b.enter()
  const next = c.enter()
  const reason = new Error('gone')
  b.controller.abort(reason)
  await t.rejects(given, reason)
  t.equal(fleet.stats().waiting, 1)
  pass.leave()
  await next
  for (const { controller } of [a, b, c]) t.equal(getEventListeners(controller.signal, 'abort').length, 0)
  await t.rejects(b.enter(), reason)
})

t.test('the queue has a bound and a deadline', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ maxSessions: 1, maxWaiting: 1, queueTimeoutMs: 1_000 })
  const [a, b, c, d] = streamsOf(fleet, 4) as [FakeStream, FakeStream, FakeStream, FakeStream]
  const pass = await a.enter()
  const waiting = b.enter()
  const full = { name: 'SttError', code: 'STT_ERR_FLEET_FULL', retryable: true }
  await t.rejects(c.enter(), { ...full, message: /maxWaiting, 1.*1 of 1 places/ })
  const rotation = await a.enter()
  rotation.leave()
  clock.advance(999)
  t.equal(fleet.stats().waiting, 1)
  clock.advance(1)
  await t.rejects(waiting, { ...full, message: /1000 ms \(queueTimeoutMs\)/ })
  const last = d.enter()
  pass.leave()
  await last
})

t.test('the bound of the queue does not count streams that have a place', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ maxHandshakesPerSecond: 1, maxWaiting: 0 })
  const [a, b] = streamsOf(fleet, 2) as [FakeStream, FakeStream]
  await a.enter()
  const rotation = a.enter()
  await t.rejects(b.enter(), { code: 'STT_ERR_FLEET_FULL', message: /maxWaiting, 0/, retryAfterMs: 1_000 })
  clock.advance(1_000)
  await rotation
})

t.test('handshakes are spaced, and each goes to who came first', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ maxHandshakesPerSecond: 10, handshakeBurst: 2 })
  const streams = streamsOf(fleet, 4)
  const admitted: unknown[] = []
  for (const stream of streams) void stream.enter(admitted)
  await settle()
  t.strictSame(admitted, streams.slice(0, 2))
  clock.advance(99)
  await settle()
  t.equal(admitted.length, 2)
  clock.advance(1)
  await settle()
  t.strictSame(admitted, streams.slice(0, 3))
  clock.advance(100)
  await settle()
  t.strictSame(admitted, streams)
})

t.test('who waits for a place uses up no handshake', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ maxSessions: 1, maxHandshakesPerSecond: 1 })
  const [a, b, c] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const pass = await a.enter()
  pass.opened()
  const waiting = b.enter()
  clock.advance(10_000)
  b.controller.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  const next = c.enter()
  pass.leave()
  await next
})

t.test('a service that has had too much is left alone as long as it asks', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ breaker: { failureThreshold: 1 }, queueTimeoutMs: 4_000 })
  const rests: unknown[] = []
  fleet.on('throttled', rest => rests.push(rest))
  const [a, b, c] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const quota = new SttError('STT_ERR_QUOTA', 'HTTP 429', { retryable: true, retryAfterMs: 3_000 })
  const refused = await a.enter()
  refused.failed(quota)
  refused.leave()
  t.strictSame(rests, [{ retryAfterMs: 3_000, cause: quota }])
  const admitted: unknown[] = []
  void b.enter(admitted)
  clock.advance(2_999)
  await settle()
  t.strictSame(admitted, [])
  clock.advance(1)
  await settle()
  t.strictSame(admitted, [b])
  t.equal(fleet.stats().circuit, 'closed', 'the service is well')

  const again = await a.enter()
  again.failed(new SttError('STT_ERR_QUOTA', 'HTTP 429', { retryable: true, retryAfterMs: 90_000 }))
  again.leave()
  const late = c.enter()
  clock.advance(4_000)
  await t.rejects(late, { code: 'STT_ERR_FLEET_FULL', retryAfterMs: 86_000 })
})

t.test('an open circuit holds connections back, tries one, and lets all through once it closes', async t => {
  const { fleet, clock, changes } = await brokenFleet(t)
  const [a, b, c] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const admitted: unknown[] = []
  const first = a.enter(admitted)
  const second = b.enter(admitted)
  void c.enter(admitted)
  clock.advance(499)
  await settle()
  t.strictSame(admitted, [])
  clock.advance(1)
  const probe = await first
  probe.failed(new SttError('STT_ERR_AUTH', 'HTTP 401'))
  probe.leave()
  const healthy = await second
  t.strictSame(admitted, [a, b], 'a refusal that is no failure makes room for another probe')
  healthy.opened()
  await settle()
  t.equal(fleet.stats().circuit, 'half-open', 'an upgrade alone proves nothing')
  clock.advance(2_000)
  await settle()
  t.strictSame(admitted, [a, b, c])
  t.match(changes, [
    { state: 'open', cause: { httpStatus: 503 } },
    { state: 'half-open', cause: undefined },
    { state: 'closed', cause: undefined },
  ])
})

t.test('a probe that fails opens the circuit again, for as long as the service asks', async t => {
  const { fleet, clock } = await brokenFleet(t)
  const [a, b] = streamsOf(fleet, 2) as [FakeStream, FakeStream]
  clock.advance(500)
  const probe = await a.enter()
  const admitted: unknown[] = []
  void b.enter(admitted)
  probe.opened()
  probe.failed(unavailable(5_000))
  probe.leave()
  clock.advance(4_999)
  await settle()
  t.strictSame(admitted, [])
  clock.advance(1)
  await settle()
  t.strictSame(admitted, [b])
})

t.test('while the circuit is open, connections wait till their deadline or fail at once', async t => {
  const open = { code: 'STT_ERR_CIRCUIT_OPEN', retryable: true, cause: unavailable(), message: /HTTP 503/ }
  await t.test('wait', async t => {
    const { fleet, clock } = await brokenFleet(t, { queueTimeoutMs: 300 })
    const waiting = new FakeStream(fleet).enter()
    clock.advance(300)
    await t.rejects(waiting, { ...open, retryAfterMs: 200 })
  })
  await t.test('fail', async t => {
    const { fleet, clock } = await brokenFleet(t, { breaker: { whenOpen: 'fail' } })
    const [a, b, c] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
    await t.rejects(a.enter(), { ...open, retryAfterMs: 500 })
    clock.advance(500)
    const probe = await b.enter()
    const behind = c.enter()
    await settle()
    t.equal(fleet.stats().waiting, 1, 'behind a probe one waits for what it finds')
    probe.failed(unavailable())
    probe.leave()
    await t.rejects(behind, { ...open, retryAfterMs: 500 })
  })
})

t.test(
  'only failures of the service open the circuit, and only those of connections that are young',
  async t => {
    const clock = mockClock(t)
    const details = { retryable: true }
    const harmless = [
      new SttError('STT_ERR_AUTH', 'x'),
      new SttError('STT_ERR_BAD_REQUEST', 'x'),
      new SttError('STT_ERR_QUOTA', 'x', details),
      new SttError('STT_ERR_CLOSED_EARLY', 'x', details),
      new SttError('STT_ERR_SERVER', 'an unknown code'),
      new SttError('STT_ERR_CLOSED', 'a code of no meaning'),
    ]
    const codes = [
      'STT_ERR_SERVER',
      'STT_ERR_SOCKET',
      'STT_ERR_CONNECT_TIMEOUT',
      'STT_ERR_CLOSED',
      'STT_ERR_PING_TIMEOUT',
    ] as const
    const circuitAfter = async (error: SttError, livesMs?: number) => {
      const fleet = new Fleet({ breaker: { failureThreshold: 1 } })
      const stream = new FakeStream(fleet)
      const pass = await stream.enter()
      if (livesMs !== undefined) pass.opened()
      clock.advance(livesMs ?? 0)
      pass.failed(error)
      pass.leave()
      stream.close()
      return fleet.stats().circuit
    }
    for (const error of harmless) t.equal(await circuitAfter(error), 'closed', error.code)
    for (const code of codes) {
      const error = new SttError(code, 'x', details)
      t.equal(await circuitAfter(error), 'open', code)
      t.equal(await circuitAfter(error, 1_999), 'open', `${code} soon after the upgrade`)
      t.equal(await circuitAfter(error, 2_000), 'closed', `${code} of a connection that had served`)
    }
    const without = new Fleet({ breaker: false })
    for (const stream of streamsOf(without, 20)) {
      const pass = await stream.enter()
      pass.failed(unavailable())
      pass.leave()
    }
    t.equal(without.stats().circuit, 'closed')
  },
)

t.test('drains: stops every stream, destroys the late ones, takes no new ones', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet()
  const [ends, fails, late] = streamsOf(fleet, 3) as [FakeStream, FakeStream, FakeStream]
  const drained = fleet.drain({ deadlineMs: 1_000 })
  t.strictSame(
    [ends, fails, late].map(({ stops }) => stops),
    [1, 1, 1],
  )
  const refused = new FakeStream(fleet)
  await t.rejects(refused.enter(), { code: 'STT_ERR_DRAINED', retryable: false })
  await t.resolves(ends.enter(), 'those that are there may still connect')
  ends.close()
  fails.destroy(unavailable())
  clock.advance(999)
  t.equal(fleet.stats().streams, 1)
  clock.advance(1)
  t.strictSame(await drained, { ended: 1, failed: 1, destroyed: 1 })
  t.equal(fleet.stats().streams, 0)
  t.strictSame(await fleet.drain(), { ended: 0, failed: 0, destroyed: 0 })
  t.equal(clock.running, 0, 'no deadline outlives its drain')
})

t.test('is drained at the end of its scope', async t => {
  const fleet = new Fleet()
  const stream = new FakeStream(fleet)
  const disposed = fleet[Symbol.asyncDispose]()
  t.equal(stream.stops, 1)
  stream.close()
  t.equal(await disposed, undefined)
})

t.test('keeps no process alive and no timer when nobody waits', async t => {
  const clock = mockClock(t)
  const fleet = new Fleet({ maxHandshakesPerSecond: 1, breaker: { failureThreshold: 1 } })
  const [a, b] = streamsOf(fleet, 2) as [FakeStream, FakeStream]
  const pass = await a.enter()
  const waiting = b.enter()
  t.equal(clock.running, 2, 'a deadline, and the next handshake')
  b.controller.abort()
  await t.rejects(waiting)
  t.equal(clock.running, 0)
  pass.opened()
  pass.failed(unavailable())
  pass.leave()
  t.equal(fleet.stats().circuit, 'open')
  t.equal(clock.running, 0)
})

t.test('refuses options that are wrong', async t => {
  const refuse = (options: object, type: string, message: RegExp) =>
    t.throws(() => new Fleet(options), { name: type, message }, String(message))
  refuse({ maxSession: 1 }, 'TypeError', /options must be of maxSessions, .*got 'maxSession'/)
  refuse({ maxSessions: 0 }, 'RangeError', /^maxSessions must be an integer from 1; got 0/)
  refuse({ maxSessions: 1.5 }, 'RangeError', /got 1.5/)
  refuse({ maxSessions: NaN }, 'RangeError', /got NaN/)
  refuse({ maxSessions: '5' }, 'TypeError', /got string/)
  refuse({ maxHandshakesPerSecond: 0 }, 'RangeError', /a number above 0; got 0/)
  refuse({ handshakeBurst: 0 }, 'RangeError', /^handshakeBurst/)
  refuse({ queueTimeoutMs: 0 }, 'RangeError', /^queueTimeoutMs/)
  refuse({ maxWaiting: -1 }, 'RangeError', /^maxWaiting must be an integer from 0/)
  refuse({ breaker: true }, 'TypeError', /^breaker must be an object; got boolean/)
  refuse({ breaker: null }, 'TypeError', /got null/)
  refuse({ breaker: { openMs: 0 } }, 'RangeError', /^breaker.openMs must be a number above 0; got 0/)
  refuse({ breaker: { failures: 1 } }, 'TypeError', /breaker must be of failureThreshold.*got 'failures'/)
  refuse({ breaker: { whenOpen: 'now' } }, 'TypeError', /^breaker.whenOpen must be 'wait' or 'fail'; got now/)
  t.throws(() => new Fleet(null as never), {
    name: 'TypeError',
    message: /options must be an object; got null/,
  })
  t.doesNotThrow(() => new Fleet({ maxSessions: undefined, breaker: { openMs: undefined } }))
  t.throws(() => new Fleet().drain({ deadlineMs: -1 }), { name: 'RangeError', message: /deadlineMs.*got -1/ })
  t.throws(() => new Fleet().drain({ deadlineMs: '1' as never }), { name: 'TypeError' })
})

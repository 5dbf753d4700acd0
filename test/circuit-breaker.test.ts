import t from 'tap'
import { CircuitBreaker, type CircuitState } from '#dist/stt/circuit-breaker.js'

function breaker(options: Partial<ConstructorParameters<typeof CircuitBreaker>[0]> = {}) {
  const changes: CircuitState[] = []
  const circuit = new CircuitBreaker(
    { failureThreshold: 3, windowMs: 1_000, openMs: 500, ...options },
    state => changes.push(state),
  )
  /** Attempts that fail at these times. */
  const fail = (...timesMs: number[]) => timesMs.forEach(ms => circuit.failed(circuit.begin(), ms))
  return { circuit, changes, fail }
}

t.test('opens at so many failures in a row, and not for failures that are too far apart', async t => {
  const { circuit, fail } = breaker()
  fail(0, 10)
  circuit.succeeded(circuit.begin())
  fail(20, 30)
  t.equal(circuit.state, 'closed', 'a success starts the row anew')
  fail(1_031)
  t.equal(circuit.state, 'closed', 'what happened 1 001 ms ago is forgotten')
  t.equal(circuit.delayMs(1_031), 0)
  fail(1_032, 1_033)
  t.equal(circuit.state, 'open')
  t.equal(circuit.delayMs(1_034), 499)
})

t.test('lets one probe through at a time, which closes or opens it', async t => {
  const { circuit, changes, fail } = breaker()
  fail(0, 0, 0)
  t.equal(circuit.delayMs(499), 1)
  t.equal(circuit.delayMs(500), 0)
  const first = circuit.begin()
  t.equal(circuit.delayMs(500), Infinity, 'nobody beside the probe')
  circuit.failed(first, 600)
  t.equal(circuit.delayMs(600), 500, 'one failure is enough')

  const second = circuit.begin()
  circuit.abandoned(second)
  t.equal(circuit.state, 'half-open', 'a probe that found nothing out')
  t.equal(circuit.delayMs(1_100), 0, 'makes room for another')
  circuit.succeeded(circuit.begin())
  t.equal(circuit.delayMs(1_100), 0)
  t.strictSame(changes, ['open', 'half-open', 'open', 'half-open', 'closed'])
  fail(1_100, 1_100)
  t.equal(circuit.state, 'closed', 'and counts from nothing')
})

t.test('does not hear attempts that began before its last change', async t => {
  const { circuit, fail } = breaker()
  const old = circuit.begin()
  fail(0, 0, 0)
  circuit.succeeded(old)
  t.equal(circuit.state, 'open')
  const probe = circuit.begin()
  circuit.abandoned(old)
  t.equal(circuit.delayMs(500), Infinity, 'the probe is still out')
  circuit.succeeded(old)
  circuit.failed(old, 500)
  t.equal(circuit.state, 'half-open')
  circuit.succeeded(probe)
  t.equal(circuit.state, 'closed')
})

t.test('stays open as long as the service asks', async t => {
  const { circuit } = breaker({ failureThreshold: 1 })
  circuit.failed(circuit.begin(), 0, 2_000)
  t.equal(circuit.delayMs(0), 2_000)
  circuit.failed(circuit.begin(), 2_000, 20)
  t.equal(circuit.delayMs(2_000), 500, 'and never shorter than openMs')
})

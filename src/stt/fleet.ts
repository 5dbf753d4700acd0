import { EventEmitter } from 'node:events'
import { SttError } from '../errors.js'
import { Admission } from './admission.js'
import type { CircuitState } from './circuit-breaker.js'
import type { ConnectionGate } from './connection-gate.js'
import { checkFleetOptions, type FleetOptions } from './fleet-options.js'

const DRAIN_DEADLINE_MS = 30_000
/** A longer timeout overflows Node's timer and fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** What a fleet asks of its streams. */
export interface FleetStream {
  /** Ends it gracefully; settles once it has closed, rejects with what it failed with. */
  stop(): Promise<void>
  /** Ends it at once. */
  destroy(error: Error): unknown
  /** Told when everything of it is released. */
  once(event: 'close', listener: () => void): unknown
}

/** Figures of a fleet. */
export interface FleetStats {
  /** That were given this fleet and have not closed. */
  streams: number
  /** Places taken of `maxSessions`. */
  sessions: number
  /** Open or opening: more than sessions where streams rotate or have several channels, fewer while they reconnect. */
  connections: number
  /** Connections whose handshake is under way. */
  handshakes: number
  /** Connections that wait for their turn. */
  waiting: number
  /** Connections let through so far. */
  admitted: number
  /** What the circuit breaker lets through. */
  circuit: CircuitState
}

/** What became of the streams of a fleet that was drained. */
export interface DrainResult {
  /** Said all that they had to say. */
  ended: number
  /** Failed on the way. */
  failed: number
  /** Were still open at the deadline, and were destroyed. */
  destroyed: number
}

/** What a fleet emits. */
export interface FleetEvents {
  /** The circuit changed; `cause` is the failure that opened it. */
  circuit: [change: { state: CircuitState; cause?: SttError }]
  /** The service asked for a rest: no handshake begins for so long. */
  throttled: [{ retryAfterMs: number; cause: SttError }]
}

/**
 * Limits that many streams of a process share: `sttStream({ fleet })`. Use one for each account and service. An
 * idle fleet has no timer.
 *
 * ```js
 * const fleet = new Fleet({ maxSessions: 100, maxHandshakesPerSecond: 10 })
 * socket.pipe(sttStream({ fleet }))
 * process.once('SIGTERM', () => fleet.drain({ deadlineMs: 10_000 }))
 * ```
 *
 * @fires circuit {state, cause?} when the circuit opens, is half-open, closes
 * @fires throttled {retryAfterMs, cause} when the service asks to be left alone
 */
export class Fleet extends EventEmitter<FleetEvents> {
  readonly #admission: Admission
  readonly #streams = new Set<FleetStream>()
  #drained = false

  /** @throws TypeError, RangeError */
  constructor(options: FleetOptions = {}) {
    super()
    this.#admission = new Admission(checkFleetOptions(options), {
      onCircuit: (state, cause) => this.emit('circuit', { state, ...(cause && { cause }) }),
      onThrottled: (retryAfterMs, cause) => this.emit('throttled', { retryAfterMs, cause }),
    })
  }

  /** Figures at this moment. */
  stats(): FleetStats {
    return { streams: this.#streams.size, ...this.#admission.stats }
  }

  /** The gate of a new stream; `sttStream({ fleet })` calls it. A drained fleet's gate lets nobody through. */
  join(stream: FleetStream): ConnectionGate {
    if (this.#drained) {
      const message = 'The fleet has been drained: it takes no new streams'
      return { enter: () => Promise.reject(new SttError('STT_ERR_DRAINED', message)) }
    }
    const gate = this.#admission.openGate()
    this.#streams.add(stream)
    stream.once('close', () => {
      this.#streams.delete(stream)
      gate.close()
    })
    return gate
  }

  /**
   * For shutdown: takes no new streams and stops the others, so that each gets its finals. Those still open after
   * `deadlineMs` (from 0, default 30 000) are destroyed with STT_ERR_DRAINED. Streams must still be read. A second
   * call may set a shorter deadline.
   * @throws RangeError, TypeError for a deadline that is none
   */
  drain({ deadlineMs = DRAIN_DEADLINE_MS }: { deadlineMs?: number } = {}): Promise<DrainResult> {
    const given: unknown = deadlineMs
    const expected = 'deadlineMs must be a number from 0'
    if (typeof given !== 'number') throw new TypeError(`${expected}; got ${typeof given}`)
    if (!(given >= 0)) throw new RangeError(`${expected}; got ${given}`)
    this.#drained = true
    return stopAll([...this.#streams], given)
  }

  /** `await using fleet = new Fleet()`: drains it with the default deadline. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }
}

async function stopAll(streams: FleetStream[], deadlineMs: number): Promise<DrainResult> {
  const stopped = streams.map(stream => stream.stop())
  const message = `The fleet was drained, and the stream was not at its end after ${deadlineMs} ms (deadlineMs)`
  const destroyAll = () => {
    for (const stream of streams) stream.destroy(new SttError('STT_ERR_DRAINED', message))
  }
  const timer = setTimeout(destroyAll, Math.min(deadlineMs, MAX_TIMEOUT_MS))
  const outcomes = await Promise.allSettled(stopped)
  clearTimeout(timer)
  const reasons = outcomes.flatMap(outcome =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  )
  const destroyed = reasons.filter(
    reason => reason instanceof SttError && reason.code === 'STT_ERR_DRAINED',
  ).length
  return { ended: outcomes.length - reasons.length, failed: reasons.length - destroyed, destroyed }
}

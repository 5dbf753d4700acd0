import { SttError } from '../errors.js'
import { CircuitBreaker, type CircuitState } from './circuit-breaker.js'
import { ConnectionAttempt } from './connection-attempt.js'
import type { ConnectionGate, ConnectionPass } from './connection-gate.js'
import type { FleetSettings } from './fleet-options.js'
import { HandshakeLimiter } from './handshake-limiter.js'

/** A longer timeout overflows Node's timer and fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export interface AdmissionListener {
  onCircuit(state: CircuitState, cause: SttError | undefined): void
  onThrottled(retryAfterMs: number, cause: SttError): void
}

/** What one stream has. */
interface Member {
  hasPlace: boolean
  connections: number
  wasConnected: boolean
}

interface Waiter {
  member: Member
  admit(): void
  refuse(error: Error): void
}

/**
 * Decides which connection is opened next: one queue, and before it a limit on places, one on handshakes and a
 * circuit breaker. They are asked together and for the queue's head only, so that nobody spends a handshake's turn
 * while waiting for a place.
 *
 * A place belongs to a stream. A rotation's second connection shares it, and so do those of several channels: who
 * held one place and waited for another would bring a full fleet to a standstill. There may be more connections than
 * places for that. A stream whose connection is lost keeps its place until it is back, or rests. Streams with a
 * place go first, then those that had one, then new ones.
 */
export class Admission {
  readonly #settings: FleetSettings
  readonly #listener: AdmissionListener
  readonly #limiter: HandshakeLimiter
  readonly #breaker: CircuitBreaker | undefined
  /** By precedence, then by arrival. */
  readonly #queue: Waiter[] = []
  readonly #attempts = new Set<ConnectionAttempt>()
  #places = 0
  #admitted = 0
  /** The failure that the circuit breaker was told of last. */
  #failure: SttError | undefined
  /** Strikes when nothing but time holds the queue's head back. */
  #timer: NodeJS.Timeout | undefined

  constructor(settings: FleetSettings, listener: AdmissionListener) {
    this.#settings = settings
    this.#listener = listener
    this.#limiter = new HandshakeLimiter(settings.maxHandshakesPerSecond, settings.handshakeBurst)
    if (settings.breaker) {
      this.#breaker = new CircuitBreaker(settings.breaker, state => this.#onCircuit(state))
    }
  }

  get stats() {
    return {
      sessions: this.#places,
      connections: this.#attempts.size,
      handshakes: [...this.#attempts].filter(({ isOpen }) => !isOpen).length,
      waiting: this.#queue.length,
      admitted: this.#admitted,
      circuit: this.#breaker?.state ?? ('closed' as const),
    }
  }

  /** The gate of one stream; `close` it with the stream. */
  openGate(): ConnectionGate & { close(): void } {
    const member = { hasPlace: false, connections: 0, wasConnected: false }
    return {
      enter: signal => this.#enter(member, signal),
      rest: () => {
        if (member.connections === 0) this.#releasePlace(member)
      },
      close: () => this.#releasePlace(member),
    }
  }

  #enter(member: Member, signal: AbortSignal): Promise<ConnectionPass> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      if (this.#failsFast) throw this.#circuitError('The service fails')
      const leaveQueue = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#queue.splice(this.#queue.indexOf(waiter), 1)
      }
      const waiter: Waiter = {
        member,
        admit: () => {
          leaveQueue()
          resolve(this.#pass(member))
        },
        refuse: error => {
          leaveQueue()
          reject(error)
          this.#admit()
        },
      }
      const onAbort = () => waiter.refuse(signal.reason as Error)
      const { queueTimeoutMs } = this.#settings
      // A stream's outcome hangs on it, so it keeps the process alive.
      const timer = setTimeout(
        () => waiter.refuse(this.#lateError()),
        Math.min(queueTimeoutMs, MAX_TIMEOUT_MS),
      )
      signal.addEventListener('abort', onAbort)
      this.#queueUp(waiter)
      this.#admit()
      this.#refuseBeyondBound(waiter)
    })
  }

  #queueUp(waiter: Waiter): void {
    const behind = this.#queue.findIndex(({ member }) => precedence(member) > precedence(waiter.member))
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, waiter)
  }

  /** Streams with a place are few by themselves: only those without one are counted. */
  #refuseBeyondBound(newest: Waiter): void {
    const { maxWaiting } = this.#settings
    const waiting = this.#queue.filter(({ member }) => !member.hasPlace)
    if (waiting.length <= maxWaiting || !waiting.includes(newest)) return
    newest.refuse(this.#fullError(`As many streams wait already as may (maxWaiting, ${maxWaiting})`))
  }

  /** Lets through whoever may go now, and comes back when time alone will let the next one go. */
  #admit(): void {
    clearTimeout(this.#timer)
    for (let head; (head = this.#queue[0]);) {
      if (!head.member.hasPlace && this.#places >= this.#settings.maxSessions) return
      const delayMs = this.#delayMs
      if (delayMs === 0) {
        head.admit()
        continue
      }
      // What a probe finds comes without a timer.
      if (delayMs < Infinity) {
        this.#timer = setTimeout(() => this.#admit(), Math.min(Math.ceil(delayMs), MAX_TIMEOUT_MS))
      }
      return
    }
  }

  get #delayMs(): number {
    const nowMs = performance.now()
    return Math.max(this.#limiter.delayMs(nowMs), this.#breaker?.delayMs(nowMs) ?? 0)
  }

  #pass(member: Member): ConnectionPass {
    if (!member.hasPlace) this.#places++
    member.hasPlace = true
    member.connections++
    this.#admitted++
    this.#limiter.take(performance.now())
    const era = this.#breaker?.begin() ?? 0
    const attempt = new ConnectionAttempt({
      onOpened: () => (member.wasConnected = true),
      onOutcome: (outcome, error) => this.#onOutcome(era, outcome, error),
      onThrottled: (retryAfterMs, error) => {
        this.#limiter.rest(performance.now() + retryAfterMs)
        this.#listener.onThrottled(retryAfterMs, error)
      },
      onLeft: keepsPlace => {
        this.#attempts.delete(attempt)
        if (--member.connections === 0 && !keepsPlace) this.#releasePlace(member)
      },
    })
    this.#attempts.add(attempt)
    return attempt
  }

  #onOutcome(era: number, outcome: 'succeeded' | 'failed' | 'abandoned', error?: SttError): void {
    if (outcome === 'failed') {
      this.#failure = error
      this.#breaker?.failed(era, performance.now(), error?.retryAfterMs)
    } else {
      this.#breaker?.[outcome](era)
    }
    this.#admit()
  }

  #releasePlace(member: Member): void {
    if (!member.hasPlace) return
    member.hasPlace = false
    this.#places--
    this.#admit()
  }

  #onCircuit(state: CircuitState): void {
    this.#listener.onCircuit(state, state === 'open' ? this.#failure : undefined)
    for (const waiter of this.#failsFast ? [...this.#queue] : []) {
      waiter.refuse(this.#circuitError('The service fails'))
    }
  }

  /** While a probe is out, or could go out, nobody fails: they wait for what it finds. */
  get #failsFast(): boolean {
    const { breaker } = this.#settings
    if (!breaker || breaker.whenOpen !== 'fail' || this.#breaker?.state !== 'open') return false
    return this.#breaker.delayMs(performance.now()) > 0
  }

  #lateError(): SttError {
    const what = `No connection was let through for ${this.#settings.queueTimeoutMs} ms (queueTimeoutMs)`
    const isClosed = !this.#breaker || this.#breaker.state === 'closed'
    return isClosed ? this.#fullError(what) : this.#circuitError(what)
  }

  #circuitError(what: string): SttError {
    const cause = this.#failure
    const message = `${what}, the fleet's circuit is ${this.stats.circuit}. The last failure: ${cause?.message}`
    return new SttError('STT_ERR_CIRCUIT_OPEN', message, { cause, ...this.#retryDetails })
  }

  #fullError(what: string): SttError {
    const { maxSessions } = this.#settings
    const taken = maxSessions === Infinity ? '' : `; ${this.#places} of ${maxSessions} places are taken`
    const message = what + taken
    return new SttError('STT_ERR_FLEET_FULL', message, this.#retryDetails)
  }

  get #retryDetails() {
    const delayMs = Math.ceil(this.#delayMs)
    const retryAfterMs = delayMs > 0 && delayMs < Infinity ? delayMs : undefined
    return { retryable: true, retryAfterMs }
  }
}

/** The less, the sooner: who is cut off in mid-sentence loses more by waiting than who has said nothing yet. */
function precedence({ hasPlace, wasConnected }: Member): number {
  return hasPlace ? 0 : wasConnected ? 1 : 2
}

import type { EndTurnMark, FrameOrMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import { CONNECTION_DEFAULTS } from './connection-options.js'
import type { SttConnection } from './connection.js'
import { Generation } from './generation.js'
import type { ServerMessage } from './protocol.js'
import { Replay } from './replay.js'
import { ReplaySender } from './replay-sender.js'
import { ReplayFilter, type Delivered } from './replay-filter.js'
import { isMark } from './replay-ring.js'
import { RetryPolicy } from './retry-policy.js'
import { Rotation } from './rotation.js'
import { CONTINUITY_DEFAULTS, type SttSessionOptions } from './session-options.js'
import { isManual, type WireTranscribeConfig } from './transcribe-config.js'

/** A connection that has held this long has proved itself, in ms. */
const PROOF_MS = 10_000
/** Of what is kept for sending again, so much may be on its way unread. */
const WINDOW_SHARE = 1 / 3
/** Silence before speech that a connection is given, in ms, so that no onset is cut. */
const PREROLL_MS = 300
/** Kept of the silence while hibernating, in ms. */
const HIBERNATION_PREROLL_MS = 1_000

export interface RelayListener {
  delivered(): Delivered
  /** Whether an `endTurn()` waits for its answer. */
  turnExpected(): boolean
  /** A message on the source's clock. */
  onMessage(message: ServerMessage, generation: Generation): void
  onMarkSent(mark: EndTurnMark): void
  /** No speech lies before the mark that anybody would answer for. */
  onMarkSkipped(mark: EndTurnMark): void
  /** What the connection owed will be asked of the next. */
  onHandover(): void
  /** The connection has said all, and rests with the source. */
  onAsleep(): void
  onNotice(name: string, ...facts: object[]): void
  /** All has been said. */
  onEnd(): void
  onError(error: SttError): void
}

/**
 * Carries frames and marks over one connection after another, so that each is heard by one that lives long enough
 * to answer.
 *
 *   running ──lost──► waiting (backoff) ──► running
 *      │ └──lost with nothing pending──► dormant ──audio──► waiting
 *      └──long silence──► retiring ──► hibernating ──speech──► running
 *
 * A rotation opens the next connection beside the current one and hands over in a pause of speech, or at last in
 * the middle of it, from the safe point. Those that were handed over from are read until they have said all.
 */
export class ConnectionRelay {
  readonly #options: SttSessionOptions & typeof CONTINUITY_DEFAULTS
  readonly #listener: RelayListener
  readonly #replay: Replay
  readonly #sender: ReplaySender
  readonly #retry: RetryPolicy
  readonly #rotation: Rotation
  /** All connections whose sockets are not gone yet. */
  readonly #generations = new Set<Generation>()
  /** Handed over from, and still saying what they have to. */
  readonly #leaving = new Set<Generation>()
  #current: Generation | undefined
  #state: 'running' | 'waiting' | 'dormant' | 'retiring' | 'hibernating' | 'done' = 'running'
  #everOpened = false
  /** The last connection was given up because it heard nothing: the next one's silence is believed. */
  #wasUnresponsive = false
  /** How far the source had been sent when it fell silent, in ms. */
  #asleepFromMs = 0
  /** What was proven when a connection that was to rest was last asked again; -1 before. */
  #restedAtMs = -1
  #delayMs = 0
  #backoffTimer: NodeJS.Timeout | undefined
  #proofTimer: NodeJS.Timeout | undefined
  /** Ends a dormant stream, or begins to hibernate, when no audio comes. */
  #quietTimer: NodeJS.Timeout | undefined
  readonly #totals = { sentMs: 0, insertedMs: 0, skippedMs: 0, connections: 0 }

  constructor(options: SttSessionOptions, listener: RelayListener) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.#options = { ...CONTINUITY_DEFAULTS, ...(Object.fromEntries(given) as unknown as SttSessionOptions) }
    this.#listener = listener
    this.#replay = new Replay(this.#options.replayMs)
    this.#sender = new ReplaySender(this.#replay, (generation, item) => this.#onSent(generation, item))
    this.#retry = new RetryPolicy(options.retry)
    this.#rotation = new Rotation(options.config, {
      open: config => this.#open(config),
      onReady: () => this.#considerHandover(),
      onFailed: error => {
        const message = `The next connection failed, the current one goes on: ${error.message}`
        this.#listener.onNotice('warning', { code: 'STT_WARN_ROTATION_FAILED', message })
      },
    })
    this.#connect()
  }

  get stats() {
    const { sentMs, insertedMs, skippedMs, connections } = this.#totals
    const clocks = [...this.#generations].map(({ connection }) => connection.clock)
    return {
      sentMs: clocks.reduce((total, clock) => total + clock.sentMs, sentMs),
      insertedMs: clocks.reduce((total, clock) => total + clock.insertedMs, insertedMs),
      skippedMs: skippedMs + this.#sleptMs(this.#replay.ring.startMs),
      connections,
      ...this.#replay.stats,
    }
  }

  /** Audio that the current connection's socket still holds, in ms. */
  get unsentMs(): number {
    return this.#current?.connection.unsentMs ?? 0
  }

  /** No final will come any more that begins before this, as far as is known, in ms of the source. */
  get settledMs(): number {
    return this.#replay.settledMs
  }

  /** `taken` comes when a connection has taken the item, or when none needs to. One item at a time. */
  write(item: FrameOrMark, taken: () => void): void {
    if (this.#state === 'hibernating' && isMark(item)) {
      this.#listener.onMarkSkipped(item)
      taken()
      return
    }
    this.#sender.write(item, taken)
    if (this.#state === 'hibernating') this.#sleepOnOrWake(item)
    else this.#resume()
  }

  /** `sent` comes when the end has been told, or need not be. */
  end(sent: () => void): void {
    this.#rotation.end(new SttError('STT_ERR_CLOSED', 'The stream ended before its new config was in force'))
    this.#sender.end(sent)
    if (!this.#current && this.#state !== 'waiting') this.#goOnOrFinish()
  }

  /**
   * The answer to the mark has come.
   * @param proven its words tell that it covers the speech before the mark, whoever ends turns
   */
  answered(mark: EndTurnMark, proven: boolean): void {
    this.giveUp(mark)
    if (proven || isManual(this.#rotation.config)) this.#replay.answered(mark)
  }

  /** Whether the current connection is still to be sent the mark. */
  isUnsent(mark: EndTurnMark): boolean {
    return this.#replay.ring.has(mark) && !this.#current?.marks.some(sent => sent.mark === mark)
  }

  /** No answer to the mark is expected any more. */
  giveUp(mark: EndTurnMark): void {
    for (const { marks } of this.#generations) {
      const index = marks.findIndex(sent => sent.mark === mark)
      if (index >= 0) marks.splice(index, 1)
    }
  }

  /** Something new was said: what may fail from now on fails for the first time. */
  proved(): void {
    this.#retry.proved()
  }

  /** Hands over to a connection with this config. Rejects when the service refuses it; the old one then stays. */
  updateConfig(config: WireTranscribeConfig): Promise<void> {
    return this.#rotation.update(config)
  }

  pause(): void {
    for (const { connection } of this.#generations) connection.pause()
  }

  resume(): void {
    for (const { connection } of this.#generations) if (connection.isPaused()) connection.resume()
  }

  /** `released` comes when every socket is gone. */
  destroy(reason: Error, released: () => void): void {
    this.#state = 'done'
    this.#stopTimers()
    this.#rotation.end(reason)
    const closing = [...this.#generations].map(
      ({ connection }) => new Promise(resolve => connection.once('close', resolve)),
    )
    for (const { connection } of this.#generations) connection.destroy()
    void Promise.all(closing).then(released)
  }

  #onSent(generation: Generation, item: FrameOrMark): void {
    if (isMark(item)) {
      const { voiceEndMs } = this.#replay
      generation.marks.push({ mark: item, atMs: generation.sentMs, voiceEndMs })
      this.#listener.onMarkSent(item)
      return
    }
    this.#rotation.audioSent()
    this.#considerHandover()
    this.#considerHibernation()
  }

  // One connection

  #open(config: WireTranscribeConfig): Generation {
    const { startMs } = this.#replay.ring
    const generation = new Generation(
      {
        ...this.#options,
        config,
        startMs,
        // What is on its way is lost with the connection: the ring must hold that and a turn.
        windowMs: this.#options.replayMs * WINDOW_SHARE,
        watchdogAction: this.#wasUnresponsive ? 'warn' : 'fail',
        signal: undefined,
      },
      new ReplayFilter(this.#listener.delivered(), startMs),
      {
        onOpen: opened => this.#onOpen(opened),
        onMessage: (speaker, message) => this.#onMessage(speaker, message),
        onEnd: ended => this.#onEnd(ended),
        onError: (failed, error) => this.#onError(failed, error),
        onWarning: (warned, warning) => {
          // One that was handed over from is nobody's business any more, and what is asked again is not missing.
          if (!this.#leaving.has(warned) && !this.#isUnanswered(warned))
            this.#listener.onNotice('warning', warning)
        },
        onClose: closed => this.#onClose(closed),
      },
    )
    this.#generations.add(generation)
    return generation
  }

  #onOpen(generation: Generation): void {
    this.#totals.connections++
    if (this.#rotation.isNext(generation)) this.#rotation.nextOpened()
    if (generation !== this.#current) return
    this.#retry.opened()
    // Until now nothing was given to it: what it is sent is what the ring holds now.
    const { first } = this.#replay.ring
    const report = this.#replay.report(first)
    generation.filter = new ReplayFilter(this.#listener.delivered(), report.fromMs)
    const isFirst = !this.#everOpened
    this.#everOpened = true
    this.#sender.use(generation, first)
    this.#onCurrentOpen(generation)
    if (isFirst) this.#listener.onNotice('open')
    else this.#listener.onNotice('reconnected', report)
  }

  #onCurrentOpen(generation: Generation): void {
    const { connection } = generation
    clearTimeout(this.#proofTimer)
    this.#proofTimer = setTimeout(() => {
      if (this.#hasHeld(connection)) this.#retry.proved()
    }, PROOF_MS).unref()
    if (!this.#sender.ending) {
      this.#rotation.begin(generation, {
        maxConnectionMs: this.#options.maxConnectionMs,
        // The same key again would end at the same time.
        expiresAtMs:
          typeof this.#options.apiKey === 'function' ? connection.credentialsExpireAtMs : undefined,
        sentMs: () => connection.clock.sentMs,
      })
    }
    this.#watchQuiet()
  }

  /** After PROOF_MS: a dead link holds as well, and nobody can tell while results are due. */
  #hasHeld({ speechUnanswered, lastSignMs = -Infinity }: SttConnection): boolean {
    const alive = performance.now() - lastSignMs <= PROOF_MS / 2
    return !speechUnanswered && (alive || !this.#replay.pending)
  }

  #onMessage(generation: Generation, message: ServerMessage): void {
    this.#wasUnresponsive = false
    if (generation === this.#current) this.#replay.received(message)
    else if (!generation.muted) this.#replay.receivedFromFormer(message)
    // What a muted one transcribes its successor says again; its usage is its own.
    if (!generation.muted || message.kind === 'usage') this.#listener.onMessage(message, generation)
    if (generation !== this.#current) this.#current?.filter.formerDelivered(this.#listener.delivered())
    this.#considerHandover()
  }

  /** The service has said all: the stream is complete, or that connection's part of it. */
  #onEnd(generation: Generation): void {
    if (generation !== this.#current) {
      this.#leaving.delete(generation)
      this.#endWhenAllHaveSaidAll()
      return
    }
    if (this.#isUnanswered(generation)) {
      if (this.#state === 'retiring') this.#restedAtMs = this.#replay.provenMs
      const message = 'The service never answered what it had been sent before the end'
      this.#onLost(generation, new SttError('STT_ERR_UNRESPONSIVE', message, { retryable: true }))
      return
    }
    this.#current = undefined
    if (this.#state === 'retiring') this.#hibernate()
    else this.#finish()
  }

  /**
   * It was told the end and still owes results, which the next connection is asked for. Where it was told the
   * stream's end that is done once: another one's silence is believed.
   */
  #isUnanswered({ connection, options }: Generation): boolean {
    if (this.#options.retry === false) return false
    // A rest is no end: who closes without usage may not have heard all of it. Asked once for the same audio.
    if (this.#state === 'retiring')
      return !connection.usageSeen && this.#replay.pending && this.#replay.provenMs > this.#restedAtMs
    return connection.finishTimedOut && !connection.endAnswered && options.watchdogAction === 'fail'
  }

  #onError(generation: Generation, error: SttError): void {
    if (this.#rotation.isNext(generation)) this.#rotation.nextFailed(error)
    else if (generation === this.#current) this.#onLost(generation, error)
    // One that was handed over from had nothing pending, or its successor says it again.
    else this.#onEnd(generation)
  }

  #onClose(generation: Generation): void {
    this.#generations.delete(generation)
    const { clock } = generation.connection
    this.#totals.sentMs += clock.sentMs
    this.#totals.insertedMs += clock.insertedMs
  }

  // From one connection to the next

  #connect(): void {
    clearTimeout(this.#quietTimer)
    this.#state = 'running'
    this.#current = this.#open(this.#rotation.config)
  }

  #onLost(generation: Generation, error: SttError): void {
    clearTimeout(this.#proofTimer)
    this.#current = undefined
    this.#sender.detach()
    this.#wasUnresponsive = error.code === 'STT_ERR_UNRESPONSIVE'
    if (this.#rotation.ready && this.#options.retry !== false) {
      this.#listener.onNotice('reconnected', this.#takeNext(this.#replay.ring.first).report)
      return
    }
    this.#rotation.stop()
    if (this.#sender.ending && generation.opened && error.retryable && !this.#isNeeded()) {
      const message = `All results had come when the connection ended: ${error.message}`
      this.#listener.onNotice('warning', { code: 'STT_WARN_CLOSED_LATE', message })
      if (!this.#isDone()) this.#finish()
      return
    }
    const { heard } = generation.connection
    const delayMs = this.#retry.nextDelayMs({ error, heard, nowMs: performance.now() })
    if (delayMs === undefined) {
      this.#fail(error)
      return
    }
    this.#listener.onHandover()
    this.#delayMs = delayMs
    this.#state = 'dormant'
    this.#listener.onNotice('reconnecting', { attempt: this.#retry.attempt, delayMs, cause: error })
    // Whoever is told may destroy the stream.
    if (this.#isDone()) return
    if (this.#isNeeded() || !this.#everOpened) {
      this.#resume()
    } else {
      this.#options.gate?.rest?.()
      this.#watchQuiet()
    }
  }

  /** Whether a connection is worth having now. */
  #isNeeded(): boolean {
    const { pending, unsent } = this.#replay
    return pending || unsent || this.#sender.awaited || this.#listener.turnExpected()
  }

  /** From dormant or hibernating to the next connection. */
  #resume(): void {
    if (this.#state === 'hibernating') {
      this.#totals.skippedMs += this.#sleptMs(this.#replay.ring.startMs)
      this.#connect()
    }
    if (this.#state !== 'dormant') return
    clearTimeout(this.#quietTimer)
    this.#state = 'waiting'
    this.#backoffTimer = setTimeout(() => this.#connect(), this.#delayMs)
  }

  #considerHandover(): void {
    if (!this.#rotation.ready || this.#sender.busy || this.#sender.ending) return
    const { ring, pending, unprotectedMs } = this.#replay
    const inPause = ring.trailingPauseMs >= PREROLL_MS || ring.first === ring.next
    if (inPause && !pending && this.#sender.caughtUp && !this.#listener.turnExpected())
      this.#handOver(ring.lastMs(PREROLL_MS), false)
    else if (this.#rotation.overdue) {
      // What has left the ring only the current connection can still answer for: then the turn is cut.
      if (unprotectedMs === 0) this.#handOver(ring.first, true)
      else this.#handOver(ring.lastMs(PREROLL_MS), false)
    }
  }

  #handOver(from: number, muted: boolean): void {
    const former = this.#current
    const { cause, report } = this.#takeNext(from)
    if (former) this.#leave(former, muted)
    if (muted) this.#listener.onHandover()
    const { fromMs, replayedMs: overlapMs } = report
    this.#listener.onNotice('rotated', { cause, fromMs, overlapMs })
  }

  /** The connection that a rotation has made ready is sent the audio from the item `from` on. */
  #takeNext(from: number) {
    const { generation, cause } = this.#rotation.take()!
    const report = this.#replay.report(from)
    this.#current = generation
    generation.filter = new ReplayFilter(this.#listener.delivered(), report.fromMs)
    this.#onCurrentOpen(generation)
    this.#sender.use(generation, from)
    return { cause, report }
  }

  #leave(generation: Generation, muted: boolean): void {
    generation.muted = muted
    this.#leaving.add(generation)
    generation.end()
  }

  #fail(error: SttError): void {
    this.#state = 'done'
    this.#stopTimers()
    this.#listener.onError(error)
  }

  #goOnOrFinish(): void {
    if (this.#isNeeded()) this.#resume()
    else this.#finish()
  }

  #finish(): void {
    this.#totals.skippedMs += this.#sleptMs(this.#replay.ring.endMs)
    this.#state = 'done'
    this.#stopTimers()
    this.#sender.release()
    this.#endWhenAllHaveSaidAll()
  }

  #endWhenAllHaveSaidAll(): void {
    if (this.#state === 'done' && this.#leaving.size === 0) this.#listener.onEnd()
  }

  #isDone(): boolean {
    return this.#state === 'done'
  }

  #stopTimers(): void {
    clearTimeout(this.#backoffTimer)
    clearTimeout(this.#proofTimer)
    clearTimeout(this.#quietTimer)
    this.#rotation.stop()
  }

  // Silence

  /** No audio at all: a dormant stream is given up in the end; a connected one may hibernate. */
  #watchQuiet(): void {
    clearTimeout(this.#quietTimer)
    const { hibernateAfterMs, idleTimeoutMs = CONNECTION_DEFAULTS.idleTimeoutMs } = this.#options
    if (this.#state === 'dormant' && idleTimeoutMs !== false) {
      const message = `No audio came for ${idleTimeoutMs} ms after the connection was lost (idleTimeoutMs)`
      const giveUp = () => this.#fail(new SttError('STT_ERR_IDLE_TIMEOUT', message))
      this.#quietTimer = setTimeout(giveUp, idleTimeoutMs).unref()
    } else if (this.#state === 'running' && hibernateAfterMs !== false) {
      this.#quietTimer = setTimeout(() => this.#retire(), hibernateAfterMs).unref()
    }
  }

  #considerHibernation(): void {
    const { hibernateAfterMs } = this.#options
    if (hibernateAfterMs === false) return
    if (this.#replay.ring.endMs - this.#replay.voiceEndMs >= hibernateAfterMs) this.#retire()
    else this.#watchQuiet()
  }

  /** Closes the connection. Until it has said all, the source waits: what is lost now is sent again. */
  #retire(): void {
    const generation = this.#current
    if (!generation?.opened || this.#sender.ending || !this.#sender.caughtUp) return
    if (this.#listener.turnExpected()) {
      this.#watchQuiet()
      return
    }
    this.#stopTimers()
    this.#state = 'retiring'
    this.#sender.detach()
    generation.end()
  }

  #hibernate(): void {
    this.#state = 'hibernating'
    this.#asleepFromMs = this.#replay.sentEndMs
    this.#replay.finished()
    this.#listener.onAsleep()
    if (this.#isDone()) return
    this.#listener.onNotice('hibernating', { atMs: this.#asleepFromMs })
    if (this.#isDone()) return
    const { ring } = this.#replay
    if (this.#sender.ending) this.#goOnOrFinish()
    else if (this.#sender.awaited) this.#sleepOnOrWake(ring.at(ring.next - 1)!)
  }

  #sleepOnOrWake(item: FrameOrMark): void {
    if (isMark(item)) {
      this.#replay.answered(item)
      this.#listener.onMarkSkipped(item)
      this.#sender.release()
    } else if (item.voiced) {
      this.#resume()
    } else {
      this.#replay.forgetSilence(HIBERNATION_PREROLL_MS)
      this.#options.metrics?.skipped(item.startMs + item.sourceMs)
      this.#sender.release()
    }
  }

  /** Silence that was slept through and will not be sent as the beginning of what follows, in ms. */
  #sleptMs(untilMs: number): number {
    return this.#state === 'hibernating' ? Math.max(0, untilMs - this.#asleepFromMs) : 0
  }
}

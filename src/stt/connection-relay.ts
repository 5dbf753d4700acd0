import type { EndTurnMark, FrameOrMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import { CONNECTION_DEFAULTS } from './connection-options.js'
import { Evidence } from './evidence.js'
import { Generation } from './generation.js'
import type { ServerMessage } from './protocol.js'
import { ReplayFilter, type Delivered } from './replay-filter.js'
import { isMark, ReplayRing } from './replay-ring.js'
import { RetryPolicy } from './retry-policy.js'
import { RotationClock, type RotationCause } from './rotation.js'
import { CONTINUITY_DEFAULTS, type SttSessionOptions } from './session-options.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/** A connection that has held this long has proved itself, in ms. */
const PROOF_MS = 10_000
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
  onNotice(name: string, ...facts: object[]): void
  /** All has been said. */
  onEnd(): void
  onError(error: SttError): void
}

/**
 * Carries frames and marks over one connection after another, so that each is heard by one that lives long enough
 * to answer. What is not proven heard stays in the ring; a new connection is sent the ring from its safe point.
 *
 *   connected ──lost──► waiting (backoff) ──► connected
 *       │ └──lost with nothing pending──► dormant ──audio──► waiting
 *       └──long silence──► hibernating ──speech──► connected
 *
 * A rotation opens the next connection beside the current one and hands over in a pause of speech, or at last in
 * the middle of it, from the safe point. Those that were handed over from are read until they have said all.
 */
export class ConnectionRelay {
  readonly #options: SttSessionOptions & typeof CONTINUITY_DEFAULTS
  readonly #listener: RelayListener
  readonly #ring: ReplayRing
  readonly #evidence = new Evidence()
  readonly #retry: RetryPolicy
  readonly #rotation: RotationClock
  #config: WireTranscribeConfig
  /** All connections whose sockets are not gone yet. */
  readonly #generations = new Set<Generation>()
  #current: Generation | undefined
  #next: { generation: Generation; cause: RotationCause } | undefined
  /** Handed over from, and still saying what they have to. */
  readonly #leaving = new Set<Generation>()
  #state: 'running' | 'waiting' | 'dormant' | 'hibernating' | 'done' = 'running'
  /** Number of the item that the current connection is sent next, and whether it is taking one. */
  #cursor = 0
  #sending = false
  /** Number behind the newest item that any connection has been sent. */
  #sentEnd = 0
  /** Where the last safe point stood, on the source's clock. */
  #safeMs = 0
  #lastVoicedMs = 0
  #whenTaken: (() => void) | undefined
  #whenEnded: (() => void) | undefined
  #ending = false
  #everOpened = false
  /** The last connection was given up because it heard nothing: the next one's silence is believed. */
  #wasUnresponsive = false
  #delayMs = 0
  #backoffTimer: NodeJS.Timeout | undefined
  #proofTimer: NodeJS.Timeout | undefined
  /** Ends a dormant stream, or begins to hibernate, when no audio comes. */
  #quietTimer: NodeJS.Timeout | undefined
  readonly #configApplied: { resolve: () => void; reject: (error: Error) => void }[] = []
  readonly #totals = { sentMs: 0, insertedMs: 0, replayedMs: 0, lostMs: 0, skippedMs: 0, connections: 0 }

  constructor(options: SttSessionOptions, listener: RelayListener) {
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.#options = { ...CONTINUITY_DEFAULTS, ...(Object.fromEntries(given) as unknown as SttSessionOptions) }
    this.#listener = listener
    this.#config = options.config
    this.#ring = new ReplayRing(this.#options.replayMs)
    this.#retry = new RetryPolicy(options.retry)
    this.#rotation = new RotationClock({
      onDue: cause => this.#openNext(cause),
      onReady: () => this.#considerHandover(),
    })
    this.#connect()
  }

  get stats() {
    const clocks = [...this.#generations].map(({ connection }) => connection.clock)
    const sum = (of: 'sentMs' | 'insertedMs') =>
      clocks.reduce((total, clock) => total + clock[of], this.#totals[of])
    return {
      ...this.#totals,
      sentMs: sum('sentMs'),
      insertedMs: sum('insertedMs'),
      unprotectedMs: this.#unprotectedMs,
    }
  }

  /** `taken` comes when a connection has taken the item, or when none needs to. One item at a time. */
  write(item: FrameOrMark, taken: () => void): void {
    if (this.#state === 'hibernating' && !this.#wakesUp(item)) {
      this.#skip(item)
      taken()
      return
    }
    if (this.#ring.next === 0 && !isMark(item)) this.#safeMs = item.startMs
    this.#ring.push(item)
    this.#whenTaken = taken
    this.#resume()
    this.#pump()
  }

  /** `sent` comes when the end has been told, or need not be. */
  end(sent: () => void): void {
    this.#ending = true
    this.#rotation.stop()
    this.#dropNext(new SttError('STT_ERR_CLOSED', 'The stream ended before its new config was in force'))
    this.#whenEnded = sent
    if (!this.#current && this.#state !== 'waiting') {
      if (this.#isNeeded()) this.#resume()
      else this.#finish()
    }
    this.#pump()
  }

  /** The answer to the mark has come: what lies before it has been heard. */
  answered(mark: EndTurnMark): void {
    this.giveUp(mark)
    if (!isManual(this.#config)) return
    this.#ring.trimThrough(mark)
    this.#safeMs = this.#ring.startMs
  }

  /** No answer is expected any more. */
  giveUp(mark: EndTurnMark): void {
    for (const { marks } of this.#generations) {
      const index = marks.findIndex(sent => sent.mark === mark)
      if (index >= 0) marks.splice(index, 1)
    }
  }

  /** Rotates to a connection with this config. Rejects when the service refuses it; the old one then stays. */
  updateConfig(config: WireTranscribeConfig): Promise<void> {
    this.#config = config
    if (!this.#current) return Promise.resolve()
    const applied = new Promise<void>((resolve, reject) => this.#configApplied.push({ resolve, reject }))
    applied.catch(() => {})
    if (this.#current.opened) this.#rotation.demand()
    return applied
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
    for (const { reject } of this.#configApplied.splice(0)) reject(reason)
    const closing = [...this.#generations].map(
      ({ connection }) => new Promise(resolve => connection.once('close', resolve)),
    )
    for (const { connection } of this.#generations) connection.destroy()
    void Promise.all(closing).then(released)
  }

  // Sending

  #pump(): void {
    const generation = this.#current
    if (!generation || this.#sending || this.#state === 'done') return
    this.#cursor = Math.max(this.#cursor, this.#ring.first)
    const item = this.#ring.at(this.#cursor)
    if (item) {
      this.#send(generation, item)
    } else if (this.#whenTaken) {
      const taken = this.#whenTaken
      this.#whenTaken = undefined
      taken()
    } else if (this.#ending) {
      clearTimeout(this.#proofTimer)
      generation.end(() => {
        this.#whenEnded?.()
        this.#whenEnded = undefined
      })
    }
  }

  #send(generation: Generation, item: FrameOrMark): void {
    this.#sending = true
    generation.connection.write(item, error => {
      if (error || generation !== this.#current) return
      this.#sending = false
      this.#cursor++
      this.#onSent(generation, item)
      this.#pump()
    })
    if (generation.opened) this.#sentEnd = Math.max(this.#sentEnd, this.#cursor + 1)
  }

  #onSent(generation: Generation, item: FrameOrMark): void {
    this.#sentEnd = Math.max(this.#sentEnd, this.#cursor)
    if (isMark(item)) {
      generation.marks.push({ mark: item, voiceEndMs: this.#lastVoicedMs })
      this.#listener.onMarkSent(item)
      return
    }
    const endMs = item.startMs + item.sourceMs
    this.#evidence.sent(endMs, item.voiced)
    if (item.voiced) this.#lastVoicedMs = endMs
    this.#rotation.audioSent()
    this.#considerHandover()
    this.#considerHibernation()
  }

  // Connections

  #open(from: number, config: WireTranscribeConfig): Generation {
    const startMs = this.#sourceMsAt(from)
    const options = {
      ...this.#options,
      config,
      startMs,
      watchdogAction: this.#wasUnresponsive ? ('warn' as const) : ('fail' as const),
      signal: undefined,
    }
    const filter = new ReplayFilter(this.#listener.delivered(), startMs)
    const generation = new Generation(options, filter, {
      onOpen: opened => this.#onOpen(opened),
      onMessage: (from, message) => this.#onMessage(from, message),
      onEnd: ended => this.#onEnd(ended),
      onError: (failed, error) => this.#onError(failed, error),
      onWarning: (warned, warning) => {
        // One that was handed over from is nobody's business any more.
        if (!this.#leaving.has(warned)) this.#listener.onNotice('warning', warning as object)
      },
      onClose: closed => this.#onClose(closed),
    })
    this.#generations.add(generation)
    return generation
  }

  #connect(): void {
    clearTimeout(this.#quietTimer)
    this.#state = 'running'
    this.#sending = false
    this.#cursor = this.#ring.first
    this.#current = this.#open(this.#cursor, this.#config)
    this.#pump()
  }

  #onOpen(generation: Generation): void {
    this.#totals.connections++
    if (generation === this.#next?.generation) {
      this.#rotation.opened()
      return
    }
    if (generation !== this.#current) return
    this.#retry.opened()
    if (this.#everOpened) this.#listener.onNotice('reconnected', this.#countReplay(this.#cursor))
    else this.#listener.onNotice('open')
    this.#everOpened = true
    this.#onCurrentOpen(generation)
  }

  #onCurrentOpen({ connection, options }: Generation): void {
    clearTimeout(this.#proofTimer)
    this.#proofTimer = setTimeout(() => {
      if (!connection.speechUnanswered) this.#retry.proved()
    }, PROOF_MS).unref()
    this.#rotation.begin({
      maxConnectionMs: this.#options.maxConnectionMs,
      // The same key again would end at the same time.
      expiresAtMs: typeof this.#options.apiKey === 'function' ? connection.credentialsExpireAtMs : undefined,
      sentMs: () => connection.clock.sentMs,
    })
    if (options.config === this.#config) this.#settleConfig()
    else this.#rotation.demand()
    this.#watchQuiet()
  }

  #onMessage(generation: Generation, message: ServerMessage): void {
    this.#wasUnresponsive = false
    if (generation === this.#current) this.#evidence.received(message)
    else this.#learnFromLeaving(generation, message)
    if (!generation.muted) this.#advanceSafePoint(message)
    // What it transcribed beyond the safe point its successor says again; its usage is its own.
    if (!generation.muted || message.kind === 'usage') this.#listener.onMessage(message, generation)
    this.#considerHandover()
  }

  /** What one that was handed over from finishes is proven; what it has open says nothing of the current one. */
  #learnFromLeaving(generation: Generation, message: ServerMessage): void {
    if (generation.muted) return
    const lastWord = message.kind === 'transcription' && message.isFinal ? message.words.at(-1) : undefined
    if (lastWord) this.#evidence.prove(lastWord.endMs)
  }

  /** Something new was said: what may fail from now on fails for the first time. */
  proved(): void {
    this.#retry.proved()
  }

  /** The service has said all: the stream is complete, or that connection's part of it. */
  #onEnd(generation: Generation): void {
    this.#leaving.delete(generation)
    if (generation === this.#current) {
      this.#current = undefined
      this.#state = 'done'
    }
    if (this.#state === 'done' && this.#leaving.size === 0) this.#listener.onEnd()
  }

  #onError(generation: Generation, error: SttError): void {
    if (generation === this.#next?.generation) this.#onNextFailed(error)
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

  #onLost(generation: Generation, error: SttError): void {
    clearTimeout(this.#proofTimer)
    this.#rotation.stop()
    this.#current = undefined
    this.#sending = false
    this.#wasUnresponsive = error.code === 'STT_ERR_UNRESPONSIVE'
    if (this.#next?.generation.opened) {
      this.#replaceByNext(this.#next.generation)
      return
    }
    this.#next?.generation.connection.destroy()
    this.#next = undefined
    if (this.#ending && generation.opened && error.retryable && !this.#isNeeded()) {
      const message = `All results had come when the connection ended: ${error.message}`
      this.#listener.onNotice('warning', { code: 'STT_WARN_CLOSED_LATE', message })
      this.#finish()
      return
    }
    const nowMs = performance.now()
    const delayMs = this.#retry.nextDelayMs({ error, heard: generation.connection.heard, nowMs })
    if (delayMs === undefined) {
      this.#fail(error)
      return
    }
    this.#listener.onHandover()
    const { attempt } = this.#retry
    this.#listener.onNotice('reconnecting', { attempt, delayMs, cause: error })
    this.#delayMs = delayMs
    this.#state = 'dormant'
    if (this.#isNeeded() || !this.#everOpened) this.#resume()
    else this.#watchQuiet()
  }

  /** The connection of a rotation stands ready when the current one is lost. */
  #replaceByNext(generation: Generation): void {
    this.#next = undefined
    this.#current = generation
    this.#cursor = this.#ring.first
    const replay = this.#countReplay(this.#cursor)
    generation.filter = new ReplayFilter(this.#listener.delivered(), replay.fromMs)
    this.#listener.onHandover()
    this.#listener.onNotice('reconnected', replay)
    this.#onCurrentOpen(generation)
    this.#pump()
  }

  /** Whether a connection is worth having now. */
  #isNeeded(): boolean {
    return (
      this.#evidence.pending ||
      this.#whenTaken !== undefined ||
      this.#sentEnd < this.#ring.next ||
      this.#listener.turnExpected()
    )
  }

  /** From dormant or hibernating to the next connection. */
  #resume(): void {
    if (this.#state === 'hibernating') this.#connect()
    if (this.#state !== 'dormant') return
    clearTimeout(this.#quietTimer)
    this.#state = 'waiting'
    this.#backoffTimer = setTimeout(() => this.#connect(), this.#delayMs)
  }

  #fail(error: SttError): void {
    this.#state = 'done'
    this.#stopTimers()
    this.#listener.onError(error)
  }

  #finish(): void {
    this.#state = 'done'
    this.#stopTimers()
    this.#whenEnded?.()
    this.#whenEnded = undefined
    if (this.#leaving.size === 0) this.#listener.onEnd()
  }

  #stopTimers(): void {
    clearTimeout(this.#backoffTimer)
    clearTimeout(this.#proofTimer)
    clearTimeout(this.#quietTimer)
    this.#rotation.stop()
  }

  // The safe point

  #advanceSafePoint(message: ServerMessage): void {
    const timed = this.#ring.pauseBefore(this.#evidence.provenMs)
    if (timed !== undefined) this.#trim(timed)
    if (message.kind !== 'transcription' || !message.isFinal || message.transcript === '') return
    // A final without times has at least heard the turn's speech up to its first pause.
    const untimed = message.words.length === 0 ? this.#ring.pauseAfterVoice() : undefined
    if (untimed !== undefined && !isManual(this.#config)) this.#trim(untimed)
  }

  #trim(number: number): void {
    if (number <= this.#ring.first) return
    this.#ring.trim(number)
    this.#safeMs = this.#ring.startMs
  }

  /** Audio that has left the ring since the safe point, up to the last of it that is voiced, in ms. */
  get #unprotectedMs(): number {
    if (!this.#evidence.pending) return 0
    return Math.max(0, this.#ring.evictedVoiceEndMs - Math.max(this.#evidence.provenMs, this.#safeMs))
  }

  #sourceMsAt(number: number): number {
    for (let at = number; at < this.#ring.next; at++) {
      const item = this.#ring.at(at)
      if (item && !isMark(item)) return item.startMs
    }
    return this.#ring.endMs
  }

  /** What is sent again from `from` on, and what can not be. */
  #countReplay(from: number): { fromMs: number; replayedMs: number; lostMs: number } {
    const replayedMs = this.#ring.durationMs(from, this.#sentEnd)
    const lostMs = this.#unprotectedMs
    this.#totals.replayedMs += replayedMs
    this.#totals.lostMs += lostMs
    // Told once.
    if (lostMs > 0) this.#safeMs = this.#ring.startMs
    return { fromMs: this.#sourceMsAt(from), replayedMs, lostMs }
  }

  // Rotation

  #openNext(cause: RotationCause): void {
    this.#next?.generation.connection.destroy()
    this.#next = { generation: this.#open(this.#ring.first, this.#config), cause }
  }

  #onNextFailed(error: SttError): void {
    const { cause = 'config' } = this.#next ?? {}
    this.#next = undefined
    if (cause === 'config' && !error.retryable) {
      this.#config = this.#current?.options.config ?? this.#config
      for (const { reject } of this.#configApplied.splice(0)) reject(error)
      this.#rotation.stop()
      return
    }
    const message = `The next connection failed, the current one goes on: ${error.message}`
    this.#listener.onNotice('warning', { code: 'STT_WARN_ROTATION_FAILED', message })
    this.#rotation.failed(cause)
  }

  #considerHandover(): void {
    if (!this.#next?.generation.opened || !this.#rotation.ready || this.#sending || this.#ending) return
    const pauseMs = this.#ring.trailingPauseMs
    const inPause =
      this.#cursor === this.#ring.next && (pauseMs >= PREROLL_MS || this.#sentEnd === this.#ring.first)
    if (inPause && !this.#evidence.pending && !this.#listener.turnExpected())
      this.#handOver(this.#ring.lastMs(PREROLL_MS), false)
    // What has left the ring only the current connection can still answer for.
    else if (this.#rotation.overdue && this.#unprotectedMs === 0) this.#handOver(this.#ring.first, true)
  }

  #handOver(from: number, muted: boolean): void {
    const { generation, cause } = this.#next!
    const { fromMs, replayedMs } = this.#countReplay(from)
    const old = this.#current
    this.#next = undefined
    this.#current = generation
    this.#cursor = from
    this.#sending = false
    generation.filter = new ReplayFilter(this.#listener.delivered(), fromMs)
    if (old) this.#leave(old, muted)
    if (muted) this.#listener.onHandover()
    this.#listener.onNotice('rotated', { cause, fromMs, overlapMs: replayedMs })
    this.#onCurrentOpen(generation)
    this.#pump()
  }

  #leave(generation: Generation, muted: boolean): void {
    generation.muted = muted
    this.#leaving.add(generation)
    generation.end()
  }

  #dropNext(reason: SttError): void {
    const generation = this.#next?.generation
    this.#next = undefined
    generation?.connection.destroy()
    for (const { reject } of this.#configApplied.splice(0)) reject(reason)
  }

  #settleConfig(): void {
    for (const { resolve } of this.#configApplied.splice(0)) resolve()
  }

  // Silence

  /** No audio at all: a dormant stream is given up in the end; a connected one may hibernate. */
  #watchQuiet(): void {
    clearTimeout(this.#quietTimer)
    const { hibernateAfterMs, idleTimeoutMs = CONNECTION_DEFAULTS.idleTimeoutMs } = this.#options
    if (this.#state === 'dormant' && idleTimeoutMs !== false) {
      const message = `No audio came for ${idleTimeoutMs} ms after the connection was lost (idleTimeoutMs)`
      this.#quietTimer = setTimeout(
        () => this.#fail(new SttError('STT_ERR_IDLE_TIMEOUT', message)),
        idleTimeoutMs,
      ).unref()
    } else if (this.#state === 'running' && hibernateAfterMs !== false) {
      this.#quietTimer = setTimeout(() => this.#hibernateIfQuiet(), hibernateAfterMs).unref()
    }
  }

  #considerHibernation(): void {
    const { hibernateAfterMs } = this.#options
    if (hibernateAfterMs === false) return
    if (this.#ring.endMs - this.#lastVoicedMs >= hibernateAfterMs) this.#hibernateIfQuiet()
    else this.#watchQuiet()
  }

  #hibernateIfQuiet(): void {
    const generation = this.#current
    if (!generation?.opened || this.#ending || this.#sending || this.#cursor < this.#ring.next) return
    // Noise may stay pending for ever; what the service has of it, `closeStream` brings.
    if (this.#evidence.interimOpen || this.#listener.turnExpected()) {
      this.#watchQuiet()
      return
    }
    clearTimeout(this.#quietTimer)
    clearTimeout(this.#proofTimer)
    this.#rotation.stop()
    this.#current = undefined
    this.#state = 'hibernating'
    this.#leave(generation, false)
    this.#listener.onNotice('hibernating', { atMs: this.#ring.endMs })
    // The connection took it all; whoever wrote it is waiting for that only.
    const taken = this.#whenTaken
    this.#whenTaken = undefined
    taken?.()
  }

  #wakesUp(item: FrameOrMark): boolean {
    return !isMark(item) && item.voiced
  }

  #skip(item: FrameOrMark): void {
    if (isMark(item)) {
      this.#listener.onMarkSkipped(item)
      return
    }
    this.#ring.push(item)
    this.#trim(this.#ring.lastMs(HIBERNATION_PREROLL_MS))
    this.#totals.skippedMs += item.sourceMs
    this.#sentEnd = this.#ring.next
  }
}

/** Whether the client ends turns (protocol A3.5). */
export function isManual({ inworldSttV1Config, assemblyaiConfig }: WireTranscribeConfig): boolean {
  return inworldSttV1Config?.vadThreshold === 0 || assemblyaiConfig?.vadThreshold === 0
}

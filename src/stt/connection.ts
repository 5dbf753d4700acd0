import { addAbortSignal, Duplex } from 'node:stream'
import type { Frame, FrameOrMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import { encodeBase64 } from '../native.js'
import { resolveCredentials } from '../wire/auth.js'
import { WireSocket, type SocketEnd } from '../wire/socket.js'
import { AudioClock } from './audio-clock.js'
import { withDefaults, type ConnectionSettings, type SttConnectionOptions } from './connection-options.js'
import type { ConnectionPass } from './connection-gate.js'
import { Evidence } from './evidence.js'
import { FinishWatch } from './finish-watch.js'
import { KeepAlive } from './keep-alive.js'
import {
  CLOSE_STREAM,
  END_TURN,
  encodeAudioChunk,
  encodeConfig,
  parseServerMessage,
  type ServerMessage,
} from './protocol.js'
import { handshakeError, socketError } from './service-errors.js'
import { SendWindow } from './send-window.js'
import { SpeechWatchdog } from './speech-watchdog.js'
import { isManual } from './transcribe-config.js'

const CLOSE_TIMEOUT_MS = 1_000
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** Base64 makes 4 bytes of 3; 32 bytes of LINEAR16 a ms. */
const WIRE_BYTES_PER_MS = 43
/** 16 kHz mono LINEAR16. */
const BYTES_PER_MS = 32
/** Less is what the resampler's filter held back at the end of a turn, too short for any sound of speech. */
const SHORTEST_TURN_MS = 20
/** Frames that wait in the stream's own buffer beside those in the socket's. */
const WAITING_FRAMES = 4

type Callback = (error?: Error | null) => void

/**
 * The STT dialogue on one socket, a Duplex: frames and end-of-turn marks in, typed messages out, their times in
 * ms of this connection. The config goes first; `end()` sends `closeStream` and reads on until the service is
 * done. While nobody reads, the socket is read until the readable side is full (64 messages), then rests.
 *
 * ```
 * opening ──open: config──► talking ──final: closeStream──► finishing ──► ended
 * ```
 *
 * Ends `finishing`: a close with 1000 (1001 and broken-off after usage), usage and `closeGraceMs`, quiet with
 * nothing pending, or `finishTimeoutMs` without a message (then with a 'warning').
 *
 * @fires open once the config is on its way
 * @fires warning {code, message}
 */
export class SttConnection extends Duplex {
  readonly #options: ConnectionSettings
  readonly #clock: AudioClock
  readonly #evidence = new Evidence()
  /** The client controls turns (vadThreshold 0). */
  readonly #manualTurns: boolean
  /** Source audio since the last end of a turn, in ms. */
  #turnMs = 0
  /** No audio of the source has followed the last `endTurn`. */
  #endTurnLast = false
  #socket: WireSocket | undefined
  #secret = ''
  #credentialsExpireAtMs: number | undefined
  readonly #keepAlive: KeepAlive
  readonly #watchdog: SpeechWatchdog
  readonly #finish: FinishWatch
  readonly #window: SendWindow
  #warnedOfSilence = false
  #finishTimedOut = false
  #pass: ConnectionPass | undefined
  /** Ends the wait for the gate. */
  readonly #abandoned = new AbortController()
  #opened = false
  #whenOpen: (() => void) | undefined
  #ended = false
  #lastActivityMs = performance.now()
  #lastSignMs: number | undefined
  #openTimer: NodeJS.Timeout | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #whenReleased: (() => void) | undefined

  constructor(options: SttConnectionOptions) {
    super({
      readableObjectMode: true,
      writableObjectMode: true,
      readableHighWaterMark: 64,
      writableHighWaterMark: WAITING_FRAMES,
    })
    this.#options = withDefaults(options)
    this.#clock = new AudioClock(options.startMs)
    this.#manualTurns = isManual(options.config)
    this.#keepAlive = new KeepAlive({
      sendSilence: ms => this.#sendSilence(ms),
      isTurnOpen: () => !this.#manualTurns && this.#evidence.pending,
    })
    this.#watchdog = new SpeechWatchdog({
      timeoutMs: this.#options.watchdogMs,
      isResting: () => this.#socket?.paused === true,
      onSilence: timeoutMs => this.#onUnheardSpeech(timeoutMs),
    })
    const { pingIntervalMs, pongTimeoutMs, windowMs } = this.#options
    this.#window = new SendWindow({
      // Where the caller wants no pings there are none.
      windowMs: pingIntervalMs === false ? Infinity : windowMs,
      giveUpMs: pongTimeoutMs,
      ping: id => this.#socket?.ping(id),
      isResting: () => this.#socket?.paused === true,
    })
    this.#finish = new FinishWatch({
      ...this.#options,
      isPending: () => this.#evidence.pending,
      isResting: () => this.#ended || this.destroyed || this.#socket?.paused === true,
      onDone: () => this.#endReading(),
      onTimeout: timeoutMs => this.#onFinishTimeout(timeoutMs),
    })
    this.#begin().catch((cause: unknown) => this.destroy(toCredentialsError(cause)))
    if (options.signal) addAbortSignal(options.signal, this)
  }

  /**
   * Source time ⇄ this connection's time.
   * @internal
   */
  get clock(): AudioClock {
    return this.#clock
  }

  /** Whether the service has said anything on this connection. */
  get heard(): boolean {
    return this.#evidence.heard
  }

  /** Whether it ended although results were pending, because the service said nothing more. */
  get finishTimedOut(): boolean {
    return this.#finishTimedOut
  }

  /** Whether usage has come since `closeStream`: the service has counted all that it was sent. */
  get usageSeen(): boolean {
    return this.#finish.usageSeen
  }

  /** Whether any message has come since `closeStream`. */
  get endAnswered(): boolean {
    return this.#finish.answered
  }

  /** When the last message or pong came, on the clock of `performance.now()`; undefined before the first. */
  get lastSignMs(): number | undefined {
    return this.#lastSignMs
  }

  /** Whether speech has been sent that nothing has answered yet. */
  get speechUnanswered(): boolean {
    return this.#watchdog.waiting
  }

  /** Audio that the socket has been handed and the operating system has not taken yet, in ms. */
  get unsentMs(): number {
    return (this.#socket?.bufferedBytes ?? 0) / WIRE_BYTES_PER_MS
  }

  /** When the credentials end, ms since the epoch; undefined where nobody knows. */
  get credentialsExpireAtMs(): number | undefined {
    return this.#credentialsExpireAtMs
  }

  async #begin(): Promise<void> {
    this.#pass = await this.#options.gate?.enter(this.#abandoned.signal)
    if (this.destroyed) this.#leaveGate()
    else await this.#open()
  }

  async #open(): Promise<void> {
    const options = this.#options
    const { handshakeTimeoutMs } = options
    this.#openTimer = setTimeout(() => this.destroy(handshakeError(handshakeTimeoutMs)), handshakeTimeoutMs)
    const startedMs = performance.now()
    const url = typeof options.url === 'function' ? await options.url() : options.url
    const credentials = await resolveCredentials(options)
    if (this.destroyed) {
      this.#leaveGate()
      return
    }
    this.#secret = credentials.secret
    this.#credentialsExpireAtMs = credentials.expiresAtMs
    clearTimeout(this.#openTimer)
    this.#socket = new WireSocket(
      {
        url,
        credentials,
        headers: options.headers,
        agent: options.agent,
        handshakeTimeoutMs: options.handshakeTimeoutMs - (performance.now() - startedMs),
        pingIntervalMs: options.pingIntervalMs,
        pongTimeoutMs: options.pongTimeoutMs,
        highWaterMarkBytes: options.sendBufferMs * WIRE_BYTES_PER_MS,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        closeTimeoutMs: CLOSE_TIMEOUT_MS,
      },
      {
        onOpen: () => this.#onOpen(),
        onMessage: (data, isBinary) => this.#onMessage(data, isBinary),
        onSend: bytes => options.metrics?.messageSent(bytes),
        onPong: id => {
          this.#lastSignMs = performance.now()
          this.#window.pong(id)
        },
        onEnd: end => this.#onSocketEnd(end),
      },
    )
  }

  #onOpen(): void {
    this.#socket?.send(encodeConfig(this.#options.config))
    this.#opened = true
    this.#pass?.opened()
    this.#touch()
    this.#restartKeepAlive()
    this.#watchIdle()
    this.emit('open')
    this.#whenOpen?.()
  }

  override _write(item: FrameOrMark, _encoding: BufferEncoding, callback: Callback): void {
    if (!this.#opened) {
      this.#whenOpen = () => this._write(item, _encoding, callback)
      return
    }
    this.#touch()
    if ('endTurn' in item) this.#sendEndTurn(callback)
    else this.#sendFrame(item, callback)
  }

  #sendFrame(frame: Frame, callback: Callback): void {
    const { startMs, pcm, voiced, sourceMs, insertedMs } = frame
    this.#clock.book(startMs, sourceMs, insertedMs)
    this.#evidence.sent(this.#clock.sentMs, voiced)
    this.#options.metrics?.frameSent(startMs + sourceMs, voiced, performance.now())
    this.#turnMs += sourceMs
    this.#endTurnLast = false
    // Nobody waits for an answer to half a turn where the client ends turns.
    if (voiced && !this.#manualTurns) this.#watchdog.speechSent()
    this.#keepAlive.stop()
    this.#send(encodeAudioChunk(pcm, encodeBase64), () => {
      this.#window.sent(this.#clock.sentMs, () => {
        this.#restartKeepAlive()
        callback()
      })
    })
  }

  #sendEndTurn(callback: Callback): void {
    this.#turnMs = 0
    this.#endTurnLast = true
    this.#send(END_TURN, callback)
  }

  /** Booked as inserted: it moves the connection's clock and not the source's. */
  #sendSilence(ms: number): void {
    if (this.#socket?.paused || this.#socket?.bufferedBytes) return
    this.#clock.insert(ms)
    this.#evidence.sent(this.#clock.sentMs, false)
    this.#socket?.send(encodeAudioChunk(Buffer.alloc(ms * BYTES_PER_MS), encodeBase64))
  }

  #restartKeepAlive(): void {
    if (this.#options.keepAlive === 'silence' && !this.writableEnded && !this.destroyed)
      this.#keepAlive.restart()
  }

  #onUnheardSpeech(timeoutMs: number): void {
    const message = `Speech was sent and nothing came back for ${timeoutMs} ms (watchdogMs)`
    if (this.#options.watchdogAction === 'fail')
      this.#fail(new SttError('STT_ERR_UNRESPONSIVE', message, { retryable: true }))
    else if (!this.#warnedOfSilence) this.emit('warning', { code: 'STT_WARN_NOTHING_HEARD', message })
    this.#warnedOfSilence = true
  }

  override _final(callback: Callback): void {
    if (!this.#opened) {
      this.#whenOpen = () => this._final(callback)
      return
    }
    this.#keepAlive.stop()
    this.#watchdog.stop()
    // In automatic mode an endTurn before closeStream brings a second, hallucinated final (protocol B8).
    if (this.#manualTurns && this.#turnMs >= SHORTEST_TURN_MS) this.#socket?.send(END_TURN)
    this.#send(CLOSE_STREAM, () => {
      clearTimeout(this.#idleTimer)
      this.#finish.begin()
      callback()
    })
  }

  /** `taken` comes late where the service reads slowly, and is a sign of life. */
  #send(message: string | Buffer, taken: () => void): void {
    this.#socket?.send(message, () => {
      this.#touch()
      taken()
    })
  }

  override _read(): void {
    if (!this.#socket?.paused) return
    this.#socket.resume()
    this.#touch()
    this.#finish.restart()
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#ended || this.destroyed) return
    if (isBinary) {
      this.#fail(
        new SttError(
          'STT_ERR_PROTOCOL',
          `Expected text from the service; got a binary message of ${data.length} bytes`,
        ),
      )
      return
    }
    this.#touch()
    this.#lastSignMs = this.#lastActivityMs
    this.#options.metrics?.messageReceived(data.length)
    this.#watchdog.stop()
    try {
      const text = this.#withoutKey(data.toString('utf8'))
      for (const message of parseServerMessage(text)) this.#deliver(message)
    } catch (error) {
      this.#fail(error as SttError)
    }
    this.#finish.messageReceived()
  }

  /** In automatic mode `closeStream` right behind an `endTurn` brings a final of no audio (protocol B8). */
  #isInvented({ kind }: ServerMessage): boolean {
    if (kind !== 'transcription' || this.#manualTurns) return false
    return this.#finish.begun && this.#endTurnLast && !this.#evidence.pending
  }

  #deliver(message: ServerMessage): void {
    if (this.#isInvented(message)) return
    this.#evidence.received(message)
    if (message.kind === 'error') {
      this.#fail(message.error)
      return
    }
    if (message.kind === 'usage') this.#finish.usage()
    if (this.destroyed) return
    if (!this.push(message)) this.#socket?.pause()
  }

  #onFinishTimeout(finishTimeoutMs: number): void {
    this.#finishTimedOut = true
    const message = `The service said nothing for ${finishTimeoutMs} ms after the end of the audio, with results pending`
    this.emit('warning', { code: 'STT_WARN_FINISH_TIMEOUT', message })
    this.#endReading()
  }

  #endReading(): void {
    this.#finish.stop()
    if (this.#ended) return
    this.#ended = true
    this.push(null)
    this.#socket?.close()
  }

  /** `destroy` drops what nobody has read: whoever wants it reads it before. */
  #fail(error: SttError): void {
    this.emit('failing')
    this.destroy(error)
  }

  #onSocketEnd(end: SocketEnd): void {
    this.#socket = undefined
    if (!this.#ended && !this.destroyed) {
      if (this.#isProperEnd(end)) this.#endReading()
      else this.#fail(this.#toError(end))
    }
    // After the error: the gate is told why before its place is given back.
    this.#leaveGate()
    this.#whenReleased?.()
  }

  #isProperEnd(end: SocketEnd): boolean {
    if (!this.#finish.begun || (end.kind !== 'closed' && end.kind !== 'failed')) return false
    const code = end.kind === 'closed' ? end.code : 1006
    if (this.#finish.usageSeen) return [1000, 1001, 1005, 1006].includes(code)
    // Closed without a word although speech was sent: a refused config (protocol B1), not an empty success.
    return (code === 1000 || code === 1005) && (this.#evidence.heard || !this.#evidence.pending)
  }

  #toError(end: SocketEnd): SttError {
    if (end.kind === 'handshake-timeout') return handshakeError(this.#options.handshakeTimeoutMs)
    if (end.kind === 'refused') return socketError({ ...end, body: this.#withoutKey(end.body) }, true)
    return socketError(end, this.#evidence.heard)
  }

  #withoutKey(text: string): string {
    if (!this.#secret) return text
    // As it stands in a header, and in the URL.
    return text.replaceAll(this.#secret, '[key]').replaceAll(encodeURIComponent(this.#secret), '[key]')
  }

  #touch(): void {
    this.#lastActivityMs = performance.now()
  }

  /** One lazy timer for all activity: neither a source that stalls nor a service that takes nothing is awaited for ever. */
  #watchIdle(): void {
    const { idleTimeoutMs } = this.#options
    if (idleTimeoutMs === false) return
    // While our own reader rests, messages may wait unread.
    const idleMs = this.#socket?.paused ? 0 : performance.now() - this.#lastActivityMs
    if (idleMs >= idleTimeoutMs) {
      const message = `No audio went out and no message came for ${idleTimeoutMs} ms (idleTimeoutMs)`
      this.#fail(new SttError('STT_ERR_IDLE_TIMEOUT', message))
      return
    }
    this.#idleTimer = setTimeout(() => this.#watchIdle(), idleTimeoutMs - idleMs).unref()
  }

  #leaveGate(): void {
    this.#pass?.leave()
    this.#pass = undefined
  }

  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#openTimer)
    this.#finish.stop()
    clearTimeout(this.#idleTimer)
    this.#keepAlive.stop()
    this.#watchdog.stop()
    this.#window.stop()
    this.#abandoned.abort()
    this.#whenOpen = undefined
    if (error instanceof SttError) this.#pass?.failed(error)
    if (!this.#socket) {
      this.#leaveGate()
      callback(error)
      return
    }
    this.#whenReleased = () => callback(error)
    if (this.#ended && !error) this.#socket.close()
    else this.#socket.terminate()
  }
}

/** What the caller's functions (`url`, `apiKey`) threw, or what made the upgrade impossible to write. */
function toCredentialsError(cause: unknown): Error {
  if (cause instanceof SttError) return cause
  const reason = cause instanceof Error ? cause.message : 'not an Error was thrown'
  return new SttError('STT_ERR_CREDENTIALS', `The connection could not be prepared: ${reason}`, { cause })
}

import { Duplex } from 'node:stream'
import type { FrameOrMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import { CONNECTION_DEFAULTS, type SttConnectionOptions } from './connection-options.js'
import { SttConnection } from './connection.js'
import type { TranscriptionEvent } from './events.js'
import type { ServerMessage } from './protocol.js'
import { ResultQueue } from './result-queue.js'
import { Turns, type UnnumberedTranscription } from './turns.js'

export interface SttSessionOptions extends SttConnectionOptions {
  /** Deliver interims too. Default true. */
  interimResults?: boolean
  /** Leave `wordTimestamps` on the events. Default false: asked for on the wire, stripped here. */
  includeWordTimestamps?: boolean
  /** Unread results at which the socket is no longer read. Default 1 000. */
  maxUnreadResults?: number
}

/** Counts of one stream. Durations in ms of audio. */
export interface SessionStats {
  sentMs: number
  insertedMs: number
  transcribedAudioMs: number
  interims: number
  finals: number
  unreadResults: number
}

type Callback = (error?: Error | null) => void

interface ExpectedTurn {
  resolve(final: TranscriptionEvent | undefined): void
  reject(error: Error): void
  timer?: NodeJS.Timeout
}

/**
 * One stream: frames and marks in, events out, whatever connections it takes (one, until replay and rotation
 * come). Results are placed on the source's clock and in their turns the moment they arrive, and wait in a
 * bounded queue for the reader; when the queue is full the connection is paused.
 */
export class SttSession extends Duplex {
  readonly #connection: SttConnection
  readonly #options: SttSessionOptions
  readonly #turns = new Turns()
  readonly #queue: ResultQueue
  /** Promises of `endTurn()`, in the order of their marks. */
  readonly #expectedTurns: ExpectedTurn[] = []
  #readerWaits = false
  #received = false
  #transcribedAudioMs = 0
  #interims = 0
  #finals = 0

  constructor(options: SttSessionOptions) {
    super({
      readableObjectMode: true,
      writableObjectMode: true,
      readableHighWaterMark: 1,
      writableHighWaterMark: 1,
    })
    this.#options = options
    this.#queue = new ResultQueue(options.maxUnreadResults ?? 1_000)
    this.#connection = new SttConnection(options)
    this.#connection.on('data', (message: ServerMessage) => this.#onMessage(message))
    this.#connection.on('end', () => this.#onConnectionEnd())
    this.#connection.on('error', error => this.#fail(error))
    this.#connection.on('open', () => this.emit('open'))
    this.#connection.on('warning', warning => this.emit('warning', warning))
  }

  stats(): SessionStats {
    const { sentMs, insertedMs } = this.#connection.clock
    return {
      sentMs,
      insertedMs,
      transcribedAudioMs: this.#transcribedAudioMs,
      interims: this.#interims,
      finals: this.#finals,
      unreadResults: this.#queue.length,
    }
  }

  /**
   * The final of the turn that the next EndTurnMark ends; undefined when nothing was said in it. Rejects when the
   * stream fails first, or with STT_ERR_TURN_TIMEOUT when the service leaves the mark unanswered.
   */
  expectTurn(): Promise<TranscriptionEvent | undefined> {
    if (this.#received) return Promise.resolve(undefined)
    const promise = new Promise<TranscriptionEvent | undefined>((resolve, reject) => {
      this.#expectedTurns.push({ resolve, reject })
    })
    // Who does not wait for the final does not want its failure either; the stream reports that itself.
    promise.catch(() => {})
    return promise
  }

  override _write(item: FrameOrMark, _encoding: BufferEncoding, callback: Callback): void {
    this.#connection.write(item, error => {
      if (error) return
      if ('endTurn' in item) this.#watchTurn()
      callback()
    })
  }

  override _final(callback: Callback): void {
    this.#connection.end(() => callback())
  }

  override _read(): void {
    this.#readerWaits = true
    this.#deliver()
  }

  /** The mark has gone out: from now on the service owes an answer. */
  #watchTurn(): void {
    const expected = this.#expectedTurns.find(({ timer }) => !timer)
    if (!expected) return
    const { finishTimeoutMs = CONNECTION_DEFAULTS.finishTimeoutMs } = this.#options
    expected.timer = setTimeout(() => {
      // While nobody reads, the answer may wait unread.
      if (this.#queue.full) {
        expected.timer?.refresh()
        return
      }
      this.#expectedTurns.splice(this.#expectedTurns.indexOf(expected), 1)
      const message = `The service answered endTurn with no final for ${finishTimeoutMs} ms (finishTimeoutMs)`
      expected.reject(new SttError('STT_ERR_TURN_TIMEOUT', message))
    }, finishTimeoutMs)
  }

  #onMessage(message: ServerMessage): void {
    switch (message.kind) {
      case 'transcription': {
        const result = this.#turns.accept(message, ms => this.#connection.clock.toSource(ms))
        const event = result && this.#enqueue(result)
        if (message.isFinal) this.#settleTurn(event)
        break
      }
      case 'speechStarted': {
        const { startMs, confidence } = message
        const sourceMs = this.#connection.clock.toSource(startMs)
        this.#queue.push({
          type: 'speechStarted',
          startMs: sourceMs,
          ...(confidence !== undefined && { confidence }),
        })
        break
      }
      case 'speechStopped': {
        const { clock } = this.#connection
        const atMs = clock.toSource(clock.sentMs)
        this.#queue.push({ type: 'speechStopped', atMs, silenceDurationMs: message.silenceDurationMs })
        break
      }
      case 'usage': {
        const { modelId } = message
        this.#transcribedAudioMs += message.transcribedAudioMs
        const transcribedAudioMs = this.#transcribedAudioMs
        this.#queue.push({ type: 'usage', transcribedAudioMs, ...(modelId !== undefined && { modelId }) })
        break
      }
      case 'unknown':
        this.#queue.push({ type: 'unknown', message: message.message })
        break
      case 'error':
        // The connection fails with it.
        break
    }
    if (this.#queue.full) this.#connection.pause()
    this.#deliver()
  }

  #enqueue(result: UnnumberedTranscription): TranscriptionEvent | undefined {
    if (result.isFinal) this.#finals++
    else this.#interims++
    if (!result.isFinal && this.#options.interimResults === false) return undefined
    const shown = this.#options.includeWordTimestamps ? result : { ...result, wordTimestamps: [] }
    return this.#queue.pushTranscription(shown)
  }

  #settleTurn(final: TranscriptionEvent | undefined): void {
    // Only a mark that the service has been sent can have been answered.
    const [expected] = this.#expectedTurns
    if (!expected?.timer) return
    this.#expectedTurns.shift()
    clearTimeout(expected.timer)
    expected.resolve(final)
  }

  #onConnectionEnd(): void {
    const promoted = this.#turns.promote()
    const event = promoted && this.#enqueue(promoted)
    if (event) this.#settleTurn(event)
    for (const expected of this.#expectedTurns.splice(0)) {
      clearTimeout(expected.timer)
      expected.resolve(undefined)
    }
    this.#received = true
    this.#deliver()
  }

  #deliver(): void {
    while (this.#readerWaits && this.#queue.length > 0) {
      this.#readerWaits = this.push(this.#queue.shift())
    }
    if (this.#received && this.#queue.length === 0) this.push(null)
    else if (!this.#queue.full) this.#connection.resume()
  }

  /** The text that an open turn had reached goes with the error, hidden from logs. */
  #fail(error: Error): void {
    const { interim } = this.#turns
    if (interim && error instanceof SttError) Object.defineProperty(error, 'interim', { value: interim })
    this.destroy(error)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const reason = error ?? new SttError('STT_ERR_CLOSED', 'The stream was destroyed before the turn ended')
    for (const expected of this.#expectedTurns.splice(0)) {
      clearTimeout(expected.timer)
      expected.reject(reason)
    }
    if (this.#connection.closed) {
      callback(error)
      return
    }
    this.#connection.once('close', () => callback(error))
    this.#connection.destroy()
  }
}

import { Duplex } from 'node:stream'
import type { EndTurnMark, FrameOrMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import { CONNECTION_DEFAULTS } from './connection-options.js'
import { ConnectionRelay } from './connection-relay.js'
import type { TranscriptionEvent } from './events.js'
import { WORD_TAIL_MS } from './evidence.js'
import { ExpectedTurns } from './expected-turns.js'
import type { Generation, SentMark } from './generation.js'
import { ManualTurnLimit } from './manual-turn-limit.js'
import type { ServerMessage, TranscriptionMessage } from './protocol.js'
import { isMark } from './replay-ring.js'
import { Results } from './results.js'
import { CONTINUITY_DEFAULTS, type SessionStats, type SttSessionOptions } from './session-options.js'
import { StreamMetrics } from './stream-metrics.js'
import { isManual, type WireTranscribeConfig } from './transcribe-config.js'

/** The service rounds the times of words: the last may end so long behind the audio that it was sent, in ms. */
const ROUNDING_MS = 200

type Callback = (error?: Error | null) => void

/**
 * One stream: frames and marks in, events out, whatever connections it takes. Results are placed on the source's
 * clock and in their turns the moment they arrive, and wait in a bounded queue for the reader; when the queue is
 * full the connection is paused.
 *
 * @fires open once the first connection stands
 * @fires reconnecting {attempt, delayMs, cause}
 * @fires reconnected {fromMs, replayedMs, lostMs}
 * @fires rotated {cause, fromMs, overlapMs}
 * @fires hibernating {atMs}
 * @fires warning {code, message}
 * @fires progress when audio has gone out or a message has come: `settledMs` and `resting` may have changed
 */
export class SttSession extends Duplex {
  readonly #relay: ConnectionRelay
  readonly #results: Results
  readonly #metrics = new StreamMetrics()
  readonly #expectedTurns: ExpectedTurns
  readonly #manualTurns: ManualTurnLimit
  #readerWaits = false
  /** Nothing more will come. */
  #received = false

  constructor(options: SttSessionOptions) {
    super({
      readableObjectMode: true,
      writableObjectMode: true,
      readableHighWaterMark: 1,
      writableHighWaterMark: 1,
    })
    const { finishTimeoutMs = CONNECTION_DEFAULTS.finishTimeoutMs } = options
    this.#results = new Results(options, this.#metrics)
    this.#expectedTurns = new ExpectedTurns({
      timeoutMs: finishTimeoutMs,
      isPostponed: mark => this.#results.full || this.#relay.isUnsent(mark),
      onPerhaps: mark => this.#relay.answered(mark, false),
      onTimeout: mark => this.#relay.giveUp(mark),
    })
    this.#manualTurns = new ManualTurnLimit(options.maxManualTurnMs ?? CONTINUITY_DEFAULTS.maxManualTurnMs)
    this.#manualTurns.enabled = isManual(options.config)
    const measured = { ...options, metrics: this.#metrics }
    this.#relay = new ConnectionRelay(measured, {
      delivered: () => this.#results.delivered,
      turnExpected: () => this.#expectedTurns.size > 0,
      onMessage: (message, generation) => this.#onMessage(message, generation),
      onMarkSent: mark => this.#expectedTurns.sent(mark),
      onMarkSkipped: mark => this.#expectedTurns.answered(mark, undefined),
      onHandover: () => this.#expectedTurns.lostConnection(),
      onAsleep: () => this.#onAsleep(),
      onNotice: (name, ...facts) => {
        this.emit(name, ...facts)
      },
      onEnd: () => this.#onEnd(),
      onError: error => this.#fail(error),
    })
  }

  stats(): SessionStats {
    return { ...this.#relay.stats, ...this.#results.stats, ...this.#metrics.snapshot() }
  }

  /** How much of the source has gone out, or was left out, in ms. */
  get doneMs(): number {
    return this.#metrics.doneMs - this.#relay.unsentMs
  }

  /** No final will come any more that begins before this, as far as is known, in ms of the source. */
  get settledMs(): number {
    return this.#received ? Infinity : this.#relay.settledMs
  }

  /** Whether so much waits for the reader that the connection is not read. */
  get resting(): boolean {
    return this.#results.full
  }

  /**
   * The final of the turn that the next EndTurnMark ends; undefined when nothing was said in it. Rejects when the
   * stream fails first, or with STT_ERR_TURN_TIMEOUT when the service leaves the mark unanswered.
   */
  expectTurn(): Promise<TranscriptionEvent | undefined> {
    return this.#received ? Promise.resolve(undefined) : this.#expectedTurns.expect()
  }

  /**
   * Hands over to a connection with this config, in a pause of speech where one comes in time.
   * @returns rejects with the service's refusal; the stream then goes on with the config that it had
   */
  updateConfig(config: WireTranscribeConfig): Promise<void> {
    return this.#relay.updateConfig(config).then(() => {
      this.#manualTurns.enabled = isManual(config)
    })
  }

  override _write(item: FrameOrMark, _encoding: BufferEncoding, callback: Callback): void {
    const taken = () => {
      callback()
      this.emit('progress')
    }
    if (isMark(item)) {
      this.#manualTurns.ended()
      this.#expectedTurns.written(item)
      this.#relay.write(item, taken)
    } else if (this.#manualTurns.mustEndAfter(item)) {
      this.#warnOfSplitTurn()
      this.#relay.write(item, () => this.#relay.write({ endTurn: true }, taken))
    } else {
      this.#relay.write(item, taken)
    }
  }

  override _final(callback: Callback): void {
    this.#relay.end(() => callback())
  }

  override _read(): void {
    this.#readerWaits = true
    this.#deliver()
  }

  #warnOfSplitTurn(): void {
    const message = `The turn is longer than ${this.#manualTurns.limitMs} ms (maxManualTurnMs): it was ended before the service would cut it`
    this.emit('warning', { code: 'STT_WARN_TURN_SPLIT', message })
  }

  #onMessage(message: ServerMessage, generation: Generation): void {
    const { final, repeated } = this.#results.accept(message, generation.filter, generation.sentMs)
    if (final) this.#relay.proved()
    if (message.kind === 'transcription' && message.isFinal)
      this.#settleTurns(generation.marks, message, repeated ? undefined : final)
    if (this.#results.full) this.#relay.pause()
    this.#deliver()
    this.emit('progress')
  }

  /**
   * A final answers the oldest mark behind its last word, and shows that no other answer comes to those that it
   * passes: the service may ignore a mark with nothing to end. Only a mark that was sent can have been answered.
   */
  #settleTurns(
    marks: readonly SentMark[],
    { words }: TranscriptionMessage,
    final: TranscriptionEvent | undefined,
  ): void {
    const endMs = words.at(-1)?.endMs
    const passed = endMs === undefined ? [] : marks.filter(({ atMs }) => atMs + ROUNDING_MS < endMs)
    const sent = marks[passed.length]
    for (const { mark, atMs } of passed) {
      // Of a turn that the service did not end at the mark the final is the answer to the newest in it.
      const isAnswer = !sent && mark === passed.at(-1)?.mark && words[0]!.startMs < atMs
      this.#settleTurn(mark, isAnswer ? final : undefined, true)
    }
    if (!sent) return
    // A final with speech between its last word and the mark may be of an earlier turn (the service says nothing of
    // which is which), and an empty one may precede the turn's own (protocol B8): those answer only if no other
    // follows soon.
    const heardMs = endMs ?? (final ? Infinity : -Infinity)
    if (heardMs + WORD_TAIL_MS < sent.voiceEndMs) this.#expectedTurns.answeredPerhaps(sent.mark, final)
    else this.#settleTurn(sent.mark, final, endMs !== undefined)
  }

  #settleTurn(mark: EndTurnMark, final: TranscriptionEvent | undefined, proven: boolean): void {
    this.#relay.answered(mark, proven)
    this.#expectedTurns.answered(mark, final)
  }

  /** As at the end of the stream, but that the stream goes on: a turn that is left open gets its final. */
  #onAsleep(): void {
    this.#expectedTurns.settleFirst(this.#results.finish())
    this.#deliver()
  }

  #onEnd(): void {
    this.#expectedTurns.settleFirst(this.#results.finish())
    this.#expectedTurns.settleAll()
    this.#received = true
    this.#deliver()
  }

  #deliver(): void {
    while (this.#readerWaits && this.#results.length > 0) {
      this.#readerWaits = this.push(this.#results.shift())
    }
    if (this.#received && this.#results.length === 0) this.push(null)
    else if (!this.#results.full) this.#relay.resume()
  }

  /** The text that an open turn had reached goes with the error, hidden from logs. */
  #fail(error: SttError): void {
    const { interim } = this.#results
    if (interim) Object.defineProperty(error, 'interim', { value: interim })
    this.destroy(error)
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const reason = error ?? new SttError('STT_ERR_CLOSED', 'The stream was destroyed before the turn ended')
    this.#expectedTurns.rejectAll(reason)
    this.#relay.destroy(reason, () => callback(error))
  }
}

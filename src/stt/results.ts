import type { TranscriptionEvent, SttEvent } from './events.js'
import type { ServerMessage, TranscriptionMessage } from './protocol.js'
import type { Delivered, ReplayFilter } from './replay-filter.js'
import { ResultQueue } from './result-queue.js'
import type { StreamMetrics } from './stream-metrics.js'
import type { SttSessionOptions } from './session-options.js'
import { Turns, type UnnumberedTranscription } from './turns.js'

export type ResultsOptions = Pick<
  SttSessionOptions,
  'interimResults' | 'includeWordTimestamps' | 'maxUnreadResults' | 'diagnostics' | 'channel' | 'nextTurnId'
>

/** What one message of the service came to. */
export interface Outcome {
  /** A final that is new. */
  final?: TranscriptionEvent
  /** A final that had been delivered before. */
  repeated?: true
}

/**
 * Messages of whatever connections, on the source's clock → the events of one stream: turns numbered, repetitions
 * left out, usage summed, in a queue for the reader.
 */
export class Results {
  readonly #options: ResultsOptions
  readonly #metrics: StreamMetrics
  readonly #turns: Turns
  /** On every event that is one channel's own. */
  readonly #channel: { channel?: number }
  readonly #queue: ResultQueue
  #held: TranscriptionMessage | undefined
  #finalEndMs = -1
  #speechStartMs = -1
  #atMs = 0
  #transcribedAudioMs = 0
  #interims = 0
  #finals = 0

  constructor(options: ResultsOptions, metrics: StreamMetrics) {
    this.#options = options
    this.#metrics = metrics
    this.#turns = new Turns(options.nextTurnId)
    this.#channel = options.channel === undefined ? {} : { channel: options.channel }
    this.#queue = new ResultQueue(options.maxUnreadResults ?? 1_000)
  }

  /** Too much waits for the reader: the connection must rest. */
  get full(): boolean {
    return this.#queue.full
  }

  get length(): number {
    return this.#queue.length
  }

  /** The open turn's newest interim. */
  get interim(): UnnumberedTranscription | undefined {
    return this.#turns.interim
  }

  /** How far the reader has been told of. */
  get delivered(): Delivered {
    return { finalEndMs: this.#finalEndMs, speechStartMs: this.#speechStartMs }
  }

  get stats() {
    return {
      transcribedAudioMs: this.#transcribedAudioMs,
      interims: this.#interims,
      finals: this.#finals,
      unreadResults: this.#queue.length,
    }
  }

  shift(): SttEvent | undefined {
    return this.#queue.shift()
  }

  /**
   * @param message on the source's clock
   * @param filter of the connection that it came over
   * @param sentMs how far the source had been sent on that connection
   */
  accept(message: ServerMessage, filter: ReplayFilter, sentMs: number): Outcome {
    const verdict = filter.judge(message)
    if (!verdict.deliver) {
      this.#held = 'held' in verdict ? verdict.held : undefined
      return message.kind === 'transcription' && message.isFinal ? { repeated: true } : {}
    }
    switch (message.kind) {
      case 'transcription':
        return this.#transcription(message, verdict.overlapMs)
      case 'speechStarted': {
        const { startMs, confidence } = message
        this.#speechStartMs = Math.max(this.#speechStartMs, startMs)
        this.#queue.push({
          type: 'speechStarted',
          startMs,
          ...(confidence !== undefined && { confidence }),
          ...this.#channel,
        })
        break
      }
      case 'speechStopped':
        this.#atMs = Math.max(this.#atMs, sentMs)
        this.#queue.push({
          type: 'speechStopped',
          atMs: this.#atMs,
          silenceDurationMs: message.silenceDurationMs,
          ...this.#channel,
        })
        break
      case 'usage':
        this.addUsage(message)
        break
      case 'unknown':
        this.#queue.push({ type: 'unknown', message: message.message, ...this.#channel })
        break
      case 'error':
        // The connection fails with it.
        break
    }
    return {}
  }

  addUsage({ transcribedAudioMs, modelId }: ServerMessage & { kind: 'usage' }): void {
    this.#transcribedAudioMs += transcribedAudioMs
    this.#queue.push({
      type: 'usage',
      transcribedAudioMs: this.#transcribedAudioMs,
      ...(modelId !== undefined && { modelId }),
    })
  }

  /** No message will come any more to what was sent: an interim that is left open becomes the final of its turn. */
  finish(): TranscriptionEvent | undefined {
    if (!this.#turns.interim && this.#held) this.#turns.accept(this.#held)
    this.#held = undefined
    const promoted = this.#turns.promote()
    if (!promoted) return undefined
    this.#options.diagnostics?.final(promoted, undefined)
    this.#finalEndMs = Math.max(this.#finalEndMs, promoted.endMs ?? -1)
    return this.#enqueue(promoted)
  }

  #transcription(message: TranscriptionMessage, overlapMs: number | undefined): Outcome {
    this.#held = undefined
    const result = this.#turns.accept(message, overlapMs)
    if (result) this.#measure(result)
    const event = result && this.#enqueue(result)
    if (!message.isFinal || !event) return {}
    this.#finalEndMs = Math.max(this.#finalEndMs, event.endMs ?? -1)
    return { final: event }
  }

  #measure(result: UnnumberedTranscription): void {
    const { diagnostics } = this.#options
    const { turnId, endMs } = result
    const nowMs = performance.now()
    if (result.isFinal) {
      const latencyMs = this.#metrics.final(endMs, nowMs)
      diagnostics?.final(result, latencyMs)
    } else {
      const latencyMs = this.#metrics.interim(endMs, nowMs)
      diagnostics?.interim(turnId, latencyMs)
    }
  }

  #enqueue(result: UnnumberedTranscription): TranscriptionEvent | undefined {
    if (result.isFinal) this.#finals++
    else this.#interims++
    if (!result.isFinal && this.#options.interimResults === false) return undefined
    const shown = this.#options.includeWordTimestamps ? result : { ...result, wordTimestamps: [] }
    return this.#queue.pushTranscription({ ...shown, ...this.#channel })
  }
}

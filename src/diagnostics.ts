import { channel } from 'node:diagnostics_channel'
import { SttError } from './errors.js'
import type { StreamMetricsSnapshot } from './stt/stream-metrics.js'

/**
 * What streams tell `node:diagnostics_channel`. This file alone decides what is told: never audio, never what was
 * said, never the key or the query of a URL, where a key may stand. Without a subscriber nothing is made and nothing
 * is read of the arguments.
 */

/** Every message: which stream it is about. */
export interface StreamMessage {
  /** `stream.id` */
  streamId: string
}

/** What is told of an error. */
export interface DiagnosticError {
  name: string
  message: string
  code?: string
  retryable?: boolean
  httpStatus?: number
  closeCode?: number
  grpcCode?: number
  requestId?: string
}

/** How a stream can end: by itself, with an error, by its signal, or by `destroy()`. */
export type StreamOutcome = 'ended' | 'failed' | 'aborted' | 'destroyed'

/** Figures that end with a stream; `stream.stats()` has more. */
export interface DiagnosticStats extends StreamMetricsSnapshot {
  /** Real time since the stream was made. */
  elapsedMs: number
  decodedMs: number
  sentMs: number
  replayedMs: number
  lostMs: number
  finals: number
}

/** The messages by the names of their channels. All times in ms; those of the audio on the source's clock. */
export interface DiagnosticMessages {
  /** A stream was made; its connection opens. */
  'sttstream:stream:start': StreamMessage & {
    modelId: string
    language?: string
    /** Absent for `url: 'local'`. */
    serverAddress?: string
    serverPort?: number
  }
  /** With each `metrics` event. */
  'sttstream:stream:metrics': StreamMessage & { stats: DiagnosticStats }
  /** Exactly one for each start, when everything is released. */
  'sttstream:stream:end': StreamMessage & {
    outcome: StreamOutcome
    stats: DiagnosticStats
    error?: DiagnosticError
  }
  /** The first connection stands. */
  'sttstream:connection:open': StreamMessage
  /** As the stream's event `reconnecting`. */
  'sttstream:connection:reconnecting': StreamMessage & {
    attempt: number
    delayMs: number
    error: DiagnosticError
  }
  /** As the stream's event `reconnected`. */
  'sttstream:connection:reconnected': StreamMessage & { fromMs: number; replayedMs: number; lostMs: number }
  /** As the stream's event `rotated`. */
  'sttstream:connection:rotated': StreamMessage & { fromMs: number; overlapMs: number; cause: string }
  /** As the stream's event `hibernating`. */
  'sttstream:connection:hibernating': StreamMessage & { atMs: number }
  /** An interim came that reaches further than those before it. */
  'sttstream:turn:interim': StreamMessage & { turnId: number; latencyMs: number }
  /** A turn has ended. */
  'sttstream:turn:final': StreamMessage & {
    turnId: number
    startMs?: number
    endMs?: number
    promoted?: true
    /** From audio to final; absent where it cannot be measured. */
    latencyMs?: number
  }
  /** As the stream's event `warning`. */
  'sttstream:warning': StreamMessage & { code: string; message: string }
  /** The stream failed. An abort is no failure. */
  'sttstream:error': StreamMessage & { error: DiagnosticError }
}

/** The names of the channels. */
export type DiagnosticChannel = keyof DiagnosticMessages

type Details<Name extends DiagnosticChannel> = Omit<DiagnosticMessages[Name], 'streamId'>

const streamStart = channel('sttstream:stream:start')
const streamMetrics = channel('sttstream:stream:metrics')
const streamEnd = channel('sttstream:stream:end')
const connectionOpen = channel('sttstream:connection:open')
const connectionReconnecting = channel('sttstream:connection:reconnecting')
const connectionReconnected = channel('sttstream:connection:reconnected')
const connectionRotated = channel('sttstream:connection:rotated')
const connectionHibernating = channel('sttstream:connection:hibernating')
const turnInterim = channel('sttstream:turn:interim')
const turnFinal = channel('sttstream:turn:final')
const warnings = channel('sttstream:warning')
const errors = channel('sttstream:error')

/** One stream's voice on the channels. */
export class StreamDiagnostics {
  readonly #streamId: string

  constructor(streamId: string) {
    this.#streamId = streamId
  }

  started(config: { modelId: string; language?: string }, url: string): void {
    if (!streamStart.hasSubscribers) return
    const { modelId, language } = config
    streamStart.publish({
      streamId: this.#streamId,
      modelId,
      ...(language !== undefined && { language }),
      ...addressOf(url),
    } satisfies DiagnosticMessages['sttstream:stream:start'])
  }

  metrics(stats: DiagnosticStats): void {
    if (streamMetrics.hasSubscribers) streamMetrics.publish({ streamId: this.#streamId, stats })
  }

  /** @param ended all was delivered */
  ended(error: Error | null, ended: boolean, stats: () => DiagnosticStats): void {
    if (error && errors.hasSubscribers && error.name !== 'AbortError')
      errors.publish({ streamId: this.#streamId, error: describe(error) })
    if (!streamEnd.hasSubscribers) return
    streamEnd.publish({
      streamId: this.#streamId,
      outcome: error ? (error.name === 'AbortError' ? 'aborted' : 'failed') : ended ? 'ended' : 'destroyed',
      stats: stats(),
      ...(error && { error: describe(error) }),
    } satisfies DiagnosticMessages['sttstream:stream:end'])
  }

  opened(): void {
    if (connectionOpen.hasSubscribers) connectionOpen.publish({ streamId: this.#streamId })
  }

  reconnecting(notice: { attempt: number; delayMs: number; cause: Error }): void {
    if (!connectionReconnecting.hasSubscribers) return
    const { attempt, delayMs, cause } = notice
    connectionReconnecting.publish({ streamId: this.#streamId, attempt, delayMs, error: describe(cause) })
  }

  reconnected(notice: Details<'sttstream:connection:reconnected'>): void {
    if (!connectionReconnected.hasSubscribers) return
    const { fromMs, replayedMs, lostMs } = notice
    connectionReconnected.publish({ streamId: this.#streamId, fromMs, replayedMs, lostMs })
  }

  rotated(notice: Details<'sttstream:connection:rotated'>): void {
    if (!connectionRotated.hasSubscribers) return
    const { fromMs, overlapMs, cause } = notice
    connectionRotated.publish({ streamId: this.#streamId, fromMs, overlapMs, cause })
  }

  hibernating(notice: Details<'sttstream:connection:hibernating'>): void {
    if (connectionHibernating.hasSubscribers)
      connectionHibernating.publish({ streamId: this.#streamId, atMs: notice.atMs })
  }

  /** @param latencyMs undefined where nothing new was measured: then nothing is told */
  interim(turnId: number, latencyMs: number | undefined): void {
    if (latencyMs !== undefined && turnInterim.hasSubscribers)
      turnInterim.publish({ streamId: this.#streamId, turnId, latencyMs })
  }

  final(result: Details<'sttstream:turn:final'>, latencyMs: number | undefined): void {
    if (!turnFinal.hasSubscribers) return
    const { turnId, startMs, endMs, promoted } = result
    turnFinal.publish({
      streamId: this.#streamId,
      turnId,
      ...(startMs !== undefined && { startMs }),
      ...(endMs !== undefined && { endMs }),
      ...(promoted && { promoted }),
      ...(latencyMs !== undefined && { latencyMs }),
    } satisfies DiagnosticMessages['sttstream:turn:final'])
  }

  warning(warning: { code: string; message: string }): void {
    if (!warnings.hasSubscribers) return
    const { code, message } = warning
    warnings.publish({ streamId: this.#streamId, code, message })
  }
}

/** An SttError carries the open turn's text; here it is left out. */
function describe(error: Error): DiagnosticError {
  const { name, message } = error
  if (!(error instanceof SttError)) {
    const { code } = error as NodeJS.ErrnoException
    return { name, message, ...(typeof code === 'string' && { code }) }
  }
  const { code, retryable, httpStatus, closeCode, grpcCode, requestId } = error
  return {
    name,
    message,
    code,
    retryable,
    ...(httpStatus !== undefined && { httpStatus }),
    ...(closeCode !== undefined && { closeCode }),
    ...(grpcCode !== undefined && { grpcCode }),
    ...(requestId !== undefined && { requestId }),
  }
}

function addressOf(url: string): { serverAddress?: string; serverPort?: number } {
  if (url === 'local') return {}
  const { hostname, port, protocol } = new URL(url)
  return {
    serverAddress: hostname,
    serverPort: port === '' ? (protocol === 'wss:' ? 443 : 80) : Number(port),
  }
}

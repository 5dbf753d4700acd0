import type { StreamDiagnostics } from '../diagnostics.js'
import type { SttConnectionOptions } from './connection-options.js'
import type { RetryOptions } from './retry-policy.js'
import type { StreamMetricsSnapshot } from './stream-metrics.js'

/** How one stream lives over many connections. Durations in ms. */
export interface ContinuityOptions {
  /**
   * Whether a lost connection is replaced and the audio since the safe point sent again; false: the first loss
   * fails the stream. Default: the defaults of {@link RetryOptions}.
   */
  retry?: RetryOptions | false
  /** Audio kept for sending again, above 0; what an unfinished turn has beyond it is unprotected. Default 30 000. */
  replayMs?: number
  /** A connection that has lived, or heard audio, for this long is replaced in a pause of speech; false = never. Default false. */
  maxConnectionMs?: number | false
  /** Without speech for this long the connection is closed, to be reopened by the next speech; false = never. Default false. */
  hibernateAfterMs?: number | false
  /**
   * Where the client ends turns: a longer one is ended in a pause shortly before this, or here; 1000 to 30 000, about
   * which the service's own limit lies (protocol A3.5). Default 28 000.
   */
  maxManualTurnMs?: number
}

export interface SttSessionOptions extends SttConnectionOptions, ContinuityOptions {
  /** Deliver interims too. Default true. */
  interimResults?: boolean
  /** Leave `wordTimestamps` on the events. Default false: asked for on the wire, stripped here. */
  includeWordTimestamps?: boolean
  /** Unread results at which the socket is no longer read. Default 1 000. */
  maxUnreadResults?: number
  /** Told of turns. Default: none. */
  diagnostics?: StreamDiagnostics
  /** Set on the events. Default: none. */
  channel?: number
  /** Gives each turn its number, where several sessions make one stream. Default: counts from 1. */
  nextTurnId?: () => number
}

export const CONTINUITY_DEFAULTS = {
  replayMs: 30_000,
  maxConnectionMs: false as number | false,
  hibernateAfterMs: false as number | false,
  maxManualTurnMs: 28_000,
}

/** Counts of one stream, over all its connections. Durations in ms of audio. */
export interface SessionStats extends StreamMetricsSnapshot {
  /** Sent to the service, inserted silence and what was sent again included. */
  sentMs: number
  /** Silence that was sent and is not the source's. */
  insertedMs: number
  /** Sent again after a connection was lost, or handed over in the middle of speech. */
  replayedMs: number
  /** Sent, not proven heard, and no longer kept when its connection was lost. */
  lostMs: number
  /** Would be lost if the connection were lost now. */
  unprotectedMs: number
  /** Silence that was not sent because the session hibernated. */
  skippedMs: number
  /** Connections that opened. */
  connections: number
  /** Audio that the service counts. */
  transcribedAudioMs: number
  /** Received, unread ones that a newer one replaced included. */
  interims: number
  /** Received. */
  finals: number
  /** Results that wait for the reader. */
  unreadResults: number
}

/** Of several sessions. Latencies have no sum: they stay with each. */
export function sumStats(all: readonly SessionStats[]): SessionStats {
  const sum = (of: Exclude<keyof SessionStats, 'audioToInterim' | 'audioToFinal'>) =>
    all.reduce((total, stats) => total + stats[of], 0)
  return {
    sentMs: sum('sentMs'),
    insertedMs: sum('insertedMs'),
    replayedMs: sum('replayedMs'),
    lostMs: sum('lostMs'),
    unprotectedMs: sum('unprotectedMs'),
    skippedMs: sum('skippedMs'),
    connections: sum('connections'),
    transcribedAudioMs: sum('transcribedAudioMs'),
    interims: sum('interims'),
    finals: sum('finals'),
    unreadResults: sum('unreadResults'),
    messagesSent: sum('messagesSent'),
    bytesSent: sum('bytesSent'),
    messagesReceived: sum('messagesReceived'),
    bytesReceived: sum('bytesReceived'),
  }
}

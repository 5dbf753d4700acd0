import type { Agent } from 'node:http'
import type { CredentialOptions } from '../wire/auth.js'
import type { ConnectionGate } from './connection-gate.js'
import type { StreamMetrics } from './stream-metrics.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/** Network behaviour of one connection. All durations in ms. */
export interface ConnectionOptions extends CredentialOptions {
  /** `ws:` or `wss:` URL of the STT channel, or a function that is asked when the connection opens. */
  url: string | (() => Promise<string>)
  /** Further headers of the upgrade. Default: none. */
  headers?: Readonly<Record<string, string>>
  /** For proxies and custom TLS. Default: Node's own. */
  agent?: Agent
  /** Credentials, connecting and the upgrade's answer together, above 0. Default 10 000. */
  handshakeTimeoutMs?: number
  /**
   * After `closeStream`, and after `endTurn`: how long the service may stay silent while results are pending, above 0.
   * Default 20 000.
   */
  finishTimeoutMs?: number
  /** After the usage message: how long to read on for the service's close, from 0. Default 500. */
  closeGraceMs?: number
  /** Nothing sent (none written, or none taken) and nothing received for this long is an error; false = never. Default 300 000. */
  idleTimeoutMs?: number | false
  /**
   * From the last sign of life to the next ping; false = none, and then nothing bounds the audio on its way but the
   * buffers of the operating systems. Default 15 000.
   */
  pingIntervalMs?: number | false
  /** How long after a ping nothing at all (pong, ping, message) may come, above 0. Default 10 000. */
  pongTimeoutMs?: number
  /** Unsent audio above which `write` waits, in ms of audio, from 0. Default 1 000. */
  sendBufferMs?: number
  /**
   * What is sent while the source is on hold: 'silence' (default) ends an open turn as a pause would, and keeps the
   * session from being closed for inactivity; it is booked as inserted. false = nothing.
   */
  keepAlive?: 'silence' | false
  /** Speech sent and no message for this long: the service has stopped listening; false = never. Default 20 000. */
  watchdogMs?: number | false
}

export interface SttConnectionOptions extends ConnectionOptions {
  /** The whole `transcribeConfig`, sent first and as it is. */
  config: WireTranscribeConfig
  /** What `watchdogMs` brings: STT_ERR_UNRESPONSIVE, or a warning. Default 'fail'. */
  watchdogAction?: 'fail' | 'warn'
  /** Where the source stands at the connection's first audio, in ms. Default 0. */
  startMs?: number
  /** Audio that may be on its way to the service, unread, in ms. Default 10 000. */
  windowMs?: number
  /** Asked before the connection opens. Default: none. */
  gate?: ConnectionGate
  /**
   * Told of every message and frame. Default: none.
   * @internal
   */
  metrics?: StreamMetrics
  /** Aborting destroys the connection with an AbortError. */
  signal?: AbortSignal
}

export const CONNECTION_DEFAULTS = {
  handshakeTimeoutMs: 10_000,
  finishTimeoutMs: 20_000,
  closeGraceMs: 500,
  idleTimeoutMs: 300_000 as number | false,
  pingIntervalMs: 15_000 as number | false,
  pongTimeoutMs: 10_000,
  sendBufferMs: 1_000,
  windowMs: 10_000,
  keepAlive: 'silence' as 'silence' | false,
  watchdogMs: 20_000 as number | false,
  watchdogAction: 'fail' as 'fail' | 'warn',
}

export type ConnectionSettings = SttConnectionOptions & typeof CONNECTION_DEFAULTS

/** An explicit undefined counts as absent. */
export function withDefaults(options: SttConnectionOptions): ConnectionSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...CONNECTION_DEFAULTS, ...(given as unknown as SttConnectionOptions) }
}

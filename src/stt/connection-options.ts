import type { Agent } from 'node:http'
import type { CredentialOptions } from '../wire/auth.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/** Network behaviour of one connection. All durations in ms. */
export interface ConnectionOptions extends CredentialOptions {
  /** `ws:` or `wss:` URL of the STT channel, or a function that is asked when the connection opens. */
  url: string | (() => Promise<string>)
  /** Further upgrade headers. */
  headers?: Readonly<Record<string, string>>
  /** For proxies and custom TLS. */
  agent?: Agent
  /** Credentials, connecting and the upgrade's answer. Default 10 000. */
  handshakeTimeoutMs?: number
  /** After `closeStream`: how long the service may stay silent while results are pending. Default 20 000. */
  finishTimeoutMs?: number
  /** After the usage message: how long to read on for the service's close. Default 500. */
  closeGraceMs?: number
  /** Nothing sent (none written, or none taken) and nothing received for this long is an error; false = never. Default 300 000. */
  idleTimeoutMs?: number | false
  /** Between pings; false = none. Default 15 000. */
  pingIntervalMs?: number | false
  /** How long after a ping nothing at all (pong, ping, message) may come. Default 10 000. */
  pongTimeoutMs?: number
  /** Unsent audio above which `write` waits. Default 1 000. */
  sendBufferMs?: number
}

export interface SttConnectionOptions extends ConnectionOptions {
  config: WireTranscribeConfig
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
}

export type ConnectionSettings = SttConnectionOptions & typeof CONNECTION_DEFAULTS

/** An explicit undefined counts as absent. */
export function withDefaults(options: SttConnectionOptions): ConnectionSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...CONNECTION_DEFAULTS, ...(given as unknown as SttConnectionOptions) }
}

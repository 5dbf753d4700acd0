import type { FaultPlan } from './faults.js'
import { faultsFor } from './faults.js'
import type { Recognizer } from './recognizer.js'
import type { StartTimer } from './timer.js'

/** Options of `startLocalServer()`. */
export interface LocalServerOptions {
  /** 0 lets the system pick a free one. Default 0. */
  port?: number
  /** Address to bind. Other than loopback only together with `apiKey`. Default '127.0.0.1'. */
  host?: string
  /** The key that clients must show. Default: none, any credentials pass. */
  apiKey?: string
  /** Default: the built-in pocketsphinx, which the server then closes itself. */
  recognizer?: Recognizer
  /** Misbehaviour on the STT channel, for tests. Default: none. */
  faults?: FaultPlan
  /**
   * Keeps the audio that each connection brought, for `SessionRecord.audio()`: up to 64 MiB (35 min at 16 kHz
   * mono), or up to this many bytes. Default false.
   */
  recordAudio?: boolean | number
  /** Those that are not given keep their defaults. */
  limits?: Partial<ServerLimits>
  /** The clock of every deadline and delay, for tests. Default: setTimeout. */
  startTimer?: StartTimer
}

/** What the server allows its clients; each is a number above 0. */
export interface ServerLimits {
  /** Longest message of a client, in bytes; a longer one is answered with close code 1009. Default 1 MiB. */
  maxMessageBytes: number
  /** Longest body of a REST call, in bytes: 16 MB of audio in base64. Default 24 000 000. */
  maxBodyBytes: number
  /** Longest file that a job is given as a form, in bytes; it waits on disk for its turn. Default 512 000 000. */
  maxUploadBytes: number
  /** Jobs that wait, run or are done; one more drops the oldest that is done, else HTTP 429. Default 20. */
  maxJobs: number
  /** How long the transcript of a job that is done can be fetched, in ms. Default 3 600 000: 1 h. */
  jobKeepMs: number
  /** Streams and REST calls at one time; one more is refused with HTTP 429. Default 100. */
  maxConnections: number
  /** Audio of one connection that may wait for the recogniser before its socket is no longer read, in ms. Default 5000. */
  backlogMs: number
  /** Time from the upgrade to the config, in ms. Default 10 000. */
  configTimeoutMs: number
  /** Longest connection, in ms; it then ends as if the client had sent `closeStream`. Default 14 400 000: 4 h. */
  sessionMs: number
}

const DEFAULT_LIMITS: ServerLimits = {
  maxMessageBytes: 1024 * 1024,
  maxBodyBytes: 24_000_000,
  maxUploadBytes: 512_000_000,
  maxJobs: 20,
  jobKeepMs: 3_600_000,
  maxConnections: 100,
  backlogMs: 5_000,
  configTimeoutMs: 10_000,
  sessionMs: 4 * 3_600_000,
}

const DEFAULT_HOST = '127.0.0.1'

/** What `recordAudio: true` keeps of one connection. */
const RECORDED_AUDIO_BYTES = 64 * 1024 * 1024

export type CheckedServerOptions = LocalServerOptions & {
  port: number
  host: string
  limits: ServerLimits
  recordAudio: number
}

/** @throws TypeError or RangeError that names the option */
export function checkServerOptions(options: LocalServerOptions): CheckedServerOptions {
  const { port = 0, host = DEFAULT_HOST, apiKey, faults } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`port must be an integer from 0 to 65535; got ${String(port)}`)
  }
  if (typeof host !== 'string' || host === '') throw new TypeError('host must be a name or an address')
  if (apiKey !== undefined && (typeof apiKey !== 'string' || apiKey === '')) {
    throw new TypeError('apiKey must be a string that is not empty')
  }
  if (apiKey === undefined && !isLoopback(host)) {
    throw new TypeError(
      `host ${host} can be reached from other machines: set apiKey, or bind ${DEFAULT_HOST}`,
    )
  }
  if (typeof faults !== 'function') faultsFor(faults, 0)
  const recordAudio = checkRecordAudio(options.recordAudio)
  return { ...options, port, host, recordAudio, limits: checkLimits(options.limits) }
}

function checkRecordAudio(given: unknown = false): number {
  if (typeof given === 'boolean') return given ? RECORDED_AUDIO_BYTES : 0
  if (typeof given === 'number' && given >= 0) return given
  const got = typeof given === 'number' ? given : typeof given
  throw new TypeError(`recordAudio must be true, false or a number of bytes; got ${got}`)
}

function checkLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...DEFAULT_LIMITS }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new TypeError(`limits must be one of ${Object.keys(DEFAULT_LIMITS).join(', ')}; got ${name}`)
    }
    if (typeof value !== 'number') throw new TypeError(`limits.${name} must be a number; got ${typeof value}`)
    if (!(value > 0)) throw new RangeError(`limits.${name} must be above 0; got ${value}`)
    limits[name as keyof ServerLimits] = value
  }
  return limits
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

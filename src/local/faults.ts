import type { EndFault } from './end-fault.js'
import type { ErrorFault } from './error-fault.js'
import type { FaultPoint, FaultStart } from './fault-point.js'
import type { LatencyFault } from './latency.js'
import type { LinkFault } from './link-fault.js'
import type { StrayFrame } from './stray-frame.js'

/**
 * Misbehaviour of the service that a client must survive, one switch each; several may be set at once. Each has
 * a number that tests and issues know it by. Without a switch the server keeps to the baseline: it wants the
 * wrapped config first and does not acknowledge it, answers in `result` with explicit `[]` and `null`, and on
 * `closeStream` sends what is pending, then usage, then close 1000.
 *
 * Some numbers need no switch, the baseline does them: 8 (credentials, with `apiKey`), 12 (unknown fields), 13, 14
 * (bad prompts, foreign provider block), 17 (RIFF header), 18 (binary frames), 19 (bad base64), 21 (no audio, no
 * progress), 22 (`inactivityTimeoutSeconds`), 28 (explicit null and []), 50 (a cut connection loses its turn).
 */
export interface Faults {
  /** 1–6, 58: the upgrade is refused, late, never answered or cut. */
  upgrade?: UpgradeFault
  /** 7: the upgrade succeeds, then the server closes with 1000 and without a frame. */
  closeAtOnce?: boolean
  /** 9: how one connection more than `limits.maxConnections` is refused: HTTP 429 (default), or code 8 in the socket. */
  overLimit?: 'http' | 'socket'
  /** 10: every model is unknown: error code 3, then close 1000. */
  unknownModel?: boolean
  /** 11: the config is not liked: close 1000 without a frame. */
  rejectConfig?: boolean
  /** 15: what a second config brings. Default 'error'. */
  secondConfig?: 'error' | 'ignore' | 'close'
  /** 16: accepted duration of one chunk in ms. Default 20–1000, and 50–1000 for `assemblyai/*`. */
  chunkMs?: { min: number; max: number }
  /** 20: what a first message that is no config brings. Default 'close', without a frame. */
  messageBeforeConfig?: 'close' | 'error'
  /** 23: what ends a manual turn at its limit. Default 'split': a final, and the next turn begins. */
  longTurn?: 'split' | 'error'
  /** 24–27, 29–33, 35, 37, 38: what results say and how they spell it. */
  results?: ResultFaults
  /** 34: the usage message. 'number' is the baseline. */
  usage?: UsageFault
  /** 38: a frame that is no message: text that is not JSON, JSON that is no object, a binary frame, one of 8 MiB. */
  stray?: { frame: StrayFrame; at: FaultPoint }
  /** 39–42: an error frame, then close 1000. */
  error?: ErrorFault
  /** 36, 43, 45–48: what follows closeStream. */
  end?: EndFault
  /** 49: the connection closes with a code of its own. */
  close?: CloseFault
  /** 51: the server reads nothing more. */
  stopReading?: FaultStart
  /** 52, 53: the TCP connection breaks, or is half-open. */
  link?: LinkFault
  /** 54: pings are answered this late, in ms, or not at all. */
  pong?: 'never' | { delayMs: number }
  /** 55: wedged: audio is taken and pings are answered, but nothing is said any more, not even a close. */
  wedged?: FaultStart
  /** 56: every message to the client takes its time. None overtakes another. */
  latency?: LatencyFault
  /** 57: permessage-deflate is agreed to where a client offers it, or answered to one that did not. */
  deflate?: 'agree' | 'unasked'
}

/** How the upgrade goes wrong. */
export interface UpgradeFault {
  /** 1–4: refuses with this HTTP status. */
  status?: number
  /** Of the refusal: JSON, or text as it is. Default the service's `{code, message, details}`. */
  body?: unknown
  /** Of the refusal, e.g. `{'retry-after': '2'}` (3); names in lower case. */
  headers?: Readonly<Record<string, string>>
  /** 5: answers (or refuses, or cuts) only after this long, in ms. */
  delayMs?: number
  /** 5: never answers. */
  never?: boolean
  /** 6, 58: ends the TCP connection without an answer: an orderly close, or a reset. */
  drop?: 'close' | 'reset'
}

/** How results go wrong. */
export interface ResultFaults {
  /** 24: an empty final precedes the first transcription of each turn. */
  emptyFinalFirst?: boolean
  /** 25: the final says this, or what the function makes of it, instead of what was recognised. */
  rewriteFinal?: string | ((transcript: string) => string)
  /** 26: each interim comes twice. */
  repeatInterims?: boolean
  /** 26: each interim of several words is followed by one that lacks the last word. */
  shrinkInterims?: boolean
  /** 27: fields that are 0, '', false, null or [] are left out, as protobuf JSON may do. */
  omitZeros?: boolean
  /** 29: keys in snake_case. */
  snakeCase?: boolean
  /** 30: no `result` round the payload. */
  bare?: boolean
  /** 31: fields nobody knows, in the result and in the payload. */
  unknownFields?: boolean
  /** 31: a message of a kind nobody knows precedes each message. */
  unknownKinds?: boolean
  /** 31: speech events ride in the `result` of the next transcription or usage. */
  severalKinds?: boolean
  /** 32: speechStopped comes after the final of its turn. */
  lateSpeechStopped?: boolean
  /** 32: no speechStarted, no speechStopped. */
  noSpeechEvents?: boolean
  /** 33: spelling and unit of word times: ms as in the baseline, or seconds. */
  wordTimes?: 'startTimeMs' | 'startTime' | 'startTimeSeconds'
  /** 33: each word carries this `speaker`. */
  speaker?: string
  /** 35: where a final's voice profile stands, or what is in its place. Default 'nested', in the transcription. */
  voiceProfile?: 'nested' | 'beside' | 'null' | 'absent' | 'extraClasses'
  /** 37: each final comes twice. */
  repeatFinals?: boolean
  /** 38: each message comes in this many fragments. */
  fragments?: number
}

/**
 * As a number, as a string (int64 in protobuf JSON), in two messages that sum up to the whole, not at all, outside
 * of `result`, or outside of it as `durationSeconds`.
 */
export type UsageFault = 'number' | 'string' | 'twice' | 'missing' | 'topLevel' | 'durationSeconds'

/** A close that the client did not ask for. */
export interface CloseFault {
  /** 1006 stands for a connection that is cut. */
  code: number
  /** In mid-stream, or in place of the usual end. */
  at: Exclude<FaultPoint, 'open'>
  /** First what is pending is finished and usage is sent, as a service does at its maximum duration. Default false. */
  afterFinals?: boolean
}

/** The faults of every connection, or of each by its number: 0 for the first upgrade that reaches the server. */
export type FaultPlan = Faults | ((index: number) => Faults | undefined)

/** Every switch, and of those that are groups the names in them. */
const SWITCHES: { [Name in keyof Required<Faults>]: readonly string[] | undefined } = {
  upgrade: ['status', 'body', 'headers', 'delayMs', 'never', 'drop'],
  closeAtOnce: undefined,
  overLimit: undefined,
  unknownModel: undefined,
  rejectConfig: undefined,
  secondConfig: undefined,
  chunkMs: ['min', 'max'],
  messageBeforeConfig: undefined,
  longTurn: undefined,
  results: [
    ...[
      'emptyFinalFirst',
      'rewriteFinal',
      'repeatInterims',
      'shrinkInterims',
      'omitZeros',
      'snakeCase',
      'bare',
    ],
    ...['unknownFields', 'unknownKinds', 'severalKinds', 'lateSpeechStopped', 'noSpeechEvents', 'wordTimes'],
    ...['speaker', 'voiceProfile', 'repeatFinals', 'fragments'],
  ],
  usage: undefined,
  stray: ['frame', 'at'],
  error: ['code', 'message', 'at', 'shape', 'racingClose'],
  end: ['hallucinatedFinal', 'neverClose', 'finalDelayMs', 'interimOnly', 'splitFinals'],
  close: ['code', 'at', 'afterFinals'],
  stopReading: undefined,
  link: ['cut', 'halfOpen'],
  pong: undefined,
  wedged: undefined,
  latency: undefined,
  deflate: undefined,
}

/**
 * The faults of one connection.
 * @throws TypeError for a switch that does not exist: a misspelt fault would let a test pass for nothing
 */
export function faultsFor(plan: FaultPlan | undefined, index: number): Faults {
  const faults = (typeof plan === 'function' ? plan(index) : plan) ?? {}
  checkNames('faults', faults, Object.keys(SWITCHES))
  for (const [name, group] of Object.entries(SWITCHES)) {
    const given = faults[name as keyof Faults]
    if (group && given !== undefined) checkNames(`faults.${name}`, given as object, group)
  }
  return faults
}

function checkNames(where: string, given: object, names: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw new TypeError(`${where} must be one of ${names.join(', ')}; got ${name}`)
  }
}

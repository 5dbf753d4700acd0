import type { Status } from './server-message.js'

/**
 * Misbehaviour of the service that a client must survive, one switch each; several may be set at once. Each has
 * a number that tests and issues know it by. Without a switch the server keeps to the baseline: it wants the
 * wrapped config first and does not acknowledge it, answers in `result` with explicit `[]` and `null`, and on
 * `closeStream` sends what is pending, then usage, then close 1000.
 *
 * Some numbers need no switch, the baseline does them: 8 (credentials, with `apiKey`), 9 (`maxConnections`),
 * 13, 14 (bad prompts, foreign provider block), 17 (RIFF header), 18 (binary frames), 19 (bad base64), 28.
 */
export interface Faults {
  /** 1–6, 58: the upgrade is refused, late, never answered or cut. */
  upgrade?: UpgradeFault
  /** 7: the upgrade succeeds, then the server closes with 1000 and without a frame. */
  closeAtOnce?: boolean
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
  /** 24–27, 29–33: what results say and how they spell it. */
  results?: ResultFaults
  /** 34: the usage message. 'number' is the baseline. */
  usage?: UsageFault
  /** 39–42: an error frame, then close 1000. */
  error?: ErrorFault
  /** 43–47: what follows closeStream. */
  end?: EndFault
  /** 49: the connection closes with this code (1006: it is cut) in mid-stream or in place of the usual end. */
  close?: { code: number; at: Exclude<FaultPoint, 'open'> }
  /** 51: the server reads nothing more, from the start or once this much audio has come. */
  stopReading?: true | { afterAudioMs: number }
}

/** When a fault strikes: once connected, once configured, at closeStream, or when so much audio has come. */
export type FaultPoint = 'open' | 'config' | 'closeStream' | { afterAudioMs: number }

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
}

/**
 * As a number, as a string (int64 in protobuf JSON), in two messages that sum up to the whole, not at all, outside
 * of `result`, or outside of it as `durationSeconds`.
 */
export type UsageFault = 'number' | 'string' | 'twice' | 'missing' | 'topLevel' | 'durationSeconds'

export interface ErrorFault extends Status {
  at: FaultPoint
  /** 40: how the error is spelled; 'object' is `{error: {code, message, details}}`. Default 'object'. */
  shape?: 'object' | 'text' | 'flat' | 'result.error' | 'result.status'
  /** 42: the TCP connection is cut right behind the frames, so that the client's next send fails. */
  racingClose?: boolean
}

export interface EndFault {
  /** 43: never closes (45: together with `usage: 'missing'`). 44 is `usage: 'missing'` alone. */
  neverClose?: boolean
  /** 46: the last finals come this long after closeStream, in ms. */
  finalDelayMs?: number
  /** 47: what would be the last finals are sent as interims. */
  interimOnly?: boolean
}

/** The faults of every connection, or of each by its number: 0 for the first upgrade that reaches the server. */
export type FaultPlan = Faults | ((index: number) => Faults | undefined)

const SWITCHES: Record<keyof Faults, true> = {
  upgrade: true,
  closeAtOnce: true,
  unknownModel: true,
  rejectConfig: true,
  secondConfig: true,
  chunkMs: true,
  messageBeforeConfig: true,
  longTurn: true,
  results: true,
  usage: true,
  error: true,
  end: true,
  close: true,
  stopReading: true,
}

/**
 * The faults of one connection.
 * @throws TypeError for a switch that does not exist: a misspelt fault would let a test pass for nothing
 */
export function faultsFor(plan: FaultPlan | undefined, index: number): Faults {
  const faults = (typeof plan === 'function' ? plan(index) : plan) ?? {}
  for (const name of Object.keys(faults)) {
    if (!Object.hasOwn(SWITCHES, name)) {
      throw new TypeError(`faults must be one of ${Object.keys(SWITCHES).join(', ')}; got ${name}`)
    }
  }
  return faults
}

/** An error fault in its spelling on the wire. */
export function spellError(status: Status, shape: ErrorFault['shape'] = 'object'): unknown {
  const body = { code: status.code, message: status.message, details: [] }
  switch (shape) {
    case 'object':
      return { error: body }
    case 'text':
      return { error: status.message }
    case 'flat':
      return { code: status.code, message: status.message }
    case 'result.error':
      return { result: { error: body } }
    case 'result.status':
      return { result: { status: body } }
  }
}

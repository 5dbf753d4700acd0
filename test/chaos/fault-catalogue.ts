import type { SttStreamOptions } from '#dist/index.js'
import type { Faults, LocalServerOptions } from '#dist/testing.js'
import type { Dice } from './dice.js'

/**
 * What a fault can do to a run. 'harmless': its connection lives. 'lost': the connection is lost, another one may
 * do better. 'mute': closed in peace without a word, which is retried twice. 'fatal': the stream may fail. 'cut': closed
 * in peace, which at the end of the audio nobody can tell from the end; the last words may be missing then.
 */
export type Effect = 'harmless' | 'lost' | 'mute' | 'fatal' | 'cut'

export interface DrawnFault {
  /** Its number in the list of faults of docs/testing.md. */
  number: number
  effect: Effect
  /** Of one connection. */
  faults?: Faults
  /** Of the whole run. */
  server?: LocalServerOptions
  stream?: SttStreamOptions
  /** The transcripts are not the script's; their words are. */
  rewrites?: boolean
}

export type FaultMaker = (dice: Dice, durationMs: number) => DrawnFault

/** Base64 and the JSON round it make so much of a ms. */
export const WIRE_BYTES_PER_MS = 43
/** About what comes back on one connection. */
export const ANSWER_BYTES = 10_000
const RETRYABLE_CODES = [8, 13, 14]
const FINAL_CODES = [3, 5, 7, 16]
const SHAPES = ['object', 'text', 'flat', 'result.error', 'result.status'] as const

const harmless = (number: number, faults: Faults): DrawnFault => ({ number, effect: 'harmless', faults })
const lost = (number: number, faults: Faults): DrawnFault => ({ number, effect: 'lost', faults })
const fatal = (number: number, faults: Faults): DrawnFault => ({ number, effect: 'fatal', faults })

const somewhere = (dice: Dice, durationMs: number) => ({ afterAudioMs: dice.int(1, durationMs) })
const anyPoint = (dice: Dice, durationMs: number) =>
  dice.chance(0.6) ? somewhere(dice, durationMs) : dice.pick(['open', 'config', 'closeStream'] as const)

const drawByte = (dice: Dice, durationMs: number) =>
  dice.chance(0.7)
    ? { afterBytesReceived: dice.scale(1, durationMs * WIRE_BYTES_PER_MS) }
    : { afterBytesSent: dice.scale(1, ANSWER_BYTES) }

/** One maker for each fault that a client can meet, by number. */
export const FAULT_MAKERS: readonly FaultMaker[] = [
  dice => fatal(1, { upgrade: { status: dice.pick([401, 403]) } }),
  () => fatal(2, { upgrade: { status: 402 } }),
  dice =>
    lost(3, {
      upgrade: { status: 429, ...dice.sometimes(0.5, () => ({ headers: { 'retry-after': '0' } })) },
    }),
  dice =>
    lost(4, { upgrade: { status: dice.pick([500, 502, 503]), body: dice.pick(['', '<html>', undefined]) } }),
  dice => fatal(4, { upgrade: { status: dice.pick([400, 404, 302]) } }),
  dice =>
    dice.chance(0.3) ? lost(5, { upgrade: { never: true } }) : harmless(5, { upgrade: { delayMs: 2_000 } }),
  dice => lost(6, { upgrade: { drop: dice.pick(['close', 'reset'] as const) } }),
  () => ({ number: 7, effect: 'mute', faults: { closeAtOnce: true } }),
  dice => ({
    number: 8,
    effect: dice.chance(0.3) ? 'fatal' : 'harmless',
    server: { apiKey: 'right' },
    stream: { apiKey: 'right', authIn: dice.pick(['header', 'query', 'subprotocol'] as const) },
  }),
  dice => ({
    number: 9,
    effect: 'fatal',
    faults: { overLimit: dice.pick(['http', 'socket'] as const) },
    server: { limits: { maxConnections: 1 } },
  }),
  () => fatal(10, { unknownModel: true }),
  () => ({ number: 11, effect: 'mute', faults: { rejectConfig: true } }),
  dice => harmless(15, { secondConfig: dice.pick(['error', 'close'] as const) }),
  () => harmless(16, { chunkMs: { min: 20, max: 1_000 } }),
  dice => harmless(20, { messageBeforeConfig: dice.pick(['error', 'close'] as const) }),
  dice => ({ number: 22, effect: 'cut', stream: { inactivityTimeoutSeconds: dice.int(5, 60) } }),
  () => harmless(23, { longTurn: 'error' }),
  () => harmless(24, { results: { emptyFinalFirst: true } }),
  () => ({ ...harmless(25, { results: { rewriteFinal: text => text.toUpperCase() } }), rewrites: true }),
  dice => harmless(26, { results: dice.pick([{ repeatInterims: true }, { shrinkInterims: true }]) }),
  () => harmless(27, { results: { omitZeros: true } }),
  () => harmless(29, { results: { snakeCase: true } }),
  () => harmless(30, { results: { bare: true } }),
  dice =>
    harmless(31, {
      results: dice.pick([{ unknownFields: true }, { unknownKinds: true }, { severalKinds: true }]),
    }),
  dice => harmless(32, { results: dice.pick([{ lateSpeechStopped: true }, { noSpeechEvents: true }]) }),
  dice =>
    harmless(33, {
      results: { wordTimes: dice.pick(['startTime', 'startTimeSeconds'] as const), speaker: '1' },
    }),
  dice => harmless(34, { usage: dice.pick(['string', 'twice', 'topLevel', 'durationSeconds'] as const) }),
  dice =>
    harmless(35, {
      results: { voiceProfile: dice.pick(['beside', 'null', 'absent', 'extraClasses'] as const) },
    }),
  () => harmless(36, { end: { hallucinatedFinal: 'thank you for watching' } }),
  () => harmless(37, { results: { repeatFinals: true } }),
  (dice, durationMs) =>
    fatal(38, {
      stray: {
        frame: dice.pick(['notJson', 'notObject', 'binary', 'large'] as const),
        at: anyPoint(dice, durationMs),
      },
    }),
  dice => harmless(38, { results: { fragments: dice.int(2, 5) } }),
  (dice, durationMs) =>
    lost(39, {
      error: { code: dice.pick(RETRYABLE_CODES), message: 'later', at: anyPoint(dice, durationMs) },
    }),
  (dice, durationMs) =>
    fatal(40, {
      error: { code: 3, message: 'no', at: anyPoint(dice, durationMs), shape: dice.pick(SHAPES) },
    }),
  (dice, durationMs) =>
    fatal(41, { error: { code: dice.pick(FINAL_CODES), message: 'no', at: anyPoint(dice, durationMs) } }),
  (dice, durationMs) =>
    lost(42, { error: { code: 14, message: 'gone', at: anyPoint(dice, durationMs), racingClose: true } }),
  () => harmless(43, { end: { neverClose: true } }),
  () => harmless(44, { usage: 'missing' }),
  () => harmless(45, { usage: 'missing', end: { neverClose: true } }),
  dice => harmless(46, { end: { finalDelayMs: dice.pick([3_000, 5_000, 15_000]) } }),
  () => harmless(47, { end: { interimOnly: true } }),
  () => harmless(48, { end: { splitFinals: true } }),
  (dice, durationMs) =>
    lost(49, {
      close: {
        code: dice.pick([1001, 1006, 1011, 1012, 1013]),
        at: dice.chance(0.7) ? somewhere(dice, durationMs) : dice.pick(['config', 'closeStream'] as const),
      },
    }),
  (dice, durationMs) => fatal(49, { close: { code: 1008, at: somewhere(dice, durationMs) } }),
  (dice, durationMs) => ({
    number: 49,
    effect: 'cut',
    faults: { close: { code: 1000, at: somewhere(dice, durationMs) } },
  }),
  (dice, durationMs) => lost(50, { close: { code: 1006, at: somewhere(dice, durationMs) } }),
  (dice, durationMs) => lost(51, { stopReading: dice.chance(0.3) ? true : somewhere(dice, durationMs) }),
  (dice, durationMs) =>
    lost(52, {
      link: { cut: { ...drawByte(dice, durationMs), how: dice.pick(['reset', 'close'] as const) } },
    }),
  (dice, durationMs) => lost(53, { link: { halfOpen: drawByte(dice, durationMs) } }),
  dice => lost(54, { pong: dice.chance(0.5) ? 'never' : { delayMs: dice.int(1, 60) * 1_000 } }),
  (dice, durationMs) => lost(55, { wedged: dice.chance(0.3) ? true : somewhere(dice, durationMs) }),
  dice => harmless(56, { latency: { minMs: 0, maxMs: dice.scale(10, 5_000), seed: dice.int(1, 1_000) } }),
  () => harmless(57, { deflate: 'agree' }),
  () => fatal(57, { deflate: 'unasked' }),
  dice =>
    lost(58, { upgrade: { drop: dice.pick(['close', 'reset'] as const), delayMs: dice.int(1, 50) * 100 } }),
]

/** Of two that are of one group, both strike. */
export function mergeFaults(drawn: DrawnFault[]): Faults {
  return drawn.reduce<Faults>((merged, { faults = {} }) => {
    const results = { ...merged.results, ...faults.results }
    const end = { ...merged.end, ...faults.end }
    return { ...merged, ...faults, results, end }
  }, {})
}

import { z } from 'zod'
import { FfmpegLimiter } from './audio/ffmpeg-limiter.js'
import { MAX_FRAME_MS, MIN_FRAME_MS } from './audio/frame.js'
import type { PcmFormat } from './audio/pcm-format.js'
import type { SttError } from './errors.js'
import { knownSpelling, misuse } from './misuse.js'
import { configMisuse } from './stt/config-guard.js'
import { Fleet } from './stt/fleet.js'
import { typedFields } from './stt/transcribe-config-schema.js'

const ms = z
  .number()
  .min(0)
  .max(2 ** 31 - 1)
const positiveMs = ms.gt(0)
const offOrMs = z.union([z.literal(false), positiveMs], 'false or a number above 0 ms')

const retry = z
  .strictObject({
    maxAttempts: z.number().int().min(0),
    maxConnectAttempts: z.number().int().min(0),
    baseDelayMs: ms,
    maxDelayMs: ms,
    maxOutageMs: ms,
    shouldRetry: z.custom<(error: SttError) => boolean>(value => typeof value === 'function', 'a function'),
  })
  .partial()

/** Types, names and ranges of SttStreamOptions, which documents them. */
export const optionSchema = z
  .strictObject({
    url: z.string(),
    apiKey: z.union(
      [z.string(), z.custom<() => string>(value => typeof value === 'function')],
      'a string or a function',
    ),
    authScheme: z.enum(['auto', 'basic', 'bearer']),
    authIn: z.enum(['header', 'query', 'subprotocol']),
    headers: z.record(z.string(), z.string()),
    agent: z.looseObject({}),
    handshakeTimeoutMs: positiveMs,
    finishTimeoutMs: positiveMs,
    closeGraceMs: ms,
    idleTimeoutMs: offOrMs,
    pingIntervalMs: offOrMs,
    pongTimeoutMs: positiveMs,
    sendBufferMs: ms,
    keepAlive: z.union([z.literal('silence'), z.literal(false)], "'silence' or false"),
    watchdogMs: offOrMs,
    retry: z.union([z.literal(false), retry], 'false or an object of retry options'),
    replayMs: positiveMs,
    maxConnectionMs: offOrMs,
    hibernateAfterMs: offOrMs,
    maxManualTurnMs: z.number().min(1_000).max(30_000),
    input: z.custom<PcmFormat | 'auto'>(
      value => value === 'auto' || (typeof value === 'object' && value !== null),
      "an object {encoding, sampleRateHertz, channels} or 'auto'",
    ),
    decoder: z.enum(['auto', 'ffmpeg']),
    startMs: z.number().min(0),
    durationMs: z.number().gt(0),
    inspect: z.boolean(),
    channels: z.custom<readonly number[] | 'separate'>(
      value => value === 'separate' || Array.isArray(value),
      "an array of channels, counted from 0, or 'separate'",
    ),
    mergeWaitMs: z.union([z.literal(false), ms], 'false or a number from 0 ms'),
    mix: z.custom<readonly number[]>(Array.isArray, 'an array of a gain for each channel'),
    resamplerQuality: z.enum(['high', 'fast']),
    path: z.string().min(1),
    ffmpegPath: z.string().min(1),
    spoolLimitBytes: z.number().int().min(0),
    ffmpegNiceness: z.number().int().min(0).max(19),
    ffmpegLimiter: z.instanceof(FfmpegLimiter),
    live: z.boolean(),
    track: z.number().int().min(0).max(999),
    frameMs: z.number().int().min(MIN_FRAME_MS).max(MAX_FRAME_MS),
    pace: z.union(
      [z.enum(['auto', 'realtime']), z.literal(false), z.number().gt(0)],
      "'auto', 'realtime', false or a number above 0",
    ),
    interimResults: z.boolean(),
    includeWordTimestamps: z.boolean(),
    maxUnreadResults: z.number().int().min(1),
    metricsIntervalMs: z.union([z.literal(false), positiveMs], 'false or a number above 0 ms'),
    transcribeConfig: z.record(z.string(), z.unknown()),
    fleet: z.instanceof(Fleet),
    signal: z.instanceof(AbortSignal),
    ...typedFields,
  })
  .partial()

/** zod's first issue in the house's words. A value is shown only where it is a number: others may be secrets. */
export function toMisuse(issue: z.core.$ZodIssue, options: object): TypeError | RangeError {
  const [option] = issue.path
  if (option !== undefined && Object.hasOwn(typedFields, option)) return configMisuse(issue)
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length > 0 ? `of ${issue.path.join('.')} ` : ''
    const hints = issue.keys.flatMap(key => knownSpelling(key, Object.keys(optionSchema.shape)) ?? [])
    const hint = hints.length > 0 ? `; it is spelt '${hints.join("', '")}'` : ''
    return new TypeError(`unknown option ${where}'${issue.keys.join("', '")}'${hint}`)
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)[key],
    options,
  )
  const got = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
  return misuse(issue, `${issue.path.join('.')}: ${issue.message}; got ${got}`)
}

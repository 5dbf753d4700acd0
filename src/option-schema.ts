import { z } from 'zod'
import { MAX_FRAME_MS, MIN_FRAME_MS } from './audio/frame.js'
import type { PcmFormat } from './audio/pcm-format.js'
import type { SttError } from './errors.js'

const ms = z
  .number()
  .min(0)
  .max(2 ** 31 - 1)
const positiveMs = ms.gt(0)
const offOrMs = z.union([z.literal(false), positiveMs], 'false or a number above 0 ms')
const share = z.number().min(0).max(1)
const strings = z.array(z.string()).readonly()
/** Refused by the service with code 3 (protocol B4). */
const prompt = z
  .string()
  .regex(/^[^#/@|\u0000-\u001f\u007f]*$/, 'a phrase without # / @ | or control characters')

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
    input: z.custom<PcmFormat>(
      value => typeof value === 'object' && value !== null,
      'an object {encoding, sampleRateHertz, channels}',
    ),
    channels: z.custom<readonly number[]>(Array.isArray, 'an array of channels, counted from 0'),
    mix: z.custom<readonly number[]>(Array.isArray, 'an array of a gain for each channel'),
    resamplerQuality: z.enum(['high', 'fast']),
    path: z.string().min(1),
    ffmpegPath: z.string().min(1),
    spoolLimitBytes: z.number().int().min(0),
    frameMs: z.number().int().min(MIN_FRAME_MS).max(MAX_FRAME_MS),
    pace: z.union(
      [z.enum(['auto', 'realtime']), z.literal(false), z.number().gt(0)],
      "'auto', 'realtime', false or a number above 0",
    ),
    interimResults: z.boolean(),
    includeWordTimestamps: z.boolean(),
    maxUnreadResults: z.number().int().min(1),
    transcribeConfig: z.record(z.string(), z.unknown()),
    signal: z.instanceof(AbortSignal),
    modelId: z.string().min(1),
    language: z.string().min(1),
    inactivityTimeoutSeconds: z.number().int().min(0),
    endOfTurnConfidenceThreshold: share,
    prompts: z.array(prompt).readonly(),
    enableSpeakerDiarization: z.boolean(),
    groqConfig: z.strictObject({ temperature: share }).partial(),
    assemblyaiConfig: z
      .strictObject({
        minEndOfTurnSilenceWhenConfident: ms.int(),
        maxTurnSilence: ms.int(),
        vadThreshold: share,
        prompt: z.string(),
      })
      .partial(),
    inworldSttV1Config: z
      .strictObject({
        minEndOfTurnSilenceWhenConfident: ms.int(),
        maxTurnSilence: z.number().int().min(20).max(5_000),
        vadThreshold: share,
      })
      .partial(),
    sonioxConfig: z
      .strictObject({
        languageHints: strings,
        languageHintsStrict: z.boolean(),
        enableEndpointDetection: z.boolean(),
        maxEndpointDelayMs: z.number().int().min(500).max(5_000),
        context: z
          .strictObject({ general: z.record(z.string(), z.string()), text: z.string(), terms: strings })
          .partial(),
      })
      .partial(),
    voiceProfileConfig: z.strictObject({
      enableVoiceProfile: z.boolean(),
      topN: z.number().int().min(1).max(20).optional(),
    }),
  })
  .partial()

/** Fields of the wire's config that describe the audio: the pipeline's own. */
export const OWNED_FIELDS = ['audioEncoding', 'sampleRateHertz', 'numberOfChannels']

/** zod's first issue in the house's words. A value is shown only where it is a number: others may be secrets. */
export function toMisuse(issue: z.core.$ZodIssue, options: object): TypeError | RangeError {
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length > 0 ? `of ${issue.path.join('.')} ` : ''
    const owned = issue.keys.find(key => OWNED_FIELDS.includes(key))
    if (owned)
      return new TypeError(`${owned} is the pipeline's own; describe raw audio with the option 'input'`)
    return new TypeError(`unknown option ${where}'${issue.keys.join("', '")}'`)
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)[key],
    options,
  )
  const got = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
  const message = `${issue.path.join('.')}: ${issue.message}; got ${got}`
  return isOutOfRange(issue) ? new RangeError(message) : new TypeError(message)
}

/** A number where a number is due, only not this one: NaN and fractions are zod's `invalid_type`. */
function isOutOfRange(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'too_small' || issue.code === 'too_big') return true
  if (issue.code === 'invalid_union') return issue.errors.flat().some(isOutOfRange)
  return (
    issue.code === 'invalid_type' && typeof issue.input === 'number' && /^(number|int)$/.test(issue.expected)
  )
}

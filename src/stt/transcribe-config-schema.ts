import { z } from 'zod'
import { shown } from '../misuse.js'
import { refusedPromptCharacter } from './prompt-characters.js'

/**
 * Types and ranges of `transcribeConfig` (protocol A3.3, B4). The service is a poor teacher: it drops what it does
 * not know without a word (B1). So each error says what was expected, what came, and what the service would have
 * done with it.
 */

const REFUSES = 'The service refuses such terms with code 3 (INVALID_ARGUMENT)'
const MISTYPED = 'The service may refuse a wrong type with code 3 (INVALID_ARGUMENT)'
const OUTSIDE = 'Outside its range the service may answer code 3 or ignore the value'
const MAX_INT32 = 2 ** 31 - 1

/** Makes an object's schema: `z.strictObject` where unknown fields are mistakes, `z.looseObject` where they pass. */
type ObjectSchema = typeof z.strictObject | typeof z.looseObject

const flag = z.boolean(rule('true or false'))
const aModel = rule('a string {provider}/{model}', 'The service answers code 3: model_id is required')
const modelId = z.string(aModel).min(1, aModel)
/** Free text is never shown. */
const text = z.string({ error: ({ input }) => `expected a string; got ${typeof input}. ${MISTYPED}` })
const share = numberFrom(0, 1)
const silenceMs = integerFrom(0, MAX_INT32, 'ms')
const languageTag = z
  .string(rule('a BCP-47 tag'))
  .regex(
    /^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i,
    rule(
      "a BCP-47 tag such as 'en-US', or none to have the language detected",
      'The service may ignore a language that it cannot read, in silence',
    ),
  )
const prompt = text.check(({ value, issues }) => {
  const refused = refusedPromptCharacter(value)
  if (refused === undefined) return
  const got = /\p{C}/u.test(refused) ? `U+${refused.codePointAt(0)?.toString(16).padStart(4, '0')}` : refused
  const message = `expected letters, digits, spaces and punctuation without # / @ |; got ${got}. ${REFUSES}`
  issues.push({ code: 'custom', input: value, message })
})

const anObject = rule('an object')
const texts = z.array(text, rule('an array of strings')).readonly()
const groqShape = { temperature: share }
const assemblyaiShape = {
  minEndOfTurnSilenceWhenConfident: silenceMs,
  maxTurnSilence: silenceMs,
  vadThreshold: share,
  prompt: text,
}
const inworldShape = {
  minEndOfTurnSilenceWhenConfident: silenceMs,
  maxTurnSilence: integerFrom(20, 5_000, 'ms'),
  vadThreshold: share,
}
const sonioxContextShape = {
  general: z.record(z.string(), text, rule('an object of strings')),
  text,
  terms: texts,
}
const sonioxShape = {
  languageHints: z.array(languageTag, rule('an array of BCP-47 tags')).readonly(),
  languageHintsStrict: flag,
  enableEndpointDetection: flag,
  maxEndpointDelayMs: integerFrom(500, 5_000, 'ms'),
}
const voiceProfileShape = { enableVoiceProfile: flag, topN: integerFrom(1, 20, 'labels').optional() }

function configShape(object: ObjectSchema) {
  return {
    modelId,
    language: languageTag,
    inactivityTimeoutSeconds: integerFrom(0, MAX_INT32, 's'),
    endOfTurnConfidenceThreshold: share,
    prompts: z.array(prompt, rule('an array of strings')).readonly(),
    enableSpeakerDiarization: flag,
    groqConfig: object(groqShape, anObject).partial(),
    assemblyaiConfig: object(assemblyaiShape, anObject).partial(),
    inworldSttV1Config: object(inworldShape, anObject).partial(),
    sonioxConfig: object(
      { ...sonioxShape, context: object(sonioxContextShape, anObject).partial() },
      anObject,
    ).partial(),
    voiceProfileConfig: object(voiceProfileShape, anObject),
  }
}

/** The fields that a caller sets as options. What their blocks do not know is a mistake. */
export const typedFields = configShape(z.strictObject)

/** The whole message body. What this version does not know passes. */
export const wireConfigSchema = z
  .looseObject({
    ...configShape(z.looseObject),
    sampleRateHertz: integerFrom(1, MAX_INT32, 'Hz'),
    numberOfChannels: integerFrom(1, MAX_INT32, 'channels'),
    includeWordTimestamps: flag,
  })
  .partial()
  .extend({ modelId, audioEncoding: z.string(rule('a string')) })

/** The message of every failed check of a schema. */
function rule(expectation: string, consequence = MISTYPED) {
  return {
    error: ({ code, input }: z.core.$ZodRawIssue) => {
      const mistyped = code === 'invalid_type' && typeof input !== 'number'
      return `expected ${expectation}; got ${shown(input)}. ${mistyped ? MISTYPED : consequence}`
    },
  }
}

function numberFrom(from: number, to: number) {
  const range = rule(`a number from ${from} to ${to}`, OUTSIDE)
  return z.number(range).min(from, range).max(to, range)
}

function integerFrom(from: number, to: number, unit: string) {
  const range = rule(`an integer from ${from}${to < MAX_INT32 ? ` to ${to}` : ''} ${unit}`, OUTSIDE)
  return z.number(range).int(range).min(from, range).max(to, range)
}

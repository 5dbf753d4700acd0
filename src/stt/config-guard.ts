import { z } from 'zod'
import { knownSpelling, misuse, shown } from '../misuse.js'
import { isRecord, type Fields } from './json-fields.js'
import type { TranscribeConfigOptions, WireTranscribeConfig } from './transcribe-config.js'
import { typedFields, wireConfigSchema } from './transcribe-config-schema.js'

/**
 * Checks `transcribeConfig` before it leaves: the service acknowledges no config and tells of few mistakes
 * (protocol B1, B4, D2). Fields and models that this version does not know pass.
 */

/** What a caller may say of the service's config: typed fields, and further ones, which win over them. */
export interface ConfigChanges extends TranscribeConfigOptions {
  /** Passed as they are; what this version knows is checked. Default: none. */
  transcribeConfig?: Readonly<Record<string, unknown>>
}

/** Streaming takes LINEAR16; on AUTO_DETECT the service's pages do not agree (B4). */
export const STREAMING_ENCODINGS: readonly string[] = ['LINEAR16', 'AUTO_DETECT']
/** What a whole file may be declared as (B6). */
export const WHOLE_FILE_ENCODINGS: readonly string[] = [...STREAMING_ENCODINGS, 'MP3', 'OGG_OPUS', 'FLAC']
/** They describe the audio, which is the pipeline's own. */
const OWNED_FIELDS = ['audioEncoding', 'sampleRateHertz', 'numberOfChannels']
/** Provider blocks exclude one another and must be of the model's vendor (B4). */
const VENDOR_OF_BLOCK = {
  groqConfig: 'groq',
  assemblyaiConfig: 'assemblyai',
  inworldSttV1Config: 'inworld',
  sonioxConfig: 'soniox',
} as const
const DROPS = 'The service drops fields that it does not know, in silence'
const REFUSES = 'The service refuses that with code 3 (INVALID_ARGUMENT)'

const typedSchema = z.strictObject(typedFields).partial()

/**
 * The config with the changes, all of it checked. A field changed to undefined is taken away.
 * @throws TypeError, RangeError
 */
export function changeTranscribeConfig(
  config: WireTranscribeConfig,
  { transcribeConfig = {}, ...typed }: ConfigChanges,
): WireTranscribeConfig {
  refuseOwnedFields(typed)
  refuseOwnedFields(transcribeConfig, 'transcribeConfig.')
  throwFirst(typedSchema.safeParse(typed, { reportInput: true }).error)
  const changed = { ...config, ...typed, ...transcribeConfig } as WireTranscribeConfig
  checkTranscribeConfig(changed)
  return changed
}

/** @throws TypeError where a field that describes the audio is among `fields`, however it is spelt */
export function refuseOwnedFields(fields: object, prefix = ''): void {
  const owned = Object.keys(fields).find(name => knownSpelling(name, OWNED_FIELDS))
  if (owned === undefined) return
  throw new TypeError(
    `${prefix}${owned} is the pipeline's own; describe raw audio with the option 'input'. ` +
      'The service hears nothing in audio that is not what its config says',
  )
}

/**
 * Checks a whole config as it goes over the wire. `encodings`: which ones it may declare, by default for streaming.
 * @throws TypeError for a wrong type, spelling, character or combination, RangeError for a number out of range
 */
export function checkTranscribeConfig(config: Readonly<Fields>, encodings = STREAMING_ENCODINGS): void {
  checkSpelling(config, wireConfigSchema)
  const { error, data } = wireConfigSchema.safeParse(config, { reportInput: true })
  throwFirst(error)
  if (!data) return
  const { audioEncoding, enableSpeakerDiarization, includeWordTimestamps, inworldSttV1Config } = data
  if (!encodings.includes(audioEncoding)) {
    throw new TypeError(
      `audioEncoding: expected ${encodings.join(' or ')}; got ${shown(audioEncoding)}. ` +
        'The service streams LINEAR16 only and drops enum values that it does not know, in silence',
    )
  }
  checkVendor(data)
  const { minEndOfTurnSilenceWhenConfident: min = 0, maxTurnSilence: max = Infinity } =
    inworldSttV1Config ?? {}
  if (max < min) {
    throw new RangeError(
      `inworldSttV1Config.maxTurnSilence: expected at least minEndOfTurnSilenceWhenConfident (${min} ms); ` +
        `got ${max}. ${REFUSES}`,
    )
  }
  if (enableSpeakerDiarization && !includeWordTimestamps) {
    throw new TypeError(
      'enableSpeakerDiarization: expected includeWordTimestamps with it; got none. ' +
        'The service tells the speaker of each word, and without word times it tells none',
    )
  }
  checkJson(config)
}

function checkVendor(config: Readonly<Fields> & { modelId: string }): void {
  const { modelId } = config
  const blocks = Object.entries(VENDOR_OF_BLOCK).filter(([name]) => config[name] !== undefined)
  const [first, second] = blocks
  if (first && second) {
    throw new TypeError(
      `${first[0]} and ${second[0]} exclude one another: expected one provider block. ${REFUSES}`,
    )
  }
  if (first && !modelId.startsWith(`${first[1]}/`)) {
    throw new TypeError(
      `${first[0]}: expected a model ${first[1]}/*; got modelId ${shown(modelId)}. ${REFUSES}`,
    )
  }
}

/** A known field in another spelling would be an unknown one to the service. */
function checkSpelling(fields: Readonly<Fields>, { shape }: z.ZodObject, prefix = ''): void {
  const known = Object.keys(shape)
  for (const [name, value] of Object.entries(fields)) {
    const spelling = knownSpelling(name, known)
    if (spelling === undefined) continue
    if (spelling !== name)
      throw new TypeError(`${prefix}${name}: expected the spelling '${spelling}'. ${DROPS}`)
    const schema: unknown = shape[name] instanceof z.ZodOptional ? shape[name].unwrap() : shape[name]
    if (schema instanceof z.ZodObject && isRecord(value)) checkSpelling(value, schema, `${prefix}${name}.`)
  }
}

/** What cannot be written would otherwise throw in the middle of the handshake. */
function checkJson(config: Readonly<Fields>): void {
  try {
    JSON.stringify(config)
  } catch (cause) {
    throw new TypeError('transcribeConfig: expected what JSON can hold; got a BigInt or a circle', { cause })
  }
}

function throwFirst(error: z.ZodError | undefined): void {
  const issue = error?.issues[0]
  if (issue) throw configMisuse(issue)
}

/** A failed check of {@link typedFields} as what a caller is told. */
export function configMisuse(issue: z.core.$ZodIssue): TypeError | RangeError {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const where = path && `of ${path} `
    return new TypeError(`unknown option ${where}'${issue.keys.join("', '")}'. ${DROPS}`)
  }
  return misuse(issue, `${path}: ${issue.message}`)
}

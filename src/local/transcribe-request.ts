import { z } from 'zod'
import type { PcmFormat } from '../audio/pcm-format.js'
import { MAX_CHANNELS, MAX_SAMPLE_RATE_HERTZ, MIN_SAMPLE_RATE_HERTZ } from '../audio/pcm-format.js'
import { refusedPromptCharacter } from '../stt/prompt-characters.js'
import { camelCaseFields, isJsonObject, type JsonObject } from './json-object.js'
import { invalidArgument, type Status } from './server-message.js'

/** The models of protocol A3.3 that answer; the dead early name `inworld/stt-v1` does not. */
const STREAMING_MODELS = new Set([
  'inworld/inworld-stt-1',
  'assemblyai/universal-streaming-multilingual',
  'assemblyai/universal-streaming-english',
  'assemblyai/u3-rt-pro',
  'assemblyai/whisper-rt',
  'soniox/stt-rt-v4',
  'soniox/stt-rt-v5',
  'deepgram/flux-general-en',
  'deepgram/flux-general-multi',
  'groq/whisper-large-v3',
])

const WHOLE_FILE_MODELS = new Set(['inworld/inworld-stt-1', 'groq/whisper-large-v3'])

const SUPPORTED_MODELS_PAGE = 'https://docs.inworld.ai/docs/tutorial-integrations/stt/supported-models'

/** Each block with the vendor, the first part of the model id, that it belongs to. */
const PROVIDER_BLOCKS = {
  groqConfig: 'groq',
  assemblyaiConfig: 'assemblyai',
  inworldSttV1Config: 'inworld',
  sonioxConfig: 'soniox',
} as const

// int32 and float travel as numbers or as strings of digits in protobuf JSON.
const number = z
  .union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)])
  .transform(Number)
  .pipe(z.number())
const int32 = number.pipe(
  z
    .number()
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1),
)
const fraction = number.pipe(z.number().min(0).max(1))
const milliseconds = int32.pipe(z.number().min(0).max(60_000))

const requestSchema = z.object({
  modelId: z.string().max(200).default(''),
  audioEncoding: z.string().default('AUDIO_ENCODING_UNSPECIFIED'),
  language: z.string().optional(),
  sampleRateHertz: int32
    .pipe(z.number().min(MIN_SAMPLE_RATE_HERTZ).max(MAX_SAMPLE_RATE_HERTZ))
    .default(16_000),
  numberOfChannels: int32.pipe(z.number().min(1).max(MAX_CHANNELS)).default(1),
  inactivityTimeoutSeconds: int32.pipe(z.number().min(0)).optional(),
  endOfTurnConfidenceThreshold: fraction.optional(),
  prompts: z.array(z.string()).default([]),
  includeWordTimestamps: z.boolean().default(false),
  enableSpeakerDiarization: z.boolean().default(false),
  groqConfig: z.object({ temperature: fraction.optional() }).optional(),
  assemblyaiConfig: z
    .object({
      minEndOfTurnSilenceWhenConfident: milliseconds.optional(),
      maxTurnSilence: milliseconds.optional(),
      vadThreshold: fraction.optional(),
      prompt: z.string().optional(),
    })
    .optional(),
  inworldSttV1Config: z
    .object({
      minEndOfTurnSilenceWhenConfident: milliseconds.optional(),
      maxTurnSilence: milliseconds.pipe(z.number().min(20).max(5000)).optional(),
      vadThreshold: fraction.optional(),
    })
    .refine(
      ({ maxTurnSilence = Infinity, minEndOfTurnSilenceWhenConfident = 0 }) =>
        maxTurnSilence >= minEndOfTurnSilenceWhenConfident,
      'max_turn_silence must not be below min_end_of_turn_silence_when_confident',
    )
    .optional(),
  sonioxConfig: z
    .object({
      languageHints: z.array(z.string()).optional(),
      languageHintsStrict: z.boolean().optional(),
      enableEndpointDetection: z.boolean().optional(),
      maxEndpointDelayMs: int32.pipe(z.number().min(500).max(5000)).optional(),
      context: z
        .object({
          general: z.record(z.string(), z.string()).optional(),
          text: z.string().optional(),
          terms: z.array(z.string()).optional(),
        })
        .optional(),
    })
    .optional(),
  voiceProfileConfig: z
    .object({ enableVoiceProfile: z.boolean(), topN: int32.pipe(z.number().min(1)).optional() })
    .optional(),
})

/** `transcribeConfig` in camelCase, checked, its defaults filled in, unknown fields dropped. */
export type TranscribeRequest = z.output<typeof requestSchema>

/** A request that passed, or the status to refuse it with. */
export type Checked<T> = { ok: true; value: T } | { ok: false; status: Status }

/** Checks the config of a stream. */
export function checkStreamingRequest(config: JsonObject): Checked<TranscribeRequest> {
  const parsed = parseRequest(config)
  if (!parsed.ok) return parsed
  const { modelId, audioEncoding } = parsed.value
  if (modelId === '') return refuseConfig('model_id is required')
  if (!STREAMING_MODELS.has(modelId)) return { ok: false, status: unknownModel(modelId) }
  if (audioEncoding !== 'LINEAR16' && audioEncoding !== 'AUTO_DETECT') {
    return refuseConfig(`audio_encoding must be LINEAR16; got ${audioEncoding}`)
  }
  return checkVendorAndPrompts(parsed.value)
}

/** Checks the config of a whole file, in the service's order; the encoding is read from the file itself. */
export function checkWholeFileRequest(config: JsonObject): Checked<TranscribeRequest> {
  const parsed = parseRequest(config)
  if (!parsed.ok) return parsed
  const { modelId } = parsed.value
  if (modelId === '') return refuseConfig('model_id is required')
  if (!WHOLE_FILE_MODELS.has(modelId)) {
    return refuse(`Unsupported model "${modelId}". Supported models: ${SUPPORTED_MODELS_PAGE}`)
  }
  return checkVendorAndPrompts(parsed.value)
}

export function unknownModel(modelId: string): Status {
  return invalidArgument(`No STT client found for model: ${modelId}`)
}

/** How the client's audio chunks are stored. */
export function chunkFormat({ sampleRateHertz, numberOfChannels }: TranscribeRequest): PcmFormat {
  return { encoding: 's16le', sampleRateHertz, channels: numberOfChannels }
}

/** The biasing terms: `prompts` and Soniox's own field for the same thing. */
export function biasingTerms({ prompts, sonioxConfig }: TranscribeRequest): readonly string[] {
  return [...prompts, ...(sonioxConfig?.context?.terms ?? [])]
}

function parseRequest(config: JsonObject): Checked<TranscribeRequest> {
  const fields = camelCaseFields(config)
  for (const block of [...Object.keys(PROVIDER_BLOCKS), 'voiceProfileConfig']) {
    if (isJsonObject(fields[block])) fields[block] = camelCaseFields(fields[block])
  }
  const soniox = fields['sonioxConfig']
  if (isJsonObject(soniox) && isJsonObject(soniox['context'])) {
    soniox['context'] = camelCaseFields(soniox['context'])
  }
  const parsed = requestSchema.safeParse(fields)
  if (parsed.success) return { ok: true, value: parsed.data }
  const [issue] = parsed.error.issues
  return refuseConfig(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

function checkVendorAndPrompts(request: TranscribeRequest): Checked<TranscribeRequest> {
  const vendor = request.modelId.split('/', 1)[0]
  for (const [block, owner] of Object.entries(PROVIDER_BLOCKS)) {
    if (request[block as keyof typeof PROVIDER_BLOCKS] !== undefined && owner !== vendor) {
      return refuseConfig(`${block} does not belong to model ${request.modelId}`)
    }
  }
  if (request.prompts.some(prompt => refusedPromptCharacter(prompt) !== undefined)) {
    return refuseConfig('prompts may hold letters, digits, spaces and basic punctuation only')
  }
  return { ok: true, value: request }
}

function refuseConfig(message: string): Checked<never> {
  return refuse(`invalid transcribe config: ${message}`)
}

function refuse(message: string): Checked<never> {
  return { ok: false, status: invalidArgument(message) }
}

import { z } from 'zod'
import { checkPcmFormat, type PcmFormat } from './audio/pcm-format.js'
import { wavHeader } from './audio/wav-header.js'
import { optionSchema, toMisuse } from './option-schema.js'
import { CONFIG_OPTIONS, DEFAULT_MODEL_ID, pick } from './options.js'
import type { RestClientOptions } from './rest/client.js'
import { checkTranscribeConfig, WHOLE_FILE_ENCODINGS } from './stt/config-guard.js'
import type { RetryOptions } from './stt/retry-policy.js'
import type { TranscribeConfigOptions } from './stt/transcribe-config.js'
import type { CredentialOptions } from './wire/auth.js'

const DEFAULT_REST_URL = 'https://api.inworld.ai'

/** Options of {@link transcribeFile}. All are checked before anything opens; all times are in ms. */
export interface TranscribeFileOptions extends Omit<CredentialOptions, 'authIn'>, TranscribeConfigOptions {
  /**
   * 'http:' or 'https:' URL that the paths of the service are appended to, or 'local': a server of this process with
   * the local recogniser. Default 'https://api.inworld.ai'.
   */
  url?: string
  /** 'header' (default): `Authorization`. 'query': `?authorization=`. */
  authIn?: 'header' | 'query'
  /** Further request headers. */
  headers?: Readonly<Record<string, string>>
  /** Declares raw audio, which is sent as a WAV file: little-endian PCM or G.711. Default: absent, a file of any kind. */
  input?: PcmFormat
  /** What the service is told of the file. Default 'AUTO_DETECT'. */
  audioEncoding?: 'AUTO_DETECT' | 'LINEAR16' | 'MP3' | 'OGG_OPUS' | 'FLAC'
  /** Asks for word times. Default false. */
  includeWordTimestamps?: boolean
  /** Further fields of `transcribeConfig`, passed as they are. They win over the typed options. Default: none. */
  transcribeConfig?: Readonly<Record<string, unknown>>
  /**
   * true: an asynchronous job, for up to 512 MB. 'auto': a job where the direct request cannot do it (more than
   * 16 MB, speaker labels), and for an https source. The service keeps a job's audio and transcript for 7 days. Default
   * false.
   */
  job?: boolean | 'auto'
  /** Wait before a job is first asked after; it grows by half each time, up to ten times this. Default 2 000. */
  pollIntervalMs?: number
  /** From the upload's first byte to a job's transcript. Default 3 600 000. */
  jobTimeoutMs?: number
  /** One request, sending and answer together; a job's upload excepted. Default 300 000, Node's own limit too. */
  requestTimeoutMs?: number
  /** How long an http(s) source that is fetched from here may give no byte, in ms. Default 30 000. */
  sourceTimeoutMs?: number
  /**
   * When a request is made again that HTTP 429 or 5xx or a lost connection ended; false = never. Default: the
   * defaults of {@link RetryOptions}, but `maxAttempts` 3.
   */
  retry?: RetryOptions | false
  /** Aborting rejects with an AbortError. */
  signal?: AbortSignal
}

const MAX_TIMER_MS = 2 ** 31 - 1
/** fetch() of Node waits no longer for an answer. */
const MAX_REQUEST_MS = 300_000
const positiveMs = z.number().gt(0).max(MAX_TIMER_MS)

/** Types, names and ranges of TranscribeFileOptions, which documents them. */
export const fileOptionSchema = optionSchema
  .pick({
    url: true,
    apiKey: true,
    authScheme: true,
    headers: true,
    input: true,
    includeWordTimestamps: true,
    transcribeConfig: true,
    signal: true,
    retry: true,
    modelId: true,
    language: true,
    inactivityTimeoutSeconds: true,
    endOfTurnConfidenceThreshold: true,
    prompts: true,
    enableSpeakerDiarization: true,
    groqConfig: true,
    assemblyaiConfig: true,
    inworldSttV1Config: true,
    sonioxConfig: true,
    voiceProfileConfig: true,
  })
  .extend({
    authIn: z.enum(['header', 'query']).optional(),
    audioEncoding: z.enum(['AUTO_DETECT', 'LINEAR16', 'MP3', 'OGG_OPUS', 'FLAC']).optional(),
    job: z.union([z.boolean(), z.literal('auto')], "true, false or 'auto'").optional(),
    pollIntervalMs: positiveMs.optional(),
    jobTimeoutMs: positiveMs.optional(),
    requestTimeoutMs: positiveMs.max(MAX_REQUEST_MS).optional(),
    sourceTimeoutMs: positiveMs.optional(),
  })

/** Options checked, defaults filled in. */
export interface ResolvedFileOptions {
  local: boolean
  client: RestClientOptions
  transcribeConfig: Record<string, unknown>
  input?: PcmFormat
  job: boolean | 'auto'
  /** The direct request would leave them out. */
  speakerLabels: boolean
  pollIntervalMs: number
  jobTimeoutMs: number
  sourceTimeoutMs?: number
  signal?: AbortSignal
}

/** @throws TypeError, RangeError */
export function resolveFileOptions(options: TranscribeFileOptions): ResolvedFileOptions {
  checkShape(options)
  const { url = DEFAULT_REST_URL, input, job = false, retry = {} } = options
  const apiKey = options.apiKey ?? (url === DEFAULT_REST_URL ? process.env.INWORLD_API_KEY : undefined)
  if (url === DEFAULT_REST_URL && !apiKey) {
    throw new TypeError(
      "apiKey (or the environment variable INWORLD_API_KEY) is needed for the service; url: 'local' needs none",
    )
  }
  const { transcribeConfig: passed, ...typed } = pick(options, CONFIG_OPTIONS)
  const transcribeConfig: Record<string, unknown> = {
    modelId: DEFAULT_MODEL_ID,
    audioEncoding: options.audioEncoding ?? 'AUTO_DETECT',
    // Speakers are told word by word.
    includeWordTimestamps: options.includeWordTimestamps ?? options.enableSpeakerDiarization ?? false,
    ...typed,
    ...passed,
  }
  checkTranscribeConfig(transcribeConfig, WHOLE_FILE_ENCODINGS)
  const speakerLabels = transcribeConfig.enableSpeakerDiarization === true
  if (speakerLabels && job === false)
    throw new TypeError("enableSpeakerDiarization needs a job: set job to true or 'auto'")
  return {
    local: url === 'local',
    client: {
      baseUrl: url.replace(/\/+$/, ''),
      ...pick(options, ['authScheme', 'authIn', 'headers']),
      ...(apiKey !== undefined && { apiKey }),
      // Each call stands alone: none has a connection that an earlier one proved.
      retry: retry && { maxAttempts: 3, maxConnectAttempts: Infinity, ...retry },
      requestTimeoutMs: options.requestTimeoutMs ?? MAX_REQUEST_MS,
    },
    transcribeConfig,
    ...(input && { input }),
    job,
    speakerLabels,
    pollIntervalMs: options.pollIntervalMs ?? 2_000,
    jobTimeoutMs: options.jobTimeoutMs ?? 3_600_000,
    ...pick(options, ['sourceTimeoutMs', 'signal']),
  }
}

function checkShape(options: TranscribeFileOptions): void {
  const given: unknown = options
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`options must be an object; got ${given === null ? 'null' : typeof given}`)
  const issue = fileOptionSchema.safeParse(options, { reportInput: true }).error?.issues[0]
  if (issue) throw toMisuse(issue, options)
  const { url, input } = options
  if (url !== undefined && url !== 'local' && !isHttp(url))
    throw new TypeError("url must be an http: or https: URL or 'local'")
  if (!input) return
  checkPcmFormat(input, 'input')
  // Refuses what no WAV file holds.
  wavHeader(input)
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

import { checkChannelMix, gainsOf, type ChannelMixOptions } from './audio/channel-mix.js'
import type { DecodeOptions } from './audio/decode-options.js'
import type { FfmpegLimiter } from './audio/ffmpeg-limiter.js'
import { MIN_FRAME_MS } from './audio/frame.js'
import { checkPcmFormat, type PcmFormat } from './audio/pcm-format.js'
import type { ResampleOptions } from './audio/resample.js'
import type { ResamplerQuality } from './audio/resampler-quality.js'
import { optionSchema, toMisuse } from './option-schema.js'
import { changeTranscribeConfig, refuseOwnedFields, type ConfigChanges } from './stt/config-guard.js'
import type { ConnectionOptions } from './stt/connection-options.js'
import type { Fleet } from './stt/fleet.js'
import type { ContinuityOptions, SttSessionOptions } from './stt/session-options.js'
import type { TranscribeConfigOptions, WireTranscribeConfig } from './stt/transcribe-config.js'

/** The service's STT channel (protocol A1). */
export const DEFAULT_URL = 'wss://api.inworld.ai/stt/v1/transcribe:streamBidirectional'
export const DEFAULT_MODEL_ID = 'inworld/inworld-stt-1'
/**
 * The local server loads a model before it answers, and is as fast as this machine has time for it. Where its
 * recogniser hangs, its own deadlines say so first.
 */
const LOCAL_DEADLINES = { handshakeTimeoutMs: 120_000, finishTimeoutMs: 120_000, watchdogMs: 120_000 }

/**
 * Options of {@link sttStream}. The fields of `transcribeConfig` stand among them under their own names. All are
 * checked before anything opens: a wrong type or an unknown name throws TypeError, a value out of range
 * RangeError, each naming option, expectation and what came.
 */
export interface SttStreamOptions
  extends
    Omit<ConnectionOptions, 'url'>,
    ContinuityOptions,
    TranscribeConfigOptions,
    Pick<ChannelMixOptions, 'mix'> {
  /**
   * 'ws:' or 'wss:' URL of the STT channel, or 'local': a server of this process with the local recogniser, no
   * key and no internet. Default: the service.
   */
  url?: string
  /** Declares raw audio. 'auto' (default): the first bytes tell what it is. */
  input?: PcmFormat | 'auto'
  /**
   * Who decodes what is compressed. 'auto': mp3 and Opus in Ogg that are written are decoded in process, where
   * the optional packages for it are installed, all else by ffmpeg. 'ffmpeg': ffmpeg decodes everything that has a
   * header. Default 'auto'.
   */
  decoder?: 'auto' | 'ffmpeg'
  /** Where in the source to begin, in ms. The events' times stay those of the whole source. Default 0. */
  startMs?: number
  /** How much of the source to hear, in ms; then the stream ends by itself, as by {@link SttStream.stop}. Default: all. */
  durationMs?: number
  /** Look at the audio for what spoils transcripts (silence, clipping, a rate declared wrong …), and warn of it. Default true. */
  inspect?: boolean
  /** Reads this file instead of what is written, so that ffmpeg can seek in it; it must hold audio. Default: absent. */
  path?: string
  /** The ffmpeg to run. Default: environment variable FFMPEG_PATH, else that of the package ffmpeg-static, else the first in PATH. */
  ffmpegPath?: string
  /** How much of a seek-only file may be spooled to a temporary file, in bytes. Default 1 GiB. */
  spoolLimitBytes?: number
  /** How much ffmpeg leaves to others, 0 to 19: its niceness. Default: that of this process. */
  ffmpegNiceness?: number
  /** A limit on ffmpeg processes that this stream shares with others. Default: none. */
  ffmpegLimiter?: FfmpegLimiter
  /** The source is live: ffmpeg looks ahead 0.1 s before its first sample (MPEG-TS: 2 s), not up to 5 s. Default false. */
  live?: boolean
  /** The audio track to hear, counted from 0. Default: the one marked as default, else that with most channels. */
  track?: number
  /**
   * Hears the mean of these channels alone, counted from 0: `[0]` is the left one of a stereo pair. 'separate': each
   * channel has a session of its own, and the events say in `channel` whose they are. Default: the mean of all.
   */
  channels?: readonly number[] | 'separate'
  /**
   * With `channels: 'separate'`: how long a final may wait for another channel's that begins earlier, in ms; false =
   * as long as it takes. Default 5000.
   */
  mergeWaitMs?: number | false
  /**
   * What is kept of the band and what it costs: 'high' hears up to 94 % of half the rate; 'fast' takes a third of
   * the work and of the delay, for telephone calls and crowded hosts. Default 'high'.
   */
  resamplerQuality?: ResamplerQuality
  /** Duration of one audio message, an integer from 20 (`assemblyai/*`: 50) to 1000 ms. Default 100. */
  frameMs?: number
  /**
   * How fast audio leaves: 'realtime', a multiple of it (above 0), or false for as fast as it is taken; each frame
   * by its own deadline, counted from the first, up to 500 ms early. 'auto' (default): real time (times 1.001)
   * towards the service, so that a file is not sent faster than it would be spoken and a live source is never held
   * back; false towards the local server and loopback addresses.
   */
  pace?: 'auto' | 'realtime' | number | false
  /** Deliver interims too. Default true. */
  interimResults?: boolean
  /** Deliver word times on the events. Default false. */
  includeWordTimestamps?: boolean
  /** Unread results at which reading the service rests. Default 1000. */
  maxUnreadResults?: number
  /** Between `metrics` events, in ms; false = none. Default false. */
  metricsIntervalMs?: number | false
  /** Further fields of `transcribeConfig`, passed as they are. They win over the typed options. Default: none. */
  transcribeConfig?: Readonly<Record<string, unknown>>
  /** Limits and a circuit breaker that this stream shares with others. Default: none. */
  fleet?: Fleet
  /** Aborting destroys the stream with an AbortError. */
  signal?: AbortSignal
}

/**
 * A live source is never ahead of its own clock, so pacing does not hold it back, unless its clock runs faster than
 * ours; crystals differ by some 100 millionths at most.
 */
const AUTO_PACE_RATE = 1.001

/** The options that are fields of the service's config. */
export const CONFIG_OPTIONS = [
  'modelId',
  'language',
  'inactivityTimeoutSeconds',
  'endOfTurnConfidenceThreshold',
  'prompts',
  'enableSpeakerDiarization',
  'groqConfig',
  'assemblyaiConfig',
  'inworldSttV1Config',
  'sonioxConfig',
  'voiceProfileConfig',
  'transcribeConfig',
] as const satisfies (keyof ConfigChanges)[]
const DECODE_OPTIONS = [
  'decoder',
  'startMs',
  'durationMs',
  'inspect',
  'path',
  'ffmpegPath',
  'spoolLimitBytes',
  'ffmpegNiceness',
  'ffmpegLimiter',
  'live',
  'track',
] as const
const SESSION_OPTIONS = [
  'authScheme',
  'authIn',
  'headers',
  'agent',
  'handshakeTimeoutMs',
  'finishTimeoutMs',
  'closeGraceMs',
  'idleTimeoutMs',
  'pingIntervalMs',
  'pongTimeoutMs',
  'sendBufferMs',
  'keepAlive',
  'watchdogMs',
  'retry',
  'replayMs',
  'maxConnectionMs',
  'hibernateAfterMs',
  'maxManualTurnMs',
  'interimResults',
  'includeWordTimestamps',
  'maxUnreadResults',
] as const
/** What the pipeline sends of its own. */
const PIPELINE_CONFIG: WireTranscribeConfig = {
  modelId: DEFAULT_MODEL_ID,
  audioEncoding: 'LINEAR16',
  sampleRateHertz: 16_000,
  numberOfChannels: 1,
  // Word times are what proves how far the service has heard; events show them only when asked to.
  includeWordTimestamps: true,
}

/** Options checked, defaults filled in, sorted by room. */
export interface ResolvedOptions {
  decode: Omit<DecodeOptions, 'input'> & { input?: PcmFormat }
  resample: Omit<ResampleOptions, 'format' | 'signal'>
  /** Whether each channel has a session of its own. */
  separate: boolean
  mergeWaitMs: number | false
  frame: { frameMs: number; minFrameMs: number; startMs: number }
  /** Multiple of real time; false = not paced. */
  paceRate: number | false
  metricsIntervalMs: number | false
  local: boolean
  session: Omit<SttSessionOptions, 'url' | 'signal' | 'gate'> & { url: string }
  fleet?: Fleet
  signal?: AbortSignal
}

/** @throws TypeError, RangeError */
export function resolveOptions(options: SttStreamOptions = {}): ResolvedOptions {
  checkShape(options)
  const { url = DEFAULT_URL, frameMs = 100, pace = 'auto' } = options
  const config = changeTranscribeConfig(PIPELINE_CONFIG, pick(options, CONFIG_OPTIONS))
  const { modelId } = config
  const local = url === 'local'
  const loopback = local || isLoopback(url)
  const input = options.input === 'auto' ? undefined : options.input
  if (input) checkPcmFormat(input, 'input')
  const separate = options.channels === 'separate'
  if (separate && options.mix !== undefined)
    throw new TypeError("channels: 'separate' and mix exclude one another")
  const channels = options.channels === 'separate' ? undefined : options.channels
  checkChannelMix({ channels, mix: options.mix })
  if (input) gainsOf({ channels, mix: options.mix }, input.channels)
  const minFrameMs = modelId.startsWith('assemblyai/') ? 50 : MIN_FRAME_MS
  if (frameMs < minFrameMs)
    throw new RangeError(`frameMs must be at least ${minFrameMs} ms for ${modelId}; got ${frameMs}`)
  const apiKey = options.apiKey ?? (url === DEFAULT_URL ? process.env.INWORLD_API_KEY : undefined)
  if (url === DEFAULT_URL && !apiKey) {
    throw new TypeError(
      "apiKey (or the environment variable INWORLD_API_KEY) is needed for the service; url: 'local' needs none",
    )
  }
  return {
    decode: { ...pick(options, DECODE_OPTIONS), ...(input && { input }) },
    resample: { channels, mix: options.mix, quality: options.resamplerQuality },
    separate,
    mergeWaitMs: options.mergeWaitMs ?? 5_000,
    frame: { frameMs, minFrameMs, startMs: options.startMs ?? 0 },
    paceRate: pace === 'auto' ? (loopback ? false : AUTO_PACE_RATE) : pace === 'realtime' ? 1 : pace,
    metricsIntervalMs: options.metricsIntervalMs ?? false,
    local,
    session: {
      ...(local && LOCAL_DEADLINES),
      ...pick(options, SESSION_OPTIONS),
      ...(apiKey !== undefined && { apiKey }),
      url,
      config,
    },
    ...(options.fleet && { fleet: options.fleet }),
    ...(options.signal && { signal: options.signal }),
  }
}

/** @throws TypeError for options that are fixed from the start */
export function withConfigChanges(options: SttStreamOptions, changes: ConfigChanges): SttStreamOptions {
  const changeable: readonly string[] = CONFIG_OPTIONS
  const fixed = Object.keys(changes).find(name => !changeable.includes(name))
  if (fixed !== undefined)
    throw new TypeError(
      `'${fixed}' cannot be changed while the stream runs: only fields of the service's config can`,
    )
  // What was passed through wins over typed options, but not over what is changed now.
  const kept = Object.entries(options.transcribeConfig ?? {}).filter(([name]) => !(name in changes))
  const transcribeConfig = { ...Object.fromEntries(kept), ...changes.transcribeConfig }
  const changed = { ...options, ...changes, transcribeConfig }
  checkShape(changed)
  return changed
}

function checkShape(options: SttStreamOptions): void {
  const given: unknown = options
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`options must be an object; got ${given === null ? 'null' : typeof given}`)
  }
  refuseOwnedFields(options)
  const { error } = optionSchema.safeParse(options, { reportInput: true })
  const issue = error?.issues[0]
  if (issue) throw toMisuse(issue, options)
  const { url } = options
  if (url !== undefined && url !== 'local' && !/^wss?:$/.test(parseUrl(url)?.protocol ?? '')) {
    throw new TypeError("url must be a ws: or wss: URL or 'local'")
  }
}

/** The named members that are set: an explicit undefined would hide a default. */
export function pick<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.filter(name => options[name] !== undefined).map(name => [name, options[name]]),
  ) as Pick<T, K>
}

function parseUrl(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}

function isLoopback(url: string): boolean {
  const host = parseUrl(url)?.hostname ?? ''
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

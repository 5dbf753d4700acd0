/**
 * The fields of `transcribeConfig` that a caller may set (protocol A3.3), in the wire's own spelling, because
 * they are the service's words. `audioEncoding`, `sampleRateHertz` and `numberOfChannels` are the pipeline's
 * own: it always sends 16 kHz mono LINEAR16.
 */
export interface TranscribeConfigOptions {
  /** `{provider}/{model-name}`. The list grows, so any string passes. Default 'inworld/inworld-stt-1'. */
  modelId?: string
  /** BCP-47, e.g. 'en-US'. Default: absent, the model tries to detect it. */
  language?: string
  /** The service stops when the client sends no audio for this long, in s. Default: absent. */
  inactivityTimeoutSeconds?: number
  /** 0 to 1; higher = fewer premature turn ends, slower turns. Default: absent (the service's own). */
  endOfTurnConfidenceThreshold?: number
  /** Biasing terms: letters, digits, spaces and basic punctuation only. Default: absent. */
  prompts?: readonly string[]
  /** Labels the speaker of each word; the pipeline then asks for word times too. Default: absent. */
  enableSpeakerDiarization?: boolean
  /** Provider block for `groq/*` models. */
  groqConfig?: GroqConfig
  /** Provider block for `assemblyai/*` models. */
  assemblyaiConfig?: AssemblyaiConfig
  /** Provider block for `inworld/*` models. */
  inworldSttV1Config?: InworldSttV1Config
  /** Provider block for `soniox/*` models. */
  sonioxConfig?: SonioxConfig
  /** Asks for labels of age, emotion, pitch, vocal style and accent on finals. */
  voiceProfileConfig?: VoiceProfileConfig
}

/** Fields for `groq/*` models (protocol A3.3). */
export interface GroqConfig {
  /** 0 to 1; higher = more varied output. */
  temperature?: number
}

/** Fields for `assemblyai/*` models. `vadThreshold` 0 hands the turns to `endTurn()`. */
export interface AssemblyaiConfig {
  /** Silence that ends a turn once the model is confident, in ms. */
  minEndOfTurnSilenceWhenConfident?: number
  /** Silence that ends a turn whatever the model thinks, in ms. */
  maxTurnSilence?: number
  /** 0 to 1, service default 0.5. */
  vadThreshold?: number
  /** Instructions; Universal-3 Pro Streaming only. */
  prompt?: string
}

/** Fields for `inworld/*` models. */
export interface InworldSttV1Config {
  /** Silence that ends a turn once the model is confident, in ms. */
  minEndOfTurnSilenceWhenConfident?: number
  /** Silence that ends a turn whatever the model thinks, in ms: 20 to 5000, at least the minimum above. */
  maxTurnSilence?: number
  /** 0 to 1, service default 0.5; 0 = manual turns, ended by `endTurn()`. */
  vadThreshold?: number
}

/** Fields for `soniox/*` models. */
export interface SonioxConfig {
  /** Overrides `language` when set. */
  languageHints?: readonly string[]
  /** Prefers the hinted languages strongly. Default: absent. */
  languageHintsStrict?: boolean
  /** Semantic end-of-turn detection. */
  enableEndpointDetection?: boolean
  /** 500 to 5000 ms, service default 2000. */
  maxEndpointDelayMs?: number
  /** What the talk is about. */
  context?: {
    /** Domain, topic, intent … */
    general?: Readonly<Record<string, string>>
    /** Free background text. */
    text?: string
    /** Domain or rare words. */
    terms?: readonly string[]
  }
}

/** Asks how the speaker sounds; labels come with finals. */
export interface VoiceProfileConfig {
  /** Must be given in this block. */
  enableVoiceProfile: boolean
  /** Labels per class, 1 to 20; service default 10. */
  topN?: number
}

/** The whole message body as it goes over the wire. */
export type WireTranscribeConfig = TranscribeConfigOptions & {
  modelId: string
  audioEncoding: string
  sampleRateHertz: number
  numberOfChannels: number
  includeWordTimestamps: boolean
} & Record<string, unknown>

/** Whether the client ends turns (protocol A3.5). */
export function isManual({ inworldSttV1Config, assemblyaiConfig }: WireTranscribeConfig): boolean {
  return inworldSttV1Config?.vadThreshold === 0 || assemblyaiConfig?.vadThreshold === 0
}

export { sttStream, SttStream, type SttStreamStats } from './stt-stream.js'
export type { SttStreamOptions } from './options.js'
export { transcribe, type TranscribeOptions } from './transcribe.js'
export { transcribeFile } from './transcribe-file.js'
export type { TranscribeFileOptions } from './transcribe-file-options.js'
export type { Transcript } from './transcript.js'
export { openSource, type OpenedSource, type OpenSourceOptions } from './audio/open-source.js'
export type { AudioChunk } from './audio/source-bytes.js'
export type { AudioSource } from './audio/sources.js'
export type {
  DiagnosticChannel,
  DiagnosticError,
  DiagnosticMessages,
  DiagnosticStats,
  StreamMessage,
  StreamOutcome,
} from './diagnostics.js'
export { SttError, type SttErrorCode, type SttErrorDetails } from './errors.js'
export { Fleet, type DrainResult, type FleetEvents, type FleetStats, type FleetStream } from './stt/fleet.js'
export type { FleetOptions, WhenOpen } from './stt/fleet-options.js'
export type { BreakerOptions, CircuitState } from './stt/circuit-breaker.js'
export type { ConnectionGate, ConnectionPass } from './stt/connection-gate.js'
export type {
  SpeechStartedEvent,
  SpeechStoppedEvent,
  SttEvent,
  TranscriptionEvent,
  UnknownEvent,
  UsageEvent,
  VoiceProfile,
  WordTimestamp,
} from './stt/events.js'
export type { LatencySummary } from './stt/latency-histogram.js'
export { decode, Decoder } from './audio/decode.js'
export type { DecodedSource } from './audio/decode.js'
export type { Container } from './audio/sniff.js'
export type { DecodeOptions } from './audio/decode-options.js'
export { microphone, Microphone, type MicrophoneWarning } from './audio/microphone.js'
export { microphones, type MicrophoneDevice, type MicrophonesOptions } from './audio/microphone-list.js'
export type { MicrophoneOptions } from './audio/microphone-options.js'
export { FfmpegLimiter, type FfmpegLimiterOptions, type FfmpegLimiterStats } from './audio/ffmpeg-limiter.js'
export { resample, Resampler, type ResampleOptions, type ResampleWarning } from './audio/resample.js'
export type { ResamplerQuality } from './audio/resampler-quality.js'
export {
  ChannelSplitter,
  splitChannels,
  type ChannelOutput,
  type SplitChannelsOptions,
  type SplitChannelsWarning,
} from './audio/split-channels.js'
export {
  frame,
  Framer,
  type EndTurnMark,
  type Frame,
  type FrameOptions,
  type FrameOrMark,
} from './audio/frame.js'
export { pace, Pacer, type PaceClock, type PaceOptions } from './audio/pace.js'
export { PCM_ENCODINGS, type PcmEncoding, type PcmFormat } from './audio/pcm-format.js'
export { SttConnection } from './stt/connection.js'
export type { ConnectionOptions, SttConnectionOptions } from './stt/connection-options.js'
export type { RetryOptions } from './stt/retry-policy.js'
export type { ContinuityOptions, SessionStats } from './stt/session-options.js'
export type { ConfigChanges } from './stt/config-guard.js'
export type { ServerMessage, TranscriptionMessage } from './stt/protocol.js'
export type {
  AssemblyaiConfig,
  GroqConfig,
  InworldSttV1Config,
  SonioxConfig,
  TranscribeConfigOptions,
  VoiceProfileConfig,
  WireTranscribeConfig,
} from './stt/transcribe-config.js'
export { captions, type CaptionsOptions } from './captions/captions.js'
export { cuesOf, type Cue, type CueRules } from './captions/cues.js'
export { formatSrt } from './captions/srt.js'
export { formatVtt } from './captions/vtt.js'

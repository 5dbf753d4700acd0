/**
 * What leaves the stream: a union discriminated on `type`. Every time ends in `Ms` and stands on the source's
 * clock: ms since the first sample of the source, whatever the connections underneath did.
 */
export type SttEvent =
  TranscriptionEvent | SpeechStartedEvent | SpeechStoppedEvent | UsageEvent | UnknownEvent

/** What has been understood of a turn: an interim, or its final. */
export interface TranscriptionEvent {
  /** Tells the events apart. */
  type: 'transcription'
  /** The whole text of the turn so far; a later event of the same turn replaces it. */
  transcript: string
  /** Exactly one final ends each turn. */
  isFinal: boolean
  /** Holds from a turn's first interim to its final; counts up from 1, over all channels. */
  turnId: number
  /** Counts the delivered transcriptions of the stream from 1, over all channels, without gaps. */
  seq: number
  /** Start of the turn's first word, where the service gave times. */
  startMs?: number
  /** End of its last word so far. */
  endMs?: number
  /** Empty unless the option `includeWordTimestamps` is set and the service sends times. */
  wordTimestamps: WordTimestamp[]
  /** How the speaker sounds: with `voiceProfileConfig`, where the service gave labels. */
  voiceProfile?: VoiceProfile
  /** As the service spells it. */
  language?: string
  /** Counted from 0; only where each channel has its own session. */
  channel?: number
  /** The service closed with only an interim at hand: this final is that interim. */
  promoted?: true
  /** How much of this final lies before the end of an earlier one (replay, rotation), in ms. */
  overlapMs?: number
}

/** When a word was spoken. */
export interface WordTimestamp {
  word: string
  startMs: number
  endMs: number
  /** 0 to 1; absent where the service gave none. */
  confidence?: number
  /** With `enableSpeakerDiarization`: the service's label, '0' where it counts from 0. */
  speaker?: string
}

/** Classes ('age', 'emotion', 'pitch', 'vocalStyle', 'accent' and what may come), each sorted by falling confidence. */
export type VoiceProfile = Record<string, { label: string; confidence: number }[]>

/** Somebody began to speak. Some models send none. */
export interface SpeechStartedEvent {
  type: 'speechStarted'
  startMs: number
  /** 0 to 1. */
  confidence?: number
  /** As in {@link TranscriptionEvent}. */
  channel?: number
}

/** Voice activity paused. Not the end of a turn; it may come after the turn's final. */
export interface SpeechStoppedEvent {
  type: 'speechStopped'
  /** How much of the source had been sent when the service said so. */
  atMs: number
  /** How long nobody has spoken, as the service says. */
  silenceDurationMs: number
  /** As in {@link TranscriptionEvent}. */
  channel?: number
}

/** What the service counts. */
export interface UsageEvent {
  type: 'usage'
  /** Audio that the service counts so far, in ms; summed over connections, channels and messages. */
  transcribedAudioMs: number
  modelId?: string
}

/** A message kind that this version does not know, as it came. */
export interface UnknownEvent {
  type: 'unknown'
  message: unknown
  /** As in {@link TranscriptionEvent}. */
  channel?: number
}

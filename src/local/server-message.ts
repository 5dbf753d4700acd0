import type { VoiceProfile } from './recognizer.js'

/**
 * What the service says on the STT channel (protocol A3.4), in its baseline spelling. `fault-results.ts` may
 * change it; `result` is wrapped round it last.
 */
export type ServerMessage = TranscriptionMessage | SpeechStartedMessage | SpeechStoppedMessage | UsageMessage

export interface TranscriptionMessage {
  transcription: {
    transcript: string
    isFinal: boolean
    wordTimestamps: WireWord[]
    /** Absent where the client switched profiles off, null where it did not ask or nobody made one. */
    voiceProfile?: VoiceProfile | null
    /** Only where a recogniser tells one: no capture of the service shows it (protocol B7). */
    language?: string
  }
}

export interface WireWord {
  word: string
  confidence: number
  /** From the beginning of the connection's audio. */
  startTimeMs: number
  endTimeMs: number
}

export interface SpeechStartedMessage {
  speechStarted: { startTimeMs: number; confidence: number }
}

export interface SpeechStoppedMessage {
  speechStopped: { silenceDurationMs: number }
}

export interface UsageMessage {
  usage: { transcribedAudioMs: number; modelId: string }
}

/** A gRPC status, the form of every refusal: in an error frame and in the body of an HTTP answer. */
export interface Status {
  /** gRPC status number, not HTTP. */
  code: number
  message: string
}

export const INVALID_ARGUMENT = 3
export const NOT_FOUND = 5
export const PERMISSION_DENIED = 7
export const RESOURCE_EXHAUSTED = 8
export const UNIMPLEMENTED = 12
export const INTERNAL = 13
export const UNAVAILABLE = 14
export const UNAUTHENTICATED = 16

export function invalidArgument(message: string): Status {
  return { code: INVALID_ARGUMENT, message }
}

/** The body of an error: the service always lists details, and always none. */
export function statusBody({ code, message }: Status) {
  return { code, message, details: [] }
}

/**
 * What turns voiced audio into words, behind the local server. Voice activity and the end of a turn are
 * decided outside it (endpointer.ts), so that streaming decoders (pocketsphinx, sherpa-onnx) and whole-segment
 * ones fit alike. One session serves one connection, one utterance at a time.
 */
export interface Recognizer {
  /** Shown in logs and `serve`'s banner, e.g. 'pocketsphinx'. */
  readonly name: string
  /**
   * Takes a decoder for one connection.
   * @throws SttError STT_ERR_QUOTA when none is free; STT_ERR_RECOGNIZER_UNAVAILABLE when the engine cannot run here
   */
  open(options: RecognizerSessionOptions): Promise<RecognizerSession>
  /** Ends every child, thread and timer. Sessions still open fail. */
  close(): Promise<void>
}

/** What a client's config says to a recognizer. */
export interface RecognizerSessionOptions {
  /** BCP-47, as the client sent it; undefined where it sent none. */
  language?: string
  /** Biasing terms (`prompts` of the config). */
  prompts?: readonly string[]
  /** `modelId` of the config. */
  modelId?: string
}

/** A decoder that one connection has taken. */
export interface RecognizerSession {
  /** Called when the decoder dies (its process exits, its library fails): the session is lost, no other is. */
  onError: ((error: Error) => void) | undefined
  /**
   * Begins an utterance.
   * @param startMs where its first sample stands in the connection's audio, in ms
   */
  start(startMs?: number): void
  /**
   * Feeds audio of the current utterance: 16 kHz mono, any length. Resolves with the text so far once this
   * audio has been decoded ('' while nothing is recognised). Calls may overlap; they are decoded in order.
   * Rejects with STT_ERR_QUOTA, and does not take the audio, when more than 30 s wait to be decoded.
   */
  push(pcm: Int16Array): Promise<string>
  /** Ends the utterance. Word times count from its first sample. */
  finish(): Promise<RecognizedUtterance>
  /** Releases the decoder, mid-utterance too. Idempotent. */
  close(): Promise<void>
  /**
   * The session's own voice activity detector, used instead of the built-in one. Asked for once, before any
   * audio; it then sees the whole audio of the connection.
   */
  voiceActivity?(): VoiceActivity
}

/** A voice activity detector of the recognizer's own. */
export interface VoiceActivity {
  /** Takes 16 kHz mono audio of any length; returns one probability of speech, 0 to 1, per completed 10 ms. */
  process(pcm: Int16Array): Float32Array
}

/** What was understood of one utterance. */
export interface RecognizedUtterance {
  text: string
  words: RecognizedWord[]
  /** How the speaker sounds, sent only where the client asked for it. Default: nobody knows. */
  voiceProfile?: VoiceProfile
  /** The language that was heard, BCP-47. Default: nobody says. */
  language?: string
}

/** Labels of each class (age, emotion, pitch, vocalStyle, accent; protocol B5), the likeliest first. */
export type VoiceProfile = Readonly<Record<string, readonly { label: string; confidence: number }[]>>

/** One word of it; times in ms since the first sample of the utterance. */
export interface RecognizedWord {
  word: string
  startMs: number
  endMs: number
  /** 0 to 1. */
  confidence: number
}

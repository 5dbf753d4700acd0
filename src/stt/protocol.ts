import type { Base64Encoder } from '../audio/portable/base64.js'
import { SttError } from '../errors.js'
import type { VoiceProfile, WordTimestamp } from './events.js'
import {
  confidence,
  fieldsOf,
  fieldsOfEach,
  milliseconds,
  number,
  string,
  type Fields,
} from './json-fields.js'
import { grpcError } from './service-errors.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/**
 * Wire JSON ⇄ typed messages of the STT channel (protocol A3, B1, B5, B7). Pure: no clock, no I/O. What comes in
 * is read tolerantly: wrapped in `result` or bare, camelCase or snake_case, fields absent, null or as strings,
 * times in ms or seconds. What goes out keeps the events' promises: times and counts are finite and from 0, a
 * confidence lies between 0 and 1.
 */

/** One thing the service said. Times are ms since the first sample of this connection. */
export type ServerMessage =
  | TranscriptionMessage
  | { kind: 'speechStarted'; startMs: number; confidence?: number }
  | { kind: 'speechStopped'; silenceDurationMs: number }
  | { kind: 'usage'; transcribedAudioMs: number; modelId?: string }
  | { kind: 'error'; error: SttError }
  | { kind: 'unknown'; message: unknown }

/** What has been understood of a turn. */
export interface TranscriptionMessage {
  kind: 'transcription'
  transcript: string
  isFinal: boolean
  words: WordTimestamp[]
  voiceProfile?: VoiceProfile
  language?: string
  /** Silence at the end of the turn, in ms. */
  silenceDurationMs?: number
}

export const END_TURN = '{"endTurn":{}}'
export const CLOSE_STREAM = '{"closeStream":{}}'
const AUDIO_PREFIX = Buffer.from('{"audioChunk":{"content":"')
const AUDIO_SUFFIX = Buffer.from('"}}')

export function encodeConfig(config: WireTranscribeConfig): string {
  return JSON.stringify({ transcribeConfig: config })
}

/**
 * One frame as the bytes of its message: base64 holds nothing that JSON would escape. Every message gets memory
 * of its own, since ws keeps what the socket has not taken yet.
 */
export function encodeAudioChunk(pcm: Uint8Array, encodeBase64: Base64Encoder): Buffer {
  const base64Length = Math.ceil(pcm.length / 3) * 4
  const message = Buffer.allocUnsafe(AUDIO_PREFIX.length + base64Length + AUDIO_SUFFIX.length)
  encodeBase64(AUDIO_PREFIX, pcm, AUDIO_SUFFIX, message)
  return message
}

/**
 * Reads one text message; several kinds in one envelope become several messages.
 * @throws SttError STT_ERR_PROTOCOL when the text is not a JSON object
 */
export function parseServerMessage(text: string): ServerMessage[] {
  const parsed = parseJson(text)
  const message = asObject(parsed)
  const result = fieldsOf(message.result)
  const places = result ? [result, message] : [message]
  const error = readError(message) ?? (result && readError(result))
  if (error) return [{ kind: 'error', error }]

  const body = result ?? message
  const started = fieldsOf(body.speechStarted)
  const transcription = fieldsOf(body.transcription)
  const stopped = fieldsOf(body.speechStopped)
  const messages: ServerMessage[] = []
  if (started) messages.push(readSpeechStarted(started))
  if (transcription) messages.push(readTranscription([transcription, ...places]))
  if (stopped) {
    const silenceDurationMs = milliseconds(stopped, 'silenceDuration') ?? 0
    messages.push({ kind: 'speechStopped', silenceDurationMs })
  }
  const usages = places.flatMap(place => fieldsOfEach(place.usage))
  if (usages.length > 0) messages.push(readUsage(usages))
  return messages.length > 0 ? messages : [{ kind: 'unknown', message: parsed }]
}

/**
 * An answer that is no message of the channel, such as a job's.
 * @throws SttError STT_ERR_PROTOCOL when the text is not a JSON object
 */
export function parseAnswer(text: string): Fields {
  return asObject(parseJson(text))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the cause: V8 quotes the text it could not parse, and that may be what was said.
    const got = `got ${text.length} characters that are not`
    throw new SttError('STT_ERR_PROTOCOL', `Expected JSON from the service; ${got}`)
  }
}

function asObject(parsed: unknown): Fields {
  const fields = fieldsOf(parsed)
  if (fields) return fields
  throw new SttError('STT_ERR_PROTOCOL', 'Expected a JSON object from the service; got another value')
}

/** What describes a transcription may stand in it, beside it or beside its envelope (B5): the innermost counts. */
export function readTranscription(places: [transcription: Fields, ...outer: Fields[]]): TranscriptionMessage {
  const [fields] = places
  const voiceProfile = places.map(place => readVoiceProfile(place.voiceProfile)).find(Boolean)
  const language = places.map(readLanguage).find(Boolean)
  const silenceDurationMs = milliseconds(fields, 'silenceDuration')
  return {
    kind: 'transcription',
    transcript: string(fields.transcript) ?? '',
    isFinal: fields.isFinal === true,
    words: fieldsOfEach(fields.wordTimestamps)
      .map(readWord)
      .filter(word => word !== undefined),
    ...(voiceProfile && { voiceProfile }),
    ...(language !== undefined && { language }),
    ...(silenceDurationMs !== undefined && { silenceDurationMs }),
  }
}

/** Not seen in a capture; clients look for these names (B7). Empty is what protobuf writes for none. */
function readLanguage({ language, languageCode, detectedLanguage }: Fields): string | undefined {
  return [language, languageCode, detectedLanguage].map(string).find(Boolean)
}

/** A word without any time proves nothing and stands nowhere: it is left out. */
function readWord(fields: Fields): WordTimestamp | undefined {
  const start = milliseconds(fields, 'startTime')
  const end = milliseconds(fields, 'endTime')
  if (start === undefined && end === undefined) return undefined
  // A zero start may be omitted (protobuf JSON leaves zero values out).
  const startMs = start ?? 0
  const share = confidence(fields.confidence)
  const speaker = typeof fields.speaker === 'number' ? String(fields.speaker) : string(fields.speaker)
  return {
    word: string(fields.word) ?? '',
    startMs,
    endMs: Math.max(startMs, end ?? 0),
    ...(share !== undefined && { confidence: share }),
    ...(speaker && { speaker }),
  }
}

function readSpeechStarted(fields: Fields): ServerMessage {
  const share = confidence(fields.confidence)
  return {
    kind: 'speechStarted',
    startMs: milliseconds(fields, 'startTime') ?? 0,
    ...(share !== undefined && { confidence: share }),
  }
}

/** One message for all that one envelope holds, so that a long list floods no queue. */
export function readUsage(usages: Fields[]): Extract<ServerMessage, { kind: 'usage' }> {
  const durations = usages.map(
    usage => milliseconds(usage, 'transcribedAudio') ?? milliseconds(usage, 'duration') ?? 0,
  )
  const modelId = usages.map(usage => string(usage.modelId)).find(Boolean)
  return {
    kind: 'usage',
    transcribedAudioMs: durations.reduce((sum, ms) => sum + ms),
    ...(modelId !== undefined && { modelId }),
  }
}

/** Classes come and go (B5), so any that has labels is one. */
function readVoiceProfile(value: unknown): VoiceProfile | undefined {
  const classes = Object.entries(fieldsOf(value) ?? {}).map(
    ([name, labels]) => [name, fieldsOfEach(labels).flatMap(readLabel)] as const,
  )
  const named = classes.filter(([, labels]) => labels.length > 0)
  if (named.length === 0) return undefined
  return Object.fromEntries(
    named.map(([name, labels]) => [name, labels.toSorted((a, b) => b.confidence - a.confidence)]),
  )
}

function readLabel(fields: Fields): VoiceProfile[string] {
  const label = string(fields.label)
  return label ? [{ label, confidence: confidence(fields.confidence) ?? 0 }] : []
}

/**
 * Errors are `{error: {code, message}}` in the captures; clients also met `{error: 'text'}`, a flat
 * `{code, message}`, `result.error` and `result.status` (B1). Code 0 is no error, and only what is called one may
 * do without a code.
 */
function readError(fields: Fields): SttError | undefined {
  if (typeof fields.error === 'string' && fields.error !== '') return grpcError(undefined, fields.error)
  const error = fieldsOf(fields.error)
  const status = fieldsOf(fields.status)
  const { code: given, message } = error ?? status ?? fields
  const code = number(given)
  const text = string(message)
  if (code === 0) return undefined
  if (!error && code === undefined) return undefined
  if (!error && !status && text === undefined) return undefined
  return grpcError(code, text ?? 'the service gave no message')
}

import type { Base64Encoder } from '../audio/portable/base64.js'
import { SttError } from '../errors.js'
import type { VoiceProfile, WordTimestamp } from './events.js'
import { isRecord, number, string, type Fields } from './json-fields.js'
import { grpcError } from './service-errors.js'
import type { WireTranscribeConfig } from './transcribe-config.js'

/**
 * Wire JSON ⇄ typed messages of the STT channel (protocol A3, B1, B5, B7). Pure: no clock, no I/O. What comes in
 * is read tolerantly: wrapped in `result` or bare, camelCase or snake_case, fields absent, null or as strings.
 */

/** One thing the service said. Times are ms since the first sample of this connection. */
export type ServerMessage =
  | TranscriptionMessage
  | { kind: 'speechStarted'; startMs: number; confidence?: number }
  | { kind: 'speechStopped'; silenceDurationMs: number }
  | { kind: 'usage'; transcribedAudioMs: number; modelId?: string }
  | { kind: 'error'; error: SttError }
  | { kind: 'unknown'; message: unknown }

export interface TranscriptionMessage {
  kind: 'transcription'
  transcript: string
  isFinal: boolean
  words: WordTimestamp[]
  voiceProfile?: VoiceProfile
  language?: string
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
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // Without the cause: V8 quotes the text it could not parse, and that may be what was said.
    const got = `got ${text.length} characters that are not`
    throw new SttError('STT_ERR_PROTOCOL', `Expected JSON from the service; ${got}`)
  }
  if (!isRecord(parsed))
    throw new SttError('STT_ERR_PROTOCOL', 'Expected a JSON object from the service; got another value')
  const message = text.includes('_') ? (camelKeys(parsed) as Fields) : parsed
  const body = isRecord(message.result) ? message.result : message
  const error = readError(message) ?? readError(body)
  if (error) return [{ kind: 'error', error }]

  const messages: ServerMessage[] = []
  if (isRecord(body.speechStarted)) messages.push(readSpeechStarted(body.speechStarted))
  if (isRecord(body.transcription)) messages.push(readTranscription(body.transcription, body))
  if (isRecord(body.speechStopped)) {
    messages.push({
      kind: 'speechStopped',
      silenceDurationMs: number(body.speechStopped.silenceDurationMs) ?? 0,
    })
  }
  const usage = isRecord(body.usage) ? body.usage : isRecord(message.usage) ? message.usage : undefined
  if (usage) messages.push(readUsage(usage))
  return messages.length > 0 ? messages : [{ kind: 'unknown', message: parsed }]
}

function readTranscription(fields: Fields, body: Fields): TranscriptionMessage {
  const words = Array.isArray(fields.wordTimestamps) ? fields.wordTimestamps : []
  const profile = readVoiceProfile(fields.voiceProfile ?? body.voiceProfile)
  const language = string(fields.language) ?? string(fields.languageCode)
  return {
    kind: 'transcription',
    transcript: string(fields.transcript) ?? '',
    isFinal: fields.isFinal === true,
    words: words.flatMap(readWord),
    ...(profile && { voiceProfile: profile }),
    ...(language !== undefined && { language }),
  }
}

/** Word times come as `startTimeMs`, as `startTime` or as `startTimeSeconds`, the last two in seconds (B7). */
function readWord(value: unknown): WordTimestamp[] {
  if (!isRecord(value)) return []
  const startMs = readTimeMs(value, 'startTime')
  const endMs = readTimeMs(value, 'endTime')
  if (endMs === undefined) return []
  const confidence = number(value.confidence)
  const speaker = typeof value.speaker === 'number' ? String(value.speaker) : string(value.speaker)
  return [
    {
      word: string(value.word) ?? '',
      // A zero start may be omitted (protobuf JSON leaves zero values out).
      startMs: startMs ?? 0,
      endMs,
      ...(confidence !== undefined && { confidence }),
      ...(speaker !== undefined && { speaker }),
    },
  ]
}

function readTimeMs(fields: Fields, name: 'startTime' | 'endTime'): number | undefined {
  const ms = number(fields[`${name}Ms`])
  if (ms !== undefined) return ms
  const seconds = number(fields[name]) ?? number(fields[`${name}Seconds`])
  return seconds === undefined ? undefined : seconds * 1000
}

function readSpeechStarted(fields: Fields): ServerMessage {
  const confidence = number(fields.confidence)
  return {
    kind: 'speechStarted',
    startMs: number(fields.startTimeMs) ?? 0,
    ...(confidence !== undefined && { confidence }),
  }
}

function readUsage(fields: Fields): ServerMessage {
  const seconds = number(fields.durationSeconds)
  const modelId = string(fields.modelId)
  return {
    kind: 'usage',
    transcribedAudioMs: number(fields.transcribedAudioMs) ?? (seconds ?? 0) * 1000,
    ...(modelId !== undefined && { modelId }),
  }
}

function readVoiceProfile(value: unknown): VoiceProfile | undefined {
  if (!isRecord(value)) return undefined
  const profile: VoiceProfile = {}
  for (const [name, labels] of Object.entries(value)) {
    if (!Array.isArray(labels)) continue
    profile[name] = labels.filter(isRecord).map(entry => ({
      label: string(entry.label) ?? '',
      confidence: number(entry.confidence) ?? 0,
    }))
  }
  return profile
}

/**
 * Errors are `{error: {code, message}}` in the captures; clients also met `{error: 'text'}`, a flat
 * `{code, message}`, `result.error` and `result.status` (B1). A status with code 0 is no error.
 */
function readError(fields: Fields): SttError | undefined {
  if (typeof fields.error === 'string') return grpcError(undefined, fields.error)
  const candidate = isRecord(fields.error) ? fields.error : isRecord(fields.status) ? fields.status : fields
  const code = number(candidate.code)
  const text = string(candidate.message)
  if (candidate === fields && (code === undefined || text === undefined)) return undefined
  if (code === 0 || (code === undefined && candidate === fields.status)) return undefined
  return grpcError(code, text ?? 'the service gave no message')
}

/** `transcript_text` → `transcriptText`, at every depth. */
function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      camelKeys(inner),
    ]),
  )
}

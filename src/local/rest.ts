import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BYTES_PER_MS } from '../audio/pcm-format.js'
import { decode } from '../audio/decode.js'
import { resample } from '../audio/resample.js'
import { SttError } from '../errors.js'
import { linear16Samples } from './audio-input.js'
import { decodeBase64 } from './base64.js'
import { statusReply, type HttpReply } from './http-reply.js'
import { camelCaseFields, isJsonObject, parseJsonObject, type JsonObject } from './json-object.js'
import { openTranscriber } from './open-transcriber.js'
import type { Recognizer } from './recognizer.js'
import {
  RESOURCE_EXHAUSTED,
  UNAVAILABLE,
  INVALID_ARGUMENT,
  invalidArgument,
  type Status,
  type TranscriptionMessage,
} from './server-message.js'
import { StatusError, statusOf } from './status-error.js'
import { checkWholeFileRequest, type TranscribeRequest } from './transcribe-request.js'

export interface WholeFileOptions {
  recognizer: Recognizer
  maxBodyBytes: number
  /** Gives up the work: the client has left, or the server closes. */
  signal: AbortSignal
}

/** `POST /stt/v1/transcribe` (protocol B6): a whole file in, its whole transcript out. */
export async function transcribeWholeFile(
  request: IncomingMessage,
  options: WholeFileOptions,
): Promise<HttpReply> {
  const body = await readBody(request, options.maxBodyBytes)
  if (body === undefined) {
    const status = invalidArgument(`the body is longer than ${options.maxBodyBytes} bytes`)
    return { ...statusReply(413, status), headers: { connection: 'close' } }
  }
  try {
    const { audio, config } = parseBody(body)
    return { httpStatus: 200, body: await transcribe(audio, config, options) }
  } catch (error) {
    const status = explain(error)
    return statusReply(HTTP_STATUS[status.code] ?? 500, status)
  }
}

const HTTP_STATUS: Record<number, number> = {
  [INVALID_ARGUMENT]: 400,
  [RESOURCE_EXHAUSTED]: 429,
  [UNAVAILABLE]: 503,
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early must not destroy the socket that the refusal goes out on.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

/** The order of the checks is the service's own. */
function parseBody(body: string): { audio: Buffer; config: TranscribeRequest } {
  const object = parseJsonObject(body)
  if (object === undefined) throw refusal('proto: syntax error: a JSON object was expected')
  const { audioData, transcribeConfig } = camelCaseFields(object)
  if (!isJsonObject(audioData)) throw refusal('audio_data is required')
  if (!isJsonObject(transcribeConfig)) {
    throw refusal('invalid transcribe config: transcribe_config is required')
  }
  const checked = checkWholeFileRequest(transcribeConfig)
  if (!checked.ok) throw new StatusError(checked.status)
  return { audio: parseAudio(audioData), config: checked.value }
}

function parseAudio({ content }: JsonObject): Buffer {
  if (content === undefined || content === null || content === '') throw refusal('audio data is required')
  const audio = typeof content === 'string' ? decodeBase64(content) : undefined
  if (audio === undefined) throw refusal('proto: invalid value for bytes field content')
  return audio
}

async function transcribe(
  audio: Buffer,
  request: TranscribeRequest,
  { recognizer, signal }: WholeFileOptions,
) {
  const finals: TranscriptionMessage['transcription'][] = []
  const { session, transcriber } = await openTranscriber(recognizer, request, message => {
    if ('transcription' in message && message.transcription.isFinal) finals.push(message.transcription)
    return Promise.resolve()
  })
  const lost = new AbortController()
  session.onError = error => lost.abort(error)
  const stop = AbortSignal.any([signal, lost.signal])
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason as Error))
  })
  try {
    let bytes = 0
    const decoder = decode()
    const done = pipeline(
      Readable.from(slices(audio)),
      decoder,
      resample({ format: decoder }),
      async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) {
          bytes += chunk.length
          await transcriber.push(linear16Samples(chunk))
        }
        await transcriber.finish()
      },
      { signal: stop },
    )
    // pipeline() waits for the function at its end, and a dead decoder may leave that waiting for ever.
    await Promise.race([done, stopped])
    return answer(finals, bytes / BYTES_PER_MS, request.modelId)
  } finally {
    await session.close()
  }
}

function answer(finals: readonly TranscriptionMessage['transcription'][], audioMs: number, modelId: string) {
  const spoken = finals.map(({ transcript }) => transcript).filter(transcript => transcript !== '')
  return {
    transcription: {
      transcript: spoken.join(' '),
      isFinal: true,
      wordTimestamps: finals.flatMap(({ wordTimestamps }) => wordTimestamps),
      voiceProfile: null,
      silenceDurationMs: 0,
    },
    usage: { transcribedAudioMs: Math.round(audioMs), modelId },
  }
}

/** Keeps one stage from being handed 16 MB in one piece. */
function* slices(audio: Buffer): Generator<Buffer> {
  const sliceBytes = 64 * 1024
  for (let start = 0; start < audio.length; start += sliceBytes)
    yield audio.subarray(start, start + sliceBytes)
}

function refusal(message: string): StatusError {
  return new StatusError(invalidArgument(message))
}

function explain(error: unknown): Status {
  if (!(error instanceof SttError)) return statusOf(error)
  if (error.code === 'STT_ERR_DECODE' || error.code === 'STT_ERR_UNSUPPORTED_AUDIO') {
    return invalidArgument('unsupported audio format - only WAV, MP3, OGG, FLAC, M4A, and WebM are supported')
  }
  if (error.code === 'STT_ERR_FFMPEG_NOT_FOUND') return { code: UNAVAILABLE, message: error.message }
  return statusOf(error)
}

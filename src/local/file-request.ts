import type { IncomingMessage } from 'node:http'
import { decodeBase64 } from './base64.js'
import { camelCaseFields, isJsonObject, parseJsonObject, type JsonObject } from './json-object.js'
import { invalidArgument } from './server-message.js'
import { StatusError } from './status-error.js'
import { checkWholeFileRequest, type TranscribeRequest } from './transcribe-request.js'

/** A whole file as JSON: what is to be done, and the audio in base64. */
export interface FileRequest {
  config: TranscribeRequest
  audio: Buffer
}

/** @throws StatusError as the service refuses; HTTP 413 for a body of more than `maxBytes` */
export async function readFileRequest(request: IncomingMessage, maxBytes: number): Promise<FileRequest> {
  const object = parseJsonObject(await readBody(request, maxBytes))
  if (object === undefined) throw refusal('proto: syntax error: a JSON object was expected')
  // The order of the checks is the service's own.
  const { audioData, audioUri, transcribeConfig } = camelCaseFields(object)
  if (audioUri !== undefined)
    throw refusal('audio_uri: this server fetches nothing; send the audio as audio_data or as a form')
  if (!isJsonObject(audioData)) throw refusal('audio_data is required')
  return { config: checkedConfig(transcribeConfig), audio: parseAudio(audioData) }
}

/** @throws StatusError for what is missing or the service does not take */
export function checkedConfig(transcribeConfig: unknown): TranscribeRequest {
  if (!isJsonObject(transcribeConfig)) {
    throw refusal('invalid transcribe config: transcribe_config is required')
  }
  const checked = checkWholeFileRequest(transcribeConfig)
  if (!checked.ok) throw new StatusError(checked.status)
  return checked.value
}

export function refusal(message: string): StatusError {
  return new StatusError(invalidArgument(message))
}

export function tooLong(maxBytes: number): StatusError {
  return new StatusError(invalidArgument(`the body is longer than ${maxBytes} bytes`), 413)
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop early must not destroy the socket that the refusal goes out on.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) throw tooLong(maxBytes)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString()
}

function parseAudio({ content }: JsonObject): Buffer {
  if (content === undefined || content === null || content === '') throw refusal('audio data is required')
  const audio = typeof content === 'string' ? decodeBase64(content) : undefined
  if (audio === undefined) throw refusal('proto: invalid value for bytes field content')
  return audio
}

import { decodeBase64 } from './base64.js'
import { camelCaseFields, isJsonObject, parseJsonObject, type JsonObject } from './json-object.js'
import { invalidArgument, type Status } from './server-message.js'

/** One message of a client (protocol A3.2). */
export type ClientMessage =
  | { kind: 'transcribeConfig'; config: JsonObject }
  | { kind: 'audioChunk'; audio: Buffer }
  | { kind: 'endTurn' }
  | { kind: 'closeStream' }
  /** An object without a known key: protobuf JSON drops unknown fields, so nothing is left of it. */
  | { kind: 'unknown' }
  | { kind: 'invalid'; status: Status }

const KINDS = ['transcribeConfig', 'audioChunk', 'endTurn', 'closeStream'] as const

/** Reads a text frame: outer keys in camelCase or snake_case, exactly one of them. */
export function parseClientMessage(text: string): ClientMessage {
  const object = parseJsonObject(text)
  if (object === undefined) return invalid('proto: syntax error: a JSON object was expected')
  const message = camelCaseFields(object)
  const kinds = KINDS.filter(kind => Object.hasOwn(message, kind))
  const [kind] = kinds
  if (kind === undefined) return { kind: 'unknown' }
  if (kinds.length > 1) return invalid(`proto: one message holds one kind; got ${kinds.join(', ')}`)
  const payload = message[kind]
  if (!isJsonObject(payload)) return invalid(`proto: invalid value for message field ${kind}`)
  if (kind === 'transcribeConfig') return { kind, config: payload }
  if (kind === 'audioChunk') return audioChunk(payload)
  return { kind }
}

function audioChunk(payload: JsonObject): ClientMessage {
  const content = payload['content'] ?? ''
  const audio = typeof content === 'string' ? decodeBase64(content) : undefined
  return audio === undefined
    ? invalid('proto: invalid value for bytes field content')
    : { kind: 'audioChunk', audio }
}

function invalid(message: string): ClientMessage {
  return { kind: 'invalid', status: invalidArgument(message) }
}

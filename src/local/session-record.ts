import type { Authorization } from './auth.js'
import type { JsonObject } from './json-object.js'
import type { Status } from './server-message.js'

/** Messages kept one by one; further ones are only counted. */
const MAX_MESSAGES = 1000

/** What one connection sent and how it ended. It grows while the connection lives. */
export interface SessionRecord {
  /** 0-based number of its upgrade among all that reached the STT path; refused ones count, but leave no record. */
  readonly index: number
  /** How the client showed its credentials, never the credentials. */
  readonly authorization?: Authorization
  /** The first `transcribeConfig`, as received. */
  config?: JsonObject
  /** The first 1000 messages, in order. */
  readonly messages: SessionMessage[]
  /** All messages, those too that `messages` no longer holds. */
  messageCount: number
  /** All audio received after the config, in ms. */
  audioMs: number
  endTurns: number
  closeStream: boolean
  /** The error frame that was sent, by the server itself or by a fault. */
  error?: Status
  /** Set when the connection has ended. */
  closeCode?: number
}

export interface SessionMessage {
  kind: 'transcribeConfig' | 'audioChunk' | 'endTurn' | 'closeStream' | 'unknown' | 'invalid' | 'binary'
  /** Of an audio chunk after the config. */
  durationMs?: number
}

export function newSessionRecord(index: number, authorization?: Authorization): SessionRecord {
  return { index, authorization, messages: [], messageCount: 0, audioMs: 0, endTurns: 0, closeStream: false }
}

export function recordMessage(record: SessionRecord, message: SessionMessage): void {
  record.messageCount++
  if (record.messages.length < MAX_MESSAGES) record.messages.push(message)
  record.audioMs += message.durationMs ?? 0
  if (message.kind === 'endTurn') record.endTurns++
  if (message.kind === 'closeStream') record.closeStream = true
}

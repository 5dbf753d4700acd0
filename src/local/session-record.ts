import type { Authorization } from './auth.js'
import type { JsonObject } from './json-object.js'
import type { Status } from './server-message.js'

/** Messages kept one by one, of each side; further ones are only counted. */
const MAX_MESSAGES = 1000

export interface SessionRecordOptions {
  authorization?: Authorization
  webSocketExtensions?: string
  /** Audio to keep, in bytes. Default 0. */
  audioBytes?: number
}

/** What one connection sent and got, and how it ended. It grows while the connection lives. */
export class SessionRecord {
  /** 0-based number of its upgrade among all that reached the STT path; refused ones count, but leave no record. */
  readonly index: number
  /** How the client showed its credentials, never the credentials. */
  readonly authorization?: Authorization
  /** What the client offered in `sec-websocket-extensions`; undefined where it offered none. */
  readonly webSocketExtensions?: string
  /** The first `transcribeConfig`, as received. */
  config?: JsonObject
  /** The first 1000 messages, in order. */
  readonly messages: SessionMessage[] = []
  /** All messages, those too that `messages` no longer holds. */
  messageCount = 0
  /** All audio received after the config, in ms. */
  audioMs = 0
  endTurns = 0
  closeStream = false
  /** The first 1000 messages to the client, as they were spelled. */
  readonly sent: unknown[] = []
  /** The error frame that was sent, by the server itself or by a fault. */
  error?: Status
  /** Set when the connection has ended. */
  closeCode?: number
  readonly #audioCapacity: number
  readonly #audio: Buffer[] = []
  #audioBytes = 0

  /** @internal */
  constructor(index: number, options: SessionRecordOptions = {}) {
    this.index = index
    this.authorization = options.authorization
    this.webSocketExtensions = options.webSocketExtensions
    this.#audioCapacity = options.audioBytes ?? 0
  }

  /**
   * The audio that the server accepted, byte for byte: of every chunk that came after the config, was of an accepted
   * duration, and met neither an error nor the end of the stream.
   * @throws Error without the server's option `recordAudio`, or where more came than that keeps
   */
  audio(): Buffer {
    if (this.#audioCapacity === 0) throw new Error('no audio is recorded: set recordAudio on the server')
    if (this.#audioBytes > this.#audioCapacity) {
      throw new Error(
        `recordAudio keeps ${this.#audioCapacity} bytes; session ${this.index} got ${this.#audioBytes}`,
      )
    }
    return Buffer.concat(this.#audio)
  }

  /** @internal */
  addMessage(message: SessionMessage): void {
    this.messageCount++
    if (this.messages.length < MAX_MESSAGES) this.messages.push(message)
    this.audioMs += message.durationMs ?? 0
    if (message.kind === 'endTurn') this.endTurns++
    if (message.kind === 'closeStream') this.closeStream = true
  }

  /** @internal */
  addAudio(audio: Buffer): void {
    this.#audioBytes += audio.length
    if (this.#audioBytes <= this.#audioCapacity) this.#audio.push(audio)
    else this.#audio.length = 0
  }

  /** @internal */
  addSent(message: unknown): void {
    if (this.sent.length < MAX_MESSAGES) this.sent.push(message)
  }
}

/** One message of the client. */
export interface SessionMessage {
  kind: 'transcribeConfig' | 'audioChunk' | 'endTurn' | 'closeStream' | 'unknown' | 'invalid' | 'binary'
  /** Of an audio chunk after the config. */
  durationMs?: number
}

import type { Agent, IncomingMessage } from 'node:http'
import { WebSocket, type RawData } from 'ws'
import type { UpgradeCredentials } from './auth.js'

/**
 * One WebSocket, told in facts: what opened, came, was taken and how it ended. What they mean is the
 * dialogue's business (stt/connection.ts). Its end is told once, by `onEnd`, after every message that had
 * arrived: a send that fails because the service has closed does not overtake the service's own words.
 *
 *   connecting ──open──► open ──close()──► closing ──► ended
 *        └────refused, failed, timed out, terminate()────┘
 */
export interface WireSocketOptions {
  url: string
  credentials: UpgradeCredentials
  /** Further upgrade headers. */
  headers?: Readonly<Record<string, string>>
  /** For proxies and custom TLS. */
  agent?: Agent
  /** From the first SYN to the upgrade's answer, in ms. */
  handshakeTimeoutMs: number
  /** Between pings, in ms; false = no pings. */
  pingIntervalMs: number | false
  /** How long after a ping nothing at all may come, in ms. */
  pongTimeoutMs: number
  /** Unsent bytes above which `send` holds its callback back. */
  highWaterMarkBytes: number
  /** Larger messages end the socket. */
  maxMessageBytes: number
  /** How long the closing handshake may take before the TCP connection is cut, in ms. */
  closeTimeoutMs: number
}

export interface WireSocketListener {
  onOpen(): void
  onMessage(data: Buffer, isBinary: boolean): void
  /** The answer to a `ping()`. */
  onPong?(id: string): void
  /** A message was handed to the socket, with this much payload. */
  onSend(bytes: number): void
  onEnd(end: SocketEnd): void
}

export type SocketEnd =
  | { kind: 'closed'; code: number }
  | { kind: 'refused'; status: number; headers: IncomingMessage['headers']; body: string }
  | { kind: 'failed'; cause: Error }
  | { kind: 'oversized'; cause: Error }
  | { kind: 'handshake-timeout' }
  | { kind: 'ping-timeout' }

/** Enough of a refusal's body for its JSON; the rest is not read. */
const MAX_REFUSAL_BYTES = 16_384

export class WireSocket {
  readonly #options: WireSocketOptions
  readonly #listener: WireSocketListener
  readonly #ws: WebSocket
  #end: SocketEnd | undefined
  #ended = false
  #handshakeTimer: NodeJS.Timeout | undefined
  #pingTimer: NodeJS.Timeout | undefined
  #lastLook: NodeJS.Immediate | undefined
  #closeTimer: NodeJS.Timeout | undefined
  #awaitingRoom: (() => void) | undefined

  constructor(options: WireSocketOptions, listener: WireSocketListener) {
    this.#options = options
    this.#listener = listener
    const { credentials } = options
    const url = new URL(options.url)
    for (const [name, value] of Object.entries(credentials.query)) url.searchParams.set(name, value)
    // URLSearchParams writes a space as '+', which not every server reads back as a space.
    url.search = url.search.replaceAll('+', '%20')
    this.#ws = new WebSocket(url, credentials.protocols, {
      headers: { ...options.headers, ...credentials.headers },
      agent: options.agent,
      maxPayload: options.maxMessageBytes,
      perMessageDeflate: false,
    })
    // The handshake decides the stream's outcome, so this timer keeps the process alive.
    this.#handshakeTimer = setTimeout(
      () => this.#fail({ kind: 'handshake-timeout' }),
      options.handshakeTimeoutMs,
    )
    this.#ws.on('open', () => this.#onOpen())
    this.#ws.on('message', (data: RawData, isBinary) => listener.onMessage(toBuffer(data), isBinary))
    this.#ws.on('unexpected-response', (_request, response) => this.#onRefusal(response))
    // Listeners stay on a socket that is torn down: ws reports a close in CONNECTING as an error.
    this.#ws.on('error', (cause: Error & { code?: string }) => {
      this.#end ??= {
        kind: cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'oversized' : 'failed',
        cause,
      }
    })
    this.#ws.on('close', code => this.#onClose(code))
  }

  /** Bytes accepted by `send` and not yet taken by the operating system. */
  get bufferedBytes(): number {
    return this.#ws.bufferedAmount
  }

  /**
   * Sends one text message. `taken` is called when the unsent bytes are below the high-water mark; it is
   * dropped when the socket ends first. One caller at a time waits: the next message comes after `taken`.
   */
  send(text: string | Buffer, taken?: () => void): void {
    // A send on a socket that the peer has closed fails here; `onEnd` tells why, after the unread messages.
    this.#ws.send(text, { binary: false }, () => this.#releaseWaiting())
    this.#listener.onSend(Buffer.byteLength(text))
    if (!taken) return
    this.#awaitingRoom = taken
    if (this.#ws.bufferedAmount <= this.#options.highWaterMarkBytes)
      process.nextTick(() => this.#releaseWaiting())
  }

  /** Answered, in order, once the peer has read what was sent before. */
  ping(id: string): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping(id)
  }

  get paused(): boolean {
    return this.#ws.isPaused
  }

  /** Stops reading, and with it the pong deadline, which an unread pong would miss. */
  pause(): void {
    if (this.#ws.isPaused || this.#ws.readyState !== WebSocket.OPEN) return
    this.#ws.pause()
    this.#stopPinging()
  }

  resume(): void {
    if (!this.#ws.isPaused) return
    this.#ws.resume()
    this.#schedulePing()
  }

  /** Closes in peace: code 1000, then the TCP connection is cut after `closeTimeoutMs`. */
  close(): void {
    if (this.#ended) return
    this.resume()
    this.#ws.close(1000)
    this.#closeTimer ??= setTimeout(() => this.#ws.terminate(), this.#options.closeTimeoutMs)
  }

  /** Cuts the connection now. */
  terminate(): void {
    clearTimeout(this.#handshakeTimer)
    this.#ws.terminate()
  }

  #onOpen(): void {
    clearTimeout(this.#handshakeTimer)
    this.#schedulePing()
    // Whatever comes is a sign of life: a pong waits behind all the audio that the service has not read yet.
    for (const sign of ['message', 'ping', 'pong']) this.#ws.on(sign, () => this.#schedulePing())
    this.#ws.on('pong', data => this.#listener.onPong?.(data.toString()))
    this.#listener.onOpen()
  }

  /** The status is the end; its body is read as far as it comes before the handshake deadline. */
  #onRefusal(response: IncomingMessage): void {
    const refusal = {
      kind: 'refused' as const,
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: '',
    }
    this.#end ??= refusal
    const finish = () => this.#ws.terminate()
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      refusal.body += text
      if (refusal.body.length > MAX_REFUSAL_BYTES) finish()
    })
    response.once('end', finish)
    response.once('error', finish)
  }

  #schedulePing(): void {
    this.#stopPinging()
    const { pingIntervalMs, pongTimeoutMs } = this.#options
    if (pingIntervalMs === false || this.#ws.readyState !== WebSocket.OPEN || this.#ws.isPaused) return
    this.#pingTimer = setTimeout(() => {
      this.#ws.ping()
      this.#pingTimer = setTimeout(() => this.#lookOnceMore(), pongTimeoutMs).unref()
    }, pingIntervalMs).unref()
  }

  /** Where this process was busy or asleep, the sign of life may lie unread: one round of reading comes first. */
  #lookOnceMore(): void {
    this.#lastLook = setImmediate(() => this.#fail({ kind: 'ping-timeout' }))
  }

  #stopPinging(): void {
    clearTimeout(this.#pingTimer)
    clearImmediate(this.#lastLook)
  }

  #releaseWaiting(): void {
    if (!this.#awaitingRoom || this.#ws.bufferedAmount > this.#options.highWaterMarkBytes) return
    if (this.#ws.readyState !== WebSocket.OPEN) return
    const taken = this.#awaitingRoom
    this.#awaitingRoom = undefined
    taken()
  }

  #fail(end: SocketEnd): void {
    this.#end ??= end
    this.#ws.terminate()
  }

  #onClose(code: number): void {
    this.#ended = true
    this.#awaitingRoom = undefined
    clearTimeout(this.#handshakeTimer)
    this.#stopPinging()
    clearTimeout(this.#closeTimer)
    // After a proper close frame a failure is only the TCP connection's own end.
    const closedProperly = code !== 1006 && this.#end?.kind === 'failed'
    this.#listener.onEnd(this.#end && !closedProperly ? this.#end : { kind: 'closed', code })
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

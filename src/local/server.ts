import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { SttError } from '../errors.js'
import { authorizationOf, authorize } from './auth.js'
import type { ErrorFault } from './error-fault.js'
import { faultsFor, type Faults } from './faults.js'
import { refuseUpgrade, sendReply, statusReply, type HttpReply } from './http-reply.js'
import { faultyLink } from './link-fault.js'
import type { Recognizer } from './recognizer.js'
import { RestApi, type RestRoute } from './rest.js'
import { NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from './server-message.js'
import { checkServerOptions, type CheckedServerOptions, type LocalServerOptions } from './server-options.js'
import { SessionRecord } from './session-record.js'
import { SttChannel } from './stt-channel.js'
import { startTimer, Timers } from './timer.js'
import { strikeUpgrade } from './upgrade-fault.js'
import { webSocketServer } from './web-sockets.js'

const STREAM_PATH = '/stt/v1/transcribe:streamBidirectional'

/** Records of connections kept; older ones leave. */
const MAX_SESSIONS = 100

/** Silence on a connection after which TCP asks whether the other side is still there, in ms. */
const KEEP_ALIVE_MS = 30_000

/** How long close() waits for decoders to be given back, in ms. */
const CLOSE_TIMEOUT_MS = 5_000

/**
 * Starts a server that speaks the service's protocol: the STT channel, and whole files by REST.
 * @throws TypeError or RangeError for a bad option; SttError STT_ERR_LISTEN where the address cannot be had,
 * STT_ERR_RECOGNIZER_UNAVAILABLE where the default recogniser cannot run here
 */
export async function startLocalServer(options: LocalServerOptions = {}): Promise<LocalServer> {
  const checked = checkServerOptions(options)
  const recognizer = options.recognizer ?? (await defaultRecognizer())
  const server = new LocalServer({ ...checked, recognizer, ownsRecognizer: options.recognizer === undefined })
  try {
    await server.listen()
  } catch (error) {
    await server.close()
    throw error
  }
  return server
}

async function defaultRecognizer(): Promise<Recognizer> {
  const { pocketsphinxRecognizer } = await import('./recognizers/pocketsphinx.js')
  return pocketsphinxRecognizer()
}

interface LocalServerEvents {
  /** A connection is open; its record grows from now on. */
  connection: [record: SessionRecord]
  /** A connection has ended; its record is complete. */
  session: [record: SessionRecord]
}

/** A running server. It keeps the process alive until `close()` or `unref()`. */
export class LocalServer extends EventEmitter<LocalServerEvents> {
  /** What the last 100 connections sent, oldest first; refused upgrades have no record. */
  readonly sessions: SessionRecord[] = []
  readonly #options: CheckedServerOptions & { recognizer: Recognizer; ownsRecognizer: boolean }
  readonly #http: Server
  readonly #rest: RestApi
  readonly #timers: Timers
  readonly #sockets = new Set<Duplex>()
  /** Streams and REST calls under way. */
  readonly #work = new Set<Promise<void>>()
  #upgrades = 0
  #closed: Promise<void> | undefined

  /** @internal */
  constructor(options: CheckedServerOptions & { recognizer: Recognizer; ownsRecognizer: boolean }) {
    super()
    this.#options = options
    this.#timers = new Timers(options.startTimer ?? startTimer)
    this.#rest = new RestApi(options)
    // TCP's own probes find a client that has vanished, and none that is only slow to read.
    const probing = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
    this.#http = createServer(probing, (request, response) => this.#onRequest(request, response))
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head))
  }

  /** Address of the STT channel. */
  get url(): string {
    return `ws://${this.#authority}${STREAM_PATH}`
  }

  /** Base address of the REST calls, without a slash at the end. */
  get httpUrl(): string {
    return `http://${this.#authority}`
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#http.address() as AddressInfo | null)?.port ?? this.#options.port
  }

  /** Name of the recogniser at work. */
  get recognizerName(): string {
    return this.#options.recognizer.name
  }

  /** @internal */
  async listen(): Promise<void> {
    const { port, host } = this.#options
    try {
      this.#http.listen(port, host)
      await once(this.#http, 'listening')
    } catch (cause) {
      throw listenError(cause, host, port)
    }
  }

  /** From now on the server alone does not keep the process alive; connections still do. */
  unref(): void {
    this.#http.unref()
  }

  /**
   * Cuts every connection and resolves when sockets, timers and the server's own recogniser are gone. A recogniser
   * that was passed in stays open. Idempotent.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** As `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { recognizer, ownsRecognizer } = this.#options
    const stopped = new Promise<void>(resolve => this.#http.close(() => resolve()))
    this.#http.closeAllConnections()
    for (const socket of this.#sockets) socket.destroy()
    this.#timers.cancelAll()
    const released = async () => {
      await Promise.allSettled([stopped, ...this.#work, this.#rest.close()])
      if (ownsRecognizer) await recognizer.close()
    }
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>(resolve => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
    })
    await Promise.race([released(), deadline]).finally(() => clearTimeout(timer))
  }

  get #authority(): string {
    const { host } = this.#options
    // The addresses that mean "all of this machine's" are none that a client could connect to.
    const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${this.port}`
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (pathOf(request) !== STREAM_PATH) {
      refuseUpgrade(socket, NOT_FOUND_REPLY)
      return
    }
    const index = this.#upgrades++
    const faults = faultsFor(this.#options.faults, index)
    strikeUpgrade(faults.upgrade ?? {}, socket, this.#timers, () => {
      const refusal = this.#authorize(request)
      const inSocket = refusal === FULL_REPLY && faults.overLimit === 'socket'
      if (refusal !== undefined && !inSocket) refuseUpgrade(socket, refusal)
      else this.#openChannel(request, socket, head, index, inSocket ? { error: FULL_ERROR } : faults)
    })
  }

  #openChannel(request: IncomingMessage, socket: Duplex, head: Buffer, index: number, faults: Faults): void {
    const { recognizer, limits } = this.#options
    const link = faultyLink(socket, faults.link, this.#timers)
    webSocketServer(faults, limits.maxMessageBytes).handleUpgrade(request, link, head, webSocket => {
      const record = new SessionRecord(index, {
        authorization: authorizationOf(request),
        webSocketExtensions: request.headers['sec-websocket-extensions'],
        audioBytes: this.#options.recordAudio,
      })
      this.sessions.push(record)
      if (this.sessions.length > MAX_SESSIONS) this.sessions.shift()
      const channel = new SttChannel(webSocket, {
        recognizer,
        limits,
        record,
        faults,
        startTimer: this.#options.startTimer ?? startTimer,
      })
      this.emit('connection', record)
      void this.#track(channel.ended).then(() => this.emit('session', record))
    })
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request)
    const route = this.#rest.route(path)
    if (path === STREAM_PATH) sendReply(response, UPGRADE_REPLY)
    else if (!route) sendReply(response, NOT_FOUND_REPLY)
    else if (request.method !== route.method) sendReply(response, notAllowedReply(route))
    else {
      const refusal = route.open ? undefined : this.#authorize(request)
      if (refusal) sendReply(response, refusal)
      else void this.#track(this.#answer(route, request, response))
    }
  }

  /** Credentials first: who may not enter is not told how full it is. */
  #authorize(request: IncomingMessage): HttpReply | undefined {
    const decision = authorize(request, this.#options.apiKey)
    if (!decision.ok) return statusReply(decision.httpStatus, decision.status)
    return this.#work.size >= this.#options.limits.maxConnections ? FULL_REPLY : undefined
  }

  async #answer(route: RestRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.on('close', () => left.abort())
    const reply = await route.answer(request, left.signal)
    if (!left.signal.aborted) sendReply(response, reply)
  }

  /** Resolves when the work is done, whatever became of it, and its place is free again. */
  #track(work: Promise<void>): Promise<void> {
    // A client that leaves in the middle of its body ends the work with an error that nobody waits for.
    const settled = work.catch(() => {}).finally(() => this.#work.delete(settled))
    this.#work.add(settled)
    return settled
  }
}

const NOT_FOUND_REPLY = statusReply(404, { code: NOT_FOUND, message: 'Not Found' })
const UPGRADE_REPLY: HttpReply = {
  ...statusReply(426, { code: UNIMPLEMENTED, message: 'this path takes WebSocket upgrades only' }),
  headers: { upgrade: 'websocket' },
}
const FULL_STATUS = { code: RESOURCE_EXHAUSTED, message: 'the limit of concurrent streams is reached' }
const FULL_REPLY = statusReply(429, FULL_STATUS)
const FULL_ERROR: ErrorFault = { ...FULL_STATUS, at: 'open' }

function notAllowedReply({ method }: RestRoute): HttpReply {
  return {
    ...statusReply(405, { code: UNIMPLEMENTED, message: 'Method Not Allowed' }),
    headers: { allow: method },
  }
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/'
}

function listenError(cause: unknown, host: string, port: number): SttError {
  const code = (cause as NodeJS.ErrnoException).code
  const remedy =
    code === 'EADDRINUSE'
      ? 'stop what listens there, or choose another port (0 picks a free one)'
      : code === 'EACCES'
        ? 'choose a port above 1023, or allow this user to bind it'
        : 'check host and port'
  return new SttError(
    'STT_ERR_LISTEN',
    `cannot listen on ${host} port ${port} (${code ?? 'unknown'}): ${remedy}`,
    { cause },
  )
}

import { once, setMaxListeners } from 'node:events'
import { addAbortSignal, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { SttError } from '../errors.js'
import { answerOfResponse, checkStatus, shownUrl, type HttpAnswer } from './http-answer.js'
import { bodyBytes, continuesAt, isLive, resumableVersion } from './http-entity.js'
import { causeOf, httpGet } from './http-get.js'

/** Attempts in a row that bring no byte. */
const MAX_ATTEMPTS = 5
/** Before the second of them, in ms; it doubles each time. */
const FIRST_DELAY_MS = 100

/** Who is asked for a body. */
export interface HttpOrigin {
  /** What errors call it. */
  name: string
  /** @returns rejects with STT_ERR_SOURCE for every answer without a body */
  get(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer>
  /** Whether it can be asked again. */
  again: boolean
}

export function originOfUrl(url: URL): HttpOrigin {
  return { name: shownUrl(url), again: true, get: (headers, signal) => httpGet(url, headers, signal) }
}

/** A Response that somebody has: what it answers cannot be asked again. */
export function originOfResponse(response: Response): HttpOrigin {
  const name = URL.canParse(response.url) ? shownUrl(new URL(response.url)) : 'a Response'
  return { name, again: false, get: () => Promise.resolve(checkStatus(answerOfResponse(response), name)) }
}

export interface HttpSourceOptions {
  /** How long no byte may come while somebody waits for one, in ms. */
  timeoutMs: number
  signal?: AbortSignal
}

/**
 * The body of an answer by HTTP, read no faster than it is used. A connection that breaks is replaced by a range
 * request for the rest, where the server serves ranges and names a version that is still the same; elsewhere, and
 * where the body is shorter than announced, the stream fails: what ends well is whole. A body without a length, over
 * a connection that is closed at its end, is the exception that HTTP makes.
 *
 * Errors: STT_ERR_SOURCE, AbortError.
 */
export class HttpSource extends Readable {
  readonly #origin: HttpOrigin
  readonly #timeoutMs: number
  readonly #stop = new AbortController()
  #body: Readable | undefined
  #chunks: AsyncIterator<Buffer, undefined> | undefined
  /** Of the first answer. */
  #headers = new Headers()
  /** Of the body, where the rest of it can be asked for. */
  #version: string | undefined
  #bytesRead = 0
  #attempts = 0

  constructor(origin: HttpOrigin, { timeoutMs, signal }: HttpSourceOptions) {
    super()
    this.#origin = origin
    this.#timeoutMs = timeoutMs
    // Not an option of super(): a signal aborted already would call _destroy before the fields exist.
    if (signal) {
      setMaxListeners(0, signal)
      addAbortSignal(signal, this)
    }
  }

  /** Whether the body is being made while it is sent. Known once the source is open. */
  get live(): boolean {
    return isLive(this.#headers)
  }

  /**
   * Asks for the body; to be called once, before anything is read.
   * @returns resolves when the headers have come; rejects with the error that the stream is destroyed with
   */
  async open(): Promise<void> {
    void this.#withinDeadline(async () => {
      const answer = await this.#origin.get({}, this.#stop.signal)
      this.#headers = answer.headers
      if (this.#origin.again) this.#version = resumableVersion(answer.headers)
      this.#chunks = this.#take(answer)
      this.emit('open')
    })
    await once(this, 'open')
  }

  override _read(): void {
    void this.#withinDeadline(async () => {
      this.push(await this.#next())
    })
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stop.abort()
    this.#body?.destroy()
    callback(error)
  }

  /** Gives the next bytes, or null at the end of the body. */
  async #next(): Promise<Buffer | null> {
    for (;;) {
      try {
        this.#chunks ??= await this.#resume()
        const { value, done } = await this.#chunks.next()
        if (done && this.#isWhole()) return null
        if (done) throw new Error('the rest is missing')
        if (value.length === 0) continue
        this.#bytesRead += value.length
        this.#attempts = 0
        return value
      } catch (error) {
        this.#chunks = undefined
        const failure = error instanceof SttError ? error : this.#brokenOff(error)
        if (this.#version === undefined || !failure.retryable || ++this.#attempts > MAX_ATTEMPTS)
          throw failure
        // The first of them at once: it was an idle connection that the server has closed.
        if (this.#attempts > 1)
          await delay(FIRST_DELAY_MS * 2 ** (this.#attempts - 2), undefined, { signal: this.#stop.signal })
      }
    }
  }

  /** A body that comes too late is not kept. */
  #take({ body }: HttpAnswer): AsyncIterator<Buffer, undefined> {
    this.#body = body
    // What it fails with before it is read, the iterator tells as soon as it is.
    body.on('error', () => {})
    if (this.destroyed) body.destroy()
    return body[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  }

  async #resume(): Promise<AsyncIterator<Buffer, undefined>> {
    const version = this.#version ?? ''
    const rest = { range: `bytes=${this.#bytesRead}-`, 'if-range': version }
    const answer = await this.#origin.get(rest, this.#stop.signal)
    if (continuesAt(answer, this.#bytesRead, version)) return this.#take(answer)
    answer.body.destroy()
    // From here on there is nothing to continue.
    this.#version = undefined
    throw this.#brokenOff(new Error('it has changed since, or its server no longer gives parts of it'))
  }

  #isWhole(): boolean {
    const expected = bodyBytes(this.#headers)
    return expected === undefined || this.#bytesRead === expected
  }

  #brokenOff(error: unknown): SttError {
    const { cause, reason } = causeOf(error)
    const of = bodyBytes(this.#headers) ?? 'unknown'
    const message = `${this.#origin.name} broke off after ${this.#bytesRead} bytes of ${of}: ${reason}`
    return new SttError('STT_ERR_SOURCE', message, { cause, retryable: true })
  }

  /** What fails destroys the stream, and so does what takes too long; what comes after that does nothing. */
  async #withinDeadline(work: () => Promise<void>): Promise<void> {
    const timer = setTimeout(() => {
      const message = `no byte came from ${this.#origin.name} within ${this.#timeoutMs} ms (sourceTimeoutMs)`
      this.destroy(new SttError('STT_ERR_SOURCE', message, { retryable: true }))
    }, this.#timeoutMs)
    try {
      await work()
    } catch (error) {
      this.destroy(error as Error)
    } finally {
      clearTimeout(timer)
    }
  }
}

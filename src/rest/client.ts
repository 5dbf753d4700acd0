import { setTimeout as delay } from 'node:timers/promises'
import { SttError } from '../errors.js'
import { RetryPolicy, type RetryOptions } from '../stt/retry-policy.js'
import { httpError } from '../stt/service-errors.js'
import { resolveCredentials, type CredentialOptions } from '../wire/auth.js'
import { withDeadline } from './deadline.js'

/**
 * Where fetch() might have to send a body again it keeps all of it in memory. With these two it knows that it never
 * will: 400 MB from a file then took 45 MB instead of 440 (Node 20.20).
 */
const WITHOUT_COPY = { redirect: 'error', window: null } as const
const MAX_REFUSAL_BYTES = 64 * 1024

export interface RestClientOptions extends CredentialOptions {
  /** Of the service, without a slash at the end. */
  baseUrl: string
  headers?: Readonly<Record<string, string>>
  /** When a call is made again; false = never. */
  retry: RetryOptions | false
  /** One attempt: credentials, sending, and reading the answer, in ms. */
  requestTimeoutMs: number
}

export interface RestCall {
  /** Path of the service, or the URL of a file that is fetched without credentials. */
  to: string | URL
  /** Makes the call a POST. Its type is the request's content type. */
  body?: Blob
  /** Longest answer that is read, in bytes. */
  maxAnswerBytes: number
  /** Of one attempt, where it is not the client's, in ms. */
  timeoutMs?: number
  signal?: AbortSignal
}

/**
 * HTTP calls to the service, with credentials, deadlines and retries; answers are returned as text. Tried again is
 * what the service calls busy or broken and what the network lost; after a timeout only what changes nothing there.
 * No error holds the key.
 */
export class RestClient {
  readonly #options: RestClientOptions

  constructor(options: RestClientOptions) {
    this.#options = options
  }

  /** @returns rejects with SttError or AbortError */
  async call(call: RestCall): Promise<string> {
    const retry = new RetryPolicy(this.#options.retry)
    for (;;) {
      try {
        return await this.#attempt(call)
      } catch (error) {
        const delayMs = delayBeforeNext(error, retry, call)
        if (delayMs === undefined) throw error
        await delay(delayMs, undefined, { signal: call.signal })
      }
    }
  }

  #attempt(call: RestCall): Promise<string> {
    const timeoutMs = call.timeoutMs ?? this.#options.requestTimeoutMs
    const timeoutError = () =>
      new SttError(
        'STT_ERR_REQUEST_TIMEOUT',
        `No complete answer within ${timeoutMs} ms (requestTimeoutMs)`,
        {
          retryable: true,
        },
      )
    return withDeadline(timeoutMs, timeoutError, call.signal, signal => this.#exchange(call, signal))
  }

  async #exchange({ to, body, maxAnswerBytes }: RestCall, signal: AbortSignal): Promise<string> {
    const { url, headers, withoutKey } = await this.#address(to)
    try {
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        headers,
        ...(body && { body }),
        // Results may be elsewhere; the service's calls have no other address.
        ...(to instanceof URL ? { redirect: 'follow' } : WITHOUT_COPY),
        signal,
      })
      if (response.ok) return await readText(response, maxAnswerBytes)
      const refusal = {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: withoutKey(await readText(response, MAX_REFUSAL_BYTES)),
      }
      throw httpError(refusal, Date.now())
    } catch (error) {
      if (error instanceof SttError) throw error
      throw connectionError(error, withoutKey)
    }
  }

  /** Credentials are asked for anew with each attempt: a token may have expired since the last. */
  async #address(to: string | URL) {
    if (to instanceof URL) return { url: to, headers: {}, withoutKey: (text: string) => text }
    const { headers, query, secret } = await resolveCredentials(this.#options).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : 'not an Error was thrown'
      throw new SttError('STT_ERR_CREDENTIALS', `The credentials could not be had: ${reason}`, { cause })
    })
    const url = new URL(this.#options.baseUrl + to)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return {
      url,
      headers: checkedHeaders({ ...this.#options.headers, ...headers }),
      // As it stands in a header, and in the URL.
      withoutKey: (text: string) =>
        secret === ''
          ? text
          : text.replaceAll(secret, '[key]').replaceAll(encodeURIComponent(secret), '[key]'),
    }
  }
}

function delayBeforeNext(error: unknown, retry: RetryPolicy, { body }: RestCall): number | undefined {
  if (!(error instanceof SttError)) return undefined
  // What took too long once would do so again, and the service may still be at work on it.
  if (error.code === 'STT_ERR_REQUEST_TIMEOUT' && body) return undefined
  return retry.nextDelayMs({ error, heard: true, nowMs: performance.now() })
}

/** fetch() would quote a header that it refuses, and that may be the key. */
function checkedHeaders(headers: Record<string, string>): Headers {
  try {
    return new Headers(headers)
  } catch {
    throw new SttError('STT_ERR_CREDENTIALS', 'The key or a header holds characters that no header may hold')
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBytes)
      throw new SttError('STT_ERR_PROTOCOL', `The service's answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** fetch() says 'fetch failed' and what failed in the cause. */
function connectionError(error: unknown, withoutKey: (text: string) => string): SttError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause)
  if (reason === 'unexpected redirect')
    return new SttError('STT_ERR_UPGRADE', 'The service answered with a redirect, which is not followed')
  return new SttError('STT_ERR_SOCKET', `The request failed: ${withoutKey(reason)}`, {
    cause,
    retryable: true,
  })
}

import type { Readable } from 'node:stream'
import { HttpSource, originOfResponse, originOfUrl, type HttpOrigin } from './http-source.js'
import type { PcmFormat } from './pcm-format.js'
import { byteStream, httpUrlOf, type AudioSource } from './sources.js'

/** How a source is opened. */
export interface OpenSourceOptions {
  /** Declares raw audio: needed where chunks are samples, in an `Int16Array` or `Float32Array`. Default: absent. */
  input?: PcmFormat
  /**
   * How long an http(s) URL may give no byte while one is waited for, in ms, 1 to 2 147 483 647. It covers
   * connecting, redirects and the attempts to resume. Default 30 000.
   */
  sourceTimeoutMs?: number
  /** Aborting ends the download with an AbortError. Default: none. */
  signal?: AbortSignal
}

/** A source that stands ready to be read. */
export interface OpenedSource {
  /** Its bytes. Destroying them ends the download, destroys the stream or returns the iterator they come from. */
  bytes: Readable
  /** Whether they are made while they are sent, as a radio station's are. Always false for what is no http answer. */
  live: boolean
}

const DEFAULT_TIMEOUT_MS = 30_000
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Whatever holds audio, as a stream of bytes to pipe into `sttStream()`, `decode()` or elsewhere.
 *
 * ```js
 * const { bytes } = await openSource('https://example.com/talk.mp3')
 * pipeline(bytes, sttStream(), …)
 * ```
 *
 * For a URL it resolves when the server has answered; the body follows as it is read.
 * @returns rejects with STT_ERR_SOURCE, the signal's AbortError, or TypeError and RangeError for misuse
 */
export async function openSource(
  source: AudioSource,
  { input, sourceTimeoutMs = DEFAULT_TIMEOUT_MS, signal }: OpenSourceOptions = {},
): Promise<OpenedSource> {
  checkSourceTimeout(sourceTimeoutMs)
  const origin = httpOrigin(source)
  if (!origin) return { bytes: byteStream(source, input), live: false }
  const bytes = new HttpSource(origin, { timeoutMs: sourceTimeoutMs, signal })
  await bytes.open()
  return { bytes, live: bytes.live }
}

/** @throws TypeError, RangeError */
export function checkSourceTimeout(sourceTimeoutMs: unknown): void {
  const expected = `sourceTimeoutMs must be from 1 to ${MAX_TIMER_MS} ms`
  if (typeof sourceTimeoutMs !== 'number') throw new TypeError(`${expected}; got ${typeof sourceTimeoutMs}`)
  if (!(sourceTimeoutMs >= 1 && sourceTimeoutMs <= MAX_TIMER_MS))
    throw new RangeError(`${expected}; got ${sourceTimeoutMs}`)
}

/** @throws TypeError for a Response that has been read */
function httpOrigin(source: AudioSource): HttpOrigin | undefined {
  const url = httpUrlOf(source)
  if (url) return originOfUrl(url)
  if (!isResponse(source)) return undefined
  if (source.bodyUsed || source.body?.locked)
    throw new TypeError('source must be a Response whose body has not been read; this one has')
  return originOfResponse(source)
}

/** Told by what it has: the Response of undici's package is not the global one. */
function isResponse(source: unknown): source is Response {
  if (typeof source !== 'object' || source === null || !('bodyUsed' in source && 'body' in source))
    return false
  return source.body === null || source.body instanceof ReadableStream
}

import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { fileURLToPath } from 'node:url'
import { fileBytes } from './file-bytes.js'
import type { PcmFormat } from './pcm-format.js'
import { bytesOf, chunksToBytes, isAudioChunk, type AudioChunk } from './source-bytes.js'

/**
 * Where audio may come from: a file by its path or `file:` URL, an `http:` or `https:` URL, the Response of a
 * `fetch()`, bytes or samples in memory, a Blob or File, a Node or web stream, or anything that iterates over chunks.
 */
export type AudioSource =
  | string
  | URL
  | Response
  | AudioChunk
  | Blob
  | NodeJS.ReadableStream
  | ReadableStream<AudioChunk>
  | AsyncIterable<AudioChunk>
  | Iterable<AudioChunk>

const EXPECTED =
  'a path, a file:, http: or https: URL, a Response, a Uint8Array or other view, an ArrayBuffer, a Blob, a Node or web stream or an iterable of such chunks'
const SLICE_BYTES = 64 * 1024

/**
 * The http(s) URL that a source is; a string with a scheme (`https://…`) counts as a URL.
 * @throws TypeError for a string with a scheme that is no URL
 */
export function httpUrlOf(source: AudioSource): URL | undefined {
  const url = urlOf(source)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

/**
 * The path of a source that is a file.
 * @throws TypeError for the URL of anything else than a file or the web
 */
export function pathOf(source: AudioSource): string | undefined {
  const url = urlOf(source)
  if (!url) return typeof source === 'string' ? source : undefined
  if (httpUrlOf(url)) return undefined
  // Only the scheme is shown: what follows may be a signed link.
  if (url.protocol !== 'file:') throw new TypeError(`source must be ${EXPECTED}; got a ${url.protocol} URL`)
  return fileURLToPath(url)
}

/**
 * A source of this machine as a stream of its bytes, not yet begun. Destroying it destroys the source.
 * @param input what the caller declared the audio to be; samples in typed arrays need it
 * @throws TypeError for what is no source, or has been read or locked already
 */
export function byteStream(source: AudioSource, input?: PcmFormat): Readable {
  const path = pathOf(source)
  if (path !== undefined) return fileBytes(path)
  if (isAudioChunk(source)) return Readable.from(slices(bytesOf(source, input)), { objectMode: false })
  return chunksToBytes(chunkStream(source), input)
}

function chunkStream(source: unknown): Readable {
  if (source instanceof Blob) return webStream(source.stream())
  if (has(source, 'getReader')) return webStream(source as NodeReadableStream)
  if (has(source, 'pipe')) {
    const stream = source as Readable
    if (!stream.readable) throw new TypeError('source must be a stream that has not ended; this one has')
    return stream
  }
  if (has(source, Symbol.asyncIterator) || has(source, Symbol.iterator))
    return Readable.from(source as Iterable<unknown>)
  throw new TypeError(`source must be ${EXPECTED}; got ${source === null ? 'null' : typeof source}`)
}

/** In object mode, which leaves the chunks as they are. */
function webStream(source: NodeReadableStream): Readable {
  return Readable.fromWeb(source, { objectMode: true, highWaterMark: 1 })
}

function urlOf(source: unknown): URL | undefined {
  if (source instanceof URL) return source
  if (typeof source !== 'string' || !/^[a-z][a-z\d+.-]*:\/\//i.test(source)) return undefined
  // The parser's own error quotes all of it.
  if (!URL.canParse(source))
    throw new TypeError(`source must be ${EXPECTED}; got a URL that cannot be parsed`)
  return new URL(source)
}

/** Keeps one stage from being handed a whole file in one piece. */
function* slices(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES)
    yield bytes.subarray(start, start + SLICE_BYTES)
}

/** Told by what it can do: streams of other realms and of npm's readable-stream are streams too. */
function has(source: unknown, method: string | symbol): boolean {
  return typeof source === 'object' && source !== null && typeof Reflect.get(source, method) === 'function'
}

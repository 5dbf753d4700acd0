import { createReadStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { fileURLToPath } from 'node:url'

/**
 * Where whole audio may come from: a file by its path or `file:` URL, bytes in memory, a Blob or File, a Node or web
 * stream, or anything that iterates over chunks of bytes.
 */
export type AudioSource =
  | string
  | URL
  | Uint8Array
  | Blob
  | NodeJS.ReadableStream
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>

const EXPECTED =
  'a path, a file: URL, a Uint8Array, a Blob, a Node or web stream or an iterable of Uint8Array chunks'
const SLICE_BYTES = 64 * 1024

/** The URL that a source is; a string with a scheme (`https://…`) counts as one. */
export function urlOf(source: AudioSource): URL | undefined {
  if (source instanceof URL) return source
  return typeof source === 'string' && /^[a-z][a-z\d+.-]*:\/\//i.test(source) ? new URL(source) : undefined
}

/**
 * The path of a source that is a file.
 * @throws TypeError for the URL of anything else
 */
export function pathOf(source: AudioSource): string | undefined {
  const url = urlOf(source)
  if (!url) return typeof source === 'string' ? source : undefined
  // Only the scheme is shown: what follows may be a signed link.
  if (url.protocol !== 'file:') throw new TypeError(`source must be ${EXPECTED}; got a ${url.protocol} URL`)
  return fileURLToPath(url)
}

/**
 * A source as a stream of its bytes, not yet begun.
 * @throws TypeError for what is no source, or has been read or locked already
 */
export function byteStream(source: AudioSource): Readable {
  const path = pathOf(source)
  if (path !== undefined) return createReadStream(path)
  if (source instanceof Uint8Array) return Readable.from(slices(source))
  if (source instanceof Blob) return Readable.fromWeb(source.stream())
  const other: unknown = source
  if (has(other, 'getReader')) return Readable.fromWeb(other as NodeReadableStream)
  if (has(other, 'pipe')) {
    const stream = other as Readable
    if (!stream.readable) throw new TypeError('source must be a stream that has not ended; this one has')
    return stream
  }
  if (has(other, Symbol.asyncIterator) || has(other, Symbol.iterator))
    return Readable.from(other as Iterable<unknown>)
  throw new TypeError(`source must be ${EXPECTED}; got ${other === null ? 'null' : typeof other}`)
}

/** Lets chunks of bytes through and fails at anything else: text has lost its bytes, an object never had any. */
export function bytesOnly(): Transform {
  return new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(chunk: unknown, _encoding, callback) {
      if (chunk instanceof Uint8Array) callback(null, chunk)
      else callback(new TypeError(`source must give chunks of Uint8Array; got ${typeof chunk}`))
    },
    // A string would be made a Buffer before anybody could object.
    decodeStrings: false,
  })
}

/** Keeps one stage from being handed a whole file in one piece. */
function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += SLICE_BYTES)
    yield bytes.subarray(start, start + SLICE_BYTES)
}

/** Told by what it can do: streams of other realms and of npm's readable-stream are streams too. */
function has(source: unknown, method: string | symbol): boolean {
  return typeof source === 'object' && source !== null && typeof Reflect.get(source, method) === 'function'
}

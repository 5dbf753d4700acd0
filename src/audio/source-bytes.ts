import { endianness } from 'node:os'
import { pipeline, Transform, type Readable } from 'node:stream'
import { isAnyArrayBuffer } from 'node:util/types'
import type { PcmEncoding, PcmFormat } from './pcm-format.js'

/**
 * A piece of audio in memory: bytes (`Uint8Array`, `Buffer`, `DataView`, `ArrayBuffer`), or samples, one in each
 * element of another typed array.
 */
export type AudioChunk = ArrayBufferView | ArrayBuffer | SharedArrayBuffer

const ORDER = endianness() === 'LE' ? 'le' : 'be'
const BYTE_VIEWS = ['Uint8Array', 'DataView']
/** Samples in memory have the byte order of this machine. */
const SAMPLE_VIEWS = new Map<string, readonly PcmEncoding[]>([
  ['Int8Array', ['s8']],
  ['Uint8ClampedArray', ['u8', 'mulaw', 'alaw']],
  ['Int16Array', [`s16${ORDER}`]],
  ['Int32Array', [`s32${ORDER}`]],
  ['Float32Array', [`f32${ORDER}`]],
  ['Float64Array', [`f64${ORDER}`]],
])

/** Whether it holds bytes or samples itself. Arrays of other realms count: test runners and workers have their own. */
export function isAudioChunk(value: unknown): value is AudioChunk {
  return isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
}

/**
 * The bytes of a chunk, where they lie.
 * @param input what the caller declared the audio to be; samples need it
 * @throws TypeError for what holds no bytes, and for samples in another encoding than was declared
 */
export function bytesOf(chunk: unknown, input?: PcmFormat): Buffer {
  if (!isAudioChunk(chunk))
    throw new TypeError(`source must give bytes in chunks of Uint8Array or the like; got ${typeof chunk}`)
  if (isAnyArrayBuffer(chunk)) return Buffer.from(chunk)
  const name = Object.prototype.toString.call(chunk).slice('[object '.length, -1)
  if (!BYTE_VIEWS.includes(name)) checkSamples(name, input)
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

/** A stream of chunks of any kind as one of their bytes. What destroys the bytes destroys the chunks. */
export function chunksToBytes(chunks: Readable, input?: PcmFormat): Readable {
  const bytes = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform(chunk: unknown, _encoding, callback) {
      try {
        callback(null, bytesOf(chunk, input))
      } catch (error) {
        callback(error as Error)
      }
    },
    // pipeline() would do so with an error, even where nothing has failed.
    destroy(error, callback) {
      chunks.destroy(error ?? undefined)
      callback(error)
    },
    // A string would be made a Buffer before anybody could object: text has lost its bytes.
    decodeStrings: false,
  })
  return pipeline(chunks, bytes, () => {})
}

function checkSamples(name: string, input: PcmFormat | undefined): void {
  const encodings = SAMPLE_VIEWS.get(name)
  if (!encodings) {
    const known = [...SAMPLE_VIEWS.keys()].join(', ')
    throw new TypeError(`source must give bytes as Uint8Array, or samples as ${known}; got ${name}`)
  }
  const holds = `samples of a ${name} are ${encodings.map(encoding => `'${encoding}'`).join(' or ')} here`
  if (!input)
    throw new TypeError(`${holds}: declare them with input, or give bytes as Uint8Array; got no input`)
  if (!encodings.includes(input.encoding))
    throw new TypeError(`${holds}; got input.encoding '${input.encoding}'`)
}

import { malformed } from './container-format.js'

/*
 * WAV, AIFF, CAF and Wave64 are of one family, IFF: a magic word, then chunks of id, size and payload, one behind the
 * other. They differ in how ids and sizes are written, and in what payloads are padded to.
 */

/** A chunk whose header has come; its payload may not have. */
export interface IffChunk {
  /** Four characters; in Wave64 a GUID in hex. */
  readonly id: string
  /** Bytes of payload, as the header claims. */
  readonly size: number
  /** Where the payload begins, in bytes from the start of the file. */
  readonly body: number
}

/** How a format of the family writes its chunks. */
export interface ChunkLayout {
  /** As people call it, for messages. */
  readonly container: string
  readonly headerBytes: number
  /** The next chunk begins at a multiple of this many bytes. */
  readonly align: number
  readonly readId: (bytes: Buffer, at: number) => string
  /** Bytes of payload. */
  readonly readSize: (bytes: Buffer, at: number) => number
}

/** No writer comes near it. Each look at a longer head begins anew: without a bound, empty chunks would cost a lot. */
const MAX_CHUNKS = 1_000

/**
 * The chunks of `head`, from the one at `from` on, as far as their headers have come.
 * @throws SttError STT_ERR_DECODE for a negative size, or for more chunks than any writer puts before samples
 */
export function* iffChunks(head: Buffer, from: number, layout: ChunkLayout): Generator<IffChunk> {
  const { container, headerBytes, align, readId, readSize } = layout
  let count = 0
  for (let at = from; at + headerBytes <= head.length;) {
    if (++count > MAX_CHUNKS)
      throw malformed(container, `more than ${MAX_CHUNKS} chunks stand before its samples`)
    const body = at + headerBytes
    const size = readSize(head, at)
    yield { id: readId(head, at), size, body }
    if (size < 0) throw malformed(container, `the size of a chunk is ${size} bytes`)
    at = Math.ceil((body + size) / align) * align
  }
}

/** The ids of all but Wave64: four characters. */
export function fourCharacters(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 4)
}

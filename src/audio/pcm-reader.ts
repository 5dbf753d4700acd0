import { SttError } from '../errors.js'
import { Head, HEAD_LIMIT_BYTES } from './head.js'
import type { PcmFormat } from './pcm-format.js'

/** What a container's header says of the samples behind it. */
export interface PcmHeader {
  readonly format: PcmFormat
  /** Where the samples begin, in bytes from the start of the file. */
  readonly dataOffset: number
  /** How many bytes of samples follow; Infinity where the header does not say. */
  readonly dataBytes: number
}

/** Reads a header from a file's first bytes: undefined while they are too few, 'foreign' where a codec is needed. */
export type ReadHeader = (head: Buffer) => PcmHeader | 'foreign' | undefined

const NOTHING = Buffer.alloc(0)

/**
 * Takes a file apart as it comes, in chunks of any length: keeps what stands before the samples until the header
 * is whole, passes the samples as views of the chunks they came in, and drops what follows them.
 */
export class PcmReader {
  readonly #readHeader: ReadHeader
  readonly #head = new Head()
  #header: PcmHeader | undefined
  #position = 0
  #pcmBytes = 0

  constructor(readHeader: ReadHeader) {
    this.#readHeader = readHeader
  }

  /** Undefined until the header is whole. */
  get format(): PcmFormat | undefined {
    return this.#header?.format
  }

  /** Bytes of samples passed so far. */
  get pcmBytes(): number {
    return this.#pcmBytes
  }

  /**
   * @returns the samples in this chunk; empty where it holds none
   * @throws SttError where the header contradicts itself or never comes
   */
  read(chunk: Buffer): Buffer {
    if (this.#header) return this.#samples(chunk, this.#header)
    this.#head.append(chunk)
    const head = this.#head.bytes
    const header = this.#readHeader(head)
    if (header === 'foreign')
      throw new SttError('STT_ERR_DECODE', 'the header announces a codec, not samples')
    if (header) {
      this.#header = header
      this.#head.clear()
      return this.#samples(head, header)
    }
    if (head.length >= HEAD_LIMIT_BYTES) {
      throw new SttError('STT_ERR_DECODE', `no audio within the first ${head.length} bytes`)
    }
    return NOTHING
  }

  /** Bytes that stand before the samples and that have not come. */
  get missingHeaderBytes(): number {
    return Math.max(0, (this.#header?.dataOffset ?? 0) - this.#position)
  }

  /** Bytes that the header promised and that never came; 0 where it promised none. */
  get missingBytes(): number {
    const declared = this.#header?.dataBytes ?? 0
    return Number.isFinite(declared) ? declared - this.#pcmBytes : 0
  }

  #samples(chunk: Buffer, { dataOffset, dataBytes }: PcmHeader): Buffer {
    const start = Math.max(0, dataOffset - this.#position)
    const end = dataOffset + dataBytes - this.#position
    this.#position += chunk.length
    if (start >= chunk.length || end <= 0) return NOTHING
    const samples = chunk.subarray(start, Math.min(chunk.length, end))
    this.#pcmBytes += samples.length
    return samples
  }
}

import { malformed } from './container-format.js'
import { iffChunks, type ChunkLayout } from './iff-chunks.js'
import type { PcmFormat } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'
import { Fields, MAX_WAVE_FORMAT_BYTES, readWaveFormat } from './wave-format.js'

/*
 * Sony's Wave64: WAV with GUIDs for ids, sizes of 64 bits that count the chunk's header too, and chunks at multiples
 * of eight bytes. The first four bytes of a GUID spell the old id.
 */

const CHUNK_HEADER_BYTES = 24
/** The `riff` chunk's header, and the GUID of `wave`. */
const FILE_HEADER_BYTES = CHUNK_HEADER_BYTES + 16

const GUID_TAIL = 'f3acd3118cd100c04f8edb8a'
const FMT = Buffer.from('fmt ').toString('hex') + GUID_TAIL
const DATA = Buffer.from('data').toString('hex') + GUID_TAIL

const LAYOUT: ChunkLayout = {
  container: 'Wave64',
  headerBytes: CHUNK_HEADER_BYTES,
  align: 8,
  readId: (bytes, at) => bytes.toString('hex', at, at + 16),
  readSize: (bytes, at) => Number(bytes.readBigInt64LE(at + 16)) - CHUNK_HEADER_BYTES,
}

/**
 * Reads everything up to the samples.
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for a header that contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or
 *   channel count out of range
 */
export function readW64Header(head: Buffer): PcmHeader | 'foreign' | undefined {
  let format: PcmFormat | undefined
  for (const { id, size, body } of iffChunks(head, FILE_HEADER_BYTES, LAYOUT)) {
    if (id === FMT && !format) {
      if (body + Math.min(size, MAX_WAVE_FORMAT_BYTES) > head.length) return undefined
      const read = readWaveFormat(new Fields(head.subarray(body, body + Math.max(0, size)), 'le'), 'Wave64')
      if (read === 'foreign') return read
      format = read
    }
    if (id === DATA) {
      if (!format) throw malformed('Wave64', 'its data come before its fmt chunk')
      return { format, dataOffset: body, dataBytes: knownSize(size) ? size : Infinity }
    }
  }
  return undefined
}

/** A writer that cannot seek back leaves zeros or, as ffmpeg, nearly all ones. */
function knownSize(size: number): boolean {
  return size >= 0 && size <= Number.MAX_SAFE_INTEGER
}

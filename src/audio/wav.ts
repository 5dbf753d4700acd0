import { malformed } from './container-format.js'
import { fourCharacters, iffChunks, type ChunkLayout } from './iff-chunks.js'
import type { PcmFormat } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'
import { Fields, MAX_WAVE_FORMAT_BYTES, readWaveFormat } from './wave-format.js'

/*
 * RIFF/WAVE, its 64-bit forms (RF64: EBU Tech 3306; BW64: ITU-R BS.2088) and its big-endian one (RIFX, which ffmpeg
 * 5.1 takes for little-endian): twelve bytes, then chunks of id, size and payload, padded to an even length. `fmt `
 * tells how the samples of `data` are stored; RF64 keeps sizes past 4 GiB in `ds64` and 0xFFFFFFFF in their old
 * place. A writer that cannot seek back leaves a size that it never filled in, see `unknownSize`.
 */

const RIFF_HEADER_BYTES = 12
const DS64_BYTES = 16

const LITTLE_ENDIAN: ChunkLayout = {
  container: 'WAV',
  headerBytes: 8,
  align: 2,
  readId: fourCharacters,
  readSize: (bytes, at) => bytes.readUInt32LE(at + 4),
}

const BIG_ENDIAN: ChunkLayout = {
  ...LITTLE_ENDIAN,
  readSize: (bytes, at) => bytes.readUInt32BE(at + 4),
}

/** Chunks that follow samples. Where the data size is 0, one of these right behind it says that 0 was meant. */
const TRAILING_CHUNKS = new Set([
  'LIST',
  'id3 ',
  'ID3 ',
  'fact',
  'cue ',
  'bext',
  'iXML',
  'axml',
  'PEAK',
  'JUNK',
])

/**
 * Reads everything up to the samples.
 * @param ended whether `head` is the whole file
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for a header that contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or
 *   channel count out of range
 */
export function readWavHeader(head: Buffer, ended = false): PcmHeader | 'foreign' | undefined {
  if (head.length < RIFF_HEADER_BYTES) return undefined
  const order = fourCharacters(head, 0) === 'RIFX' ? 'be' : 'le'
  let format: PcmFormat | undefined
  let dataBytes64: number | undefined
  for (const { id, size, body } of iffChunks(
    head,
    RIFF_HEADER_BYTES,
    order === 'be' ? BIG_ENDIAN : LITTLE_ENDIAN,
  )) {
    if (id === 'data') {
      if (!format) throw malformed('WAV', 'its data come before its fmt chunk')
      if (dataBytes64 !== undefined && size === 0xffffffff) {
        return { format, dataOffset: body, dataBytes: dataBytes64 }
      }
      const dataBytes = size === 0 ? emptyOrUnknown(head, body, ended) : unknownSize(size) ? Infinity : size
      return dataBytes === undefined ? undefined : { format, dataOffset: body, dataBytes }
    }
    if (id === 'fmt ' && !format) {
      if (body + Math.min(size, MAX_WAVE_FORMAT_BYTES) > head.length) return undefined
      const read = readWaveFormat(new Fields(head.subarray(body, body + size), order), 'WAV')
      if (read === 'foreign') return read
      format = read
    }
    if (id === 'ds64') {
      if (body + DS64_BYTES > head.length) return undefined
      const size64 = Number(head.readBigUInt64LE(body + 8))
      dataBytes64 = size64 === 0 || size64 > Number.MAX_SAFE_INTEGER ? Infinity : size64
    }
  }
  return undefined
}

/** The sizes that streaming writers put: all ones less a header, or (sox, arecord) about 2 GiB. */
function unknownSize(size: number): boolean {
  return size >= 0xffff0000 || (size >= 0x7fff0000 && size <= 0x80000000)
}

/** A data size of 0 is a placeholder, unless the file ends there or goes on with another chunk. */
function emptyOrUnknown(head: Buffer, body: number, ended: boolean): number | undefined {
  if (head.length < body + 4 && !ended) return undefined
  return TRAILING_CHUNKS.has(fourCharacters(head, body)) ? 0 : Infinity
}

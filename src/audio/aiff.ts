import { checkContainerFormat, integerEncoding, malformed } from './container-format.js'
import { HEAD_LIMIT_BYTES } from './head.js'
import { fourCharacters, iffChunks, type ChunkLayout } from './iff-chunks.js'
import type { PcmEncoding, PcmFormat } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'

/*
 * AIFF and AIFF-C (Apple, 1989 and 1991), big-endian: `COMM` tells how the samples of `SSND` are stored. Samples of
 * odd depths stand in the upper bits of whole bytes, so nothing but their size matters.
 */

const FORM_HEADER_BYTES = 12
/** Of AIFF; AIFF-C adds the compression type, four characters, and its name. */
const COMM_BYTES = 18
/** Offset and block size, before the samples. */
const SSND_PREFIX_BYTES = 8

const LAYOUT: ChunkLayout = {
  container: 'AIFF',
  headerBytes: 8,
  align: 2,
  readId: fourCharacters,
  readSize: (bytes, at) => bytes.readUInt32BE(at + 4),
}

/** The compression types that are no codecs: integers of the depth that `COMM` tells, or one encoding each. */
const COMPRESSION_TYPES = new Map<string, PcmEncoding | 'integers' | 'swapped integers' | 'offset binary'>([
  ['NONE', 'integers'],
  ['none', 'integers'],
  ['twos', 'integers'],
  ['sowt', 'swapped integers'],
  ['raw ', 'offset binary'],
  ['in24', 's24be'],
  ['in32', 's32be'],
  ['42ni', 's24le'],
  ['23ni', 's32le'],
  ['fl32', 'f32be'],
  ['FL32', 'f32be'],
  ['fl64', 'f64be'],
  ['FL64', 'f64be'],
  ['ulaw', 'mulaw'],
  ['ULAW', 'mulaw'],
  ['alaw', 'alaw'],
  ['ALAW', 'alaw'],
])

/**
 * Reads everything up to the samples, or up to `COMM` where that follows them.
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for a header that contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or
 *   channel count out of range
 */
export function readAiffHeader(head: Buffer): PcmHeader | 'foreign' | undefined {
  if (head.length < FORM_HEADER_BYTES) return undefined
  const commBytes = fourCharacters(head, 8) === 'AIFC' ? COMM_BYTES + 4 : COMM_BYTES
  let format: PcmFormat | undefined
  let samples: Omit<PcmHeader, 'format'> | undefined
  for (const { id, size, body } of iffChunks(head, FORM_HEADER_BYTES, LAYOUT)) {
    if (id === 'COMM' && !format) {
      if (size < commBytes)
        throw malformed('AIFF', `its COMM chunk has ${size} bytes; expected ${commBytes} or more`)
      if (body + commBytes > head.length) return undefined
      const read = readComm(head.subarray(body, body + commBytes))
      if (read === 'foreign') return read
      format = read
    }
    if (id === 'SSND' && !samples) {
      if (body + SSND_PREFIX_BYTES > head.length) return undefined
      samples = readSsnd(head, body, size)
      if (!format && samples.dataBytes === Infinity)
        throw malformed('AIFF', 'samples of unknown length come before its COMM chunk')
    }
    if (format && samples) return { format, ...samples }
  }
  return undefined
}

function readComm(comm: Buffer): PcmFormat | 'foreign' {
  const encoding = encodingOf(comm)
  if (!encoding) return 'foreign'
  const sampleRateHertz = Math.round(readExtended(comm, 8))
  return checkContainerFormat({ encoding, sampleRateHertz, channels: comm.readUInt16BE(0) }, 'AIFF')
}

function encodingOf(comm: Buffer): PcmEncoding | undefined {
  const type = comm.length > COMM_BYTES ? fourCharacters(comm, COMM_BYTES) : 'NONE'
  const sampleBytes = Math.ceil(comm.readUInt16BE(6) / 8)
  const encoding = COMPRESSION_TYPES.get(type)
  if (encoding === 'integers') return integerEncoding(sampleBytes, 'be')
  if (encoding === 'swapped integers') return integerEncoding(sampleBytes, 'le')
  if (encoding === 'offset binary') return sampleBytes === 1 ? 'u8' : undefined
  return encoding
}

/** An IEEE 754 extended: sign, 15 bits of exponent, 64 of mantissa with its leading one written out. */
function readExtended(bytes: Buffer, at: number): number {
  const signAndExponent = bytes.readUInt16BE(at)
  const sign = signAndExponent & 0x8000 ? -1 : 1
  const mantissa = Number(bytes.readBigUInt64BE(at + 2))
  return sign * mantissa * 2 ** ((signAndExponent & 0x7fff) - 16_383 - 63)
}

function readSsnd(head: Buffer, body: number, size: number): Omit<PcmHeader, 'format'> {
  const offset = head.readUInt32BE(body)
  const isUnknown = unknownSize(size)
  const maxOffset = isUnknown ? HEAD_LIMIT_BYTES : Math.min(size - SSND_PREFIX_BYTES, HEAD_LIMIT_BYTES)
  if (offset > maxOffset)
    throw malformed('AIFF', `its samples begin ${offset} bytes into an SSND chunk of ${size}`)
  return {
    dataOffset: body + SSND_PREFIX_BYTES + offset,
    dataBytes: isUnknown ? Infinity : size - SSND_PREFIX_BYTES - offset,
  }
}

/** What writers leave that cannot seek back: 0 (ffmpeg), about 0x7F000000 (sox), or all ones less a header. */
function unknownSize(size: number): boolean {
  return size === 0 || size >= 0xffff0000 || (size >= 0x7eff0000 && size <= 0x7f000008)
}

import { checkContainerFormat, floatEncoding, integerEncoding, malformed } from './container-format.js'
import { fourCharacters, iffChunks, type ChunkLayout } from './iff-chunks.js'
import { blockAlign, type PcmEncoding, type PcmFormat } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'

/*
 * Apple's Core Audio Format, big-endian with 64-bit sizes: `desc` tells how the samples of `data` are stored. A `data`
 * chunk of size -1 lasts until the file ends; it is the only chunk that may.
 */

const FILE_HEADER_BYTES = 8
const DESC_BYTES = 32
/** A count of edits, before the samples. */
const DATA_PREFIX_BYTES = 4

const FLAG_FLOAT = 1
const FLAG_LITTLE_ENDIAN = 2

const LAYOUT: ChunkLayout = {
  container: 'CAF',
  headerBytes: 12,
  align: 1,
  readId: fourCharacters,
  readSize: (bytes, at) => Number(bytes.readBigInt64BE(at + 4)),
}

/**
 * Reads everything up to the samples.
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for a header that contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or
 *   channel count out of range
 */
export function readCafHeader(head: Buffer): PcmHeader | 'foreign' | undefined {
  let format: PcmFormat | undefined
  for (const { id, size, body } of iffChunks(head, FILE_HEADER_BYTES, LAYOUT)) {
    if (id === 'desc' && !format) {
      if (size < DESC_BYTES)
        throw malformed('CAF', `its desc chunk has ${size} bytes; expected ${DESC_BYTES}`)
      if (body + DESC_BYTES > head.length) return undefined
      const read = readDesc(head.subarray(body, body + DESC_BYTES))
      if (read === 'foreign') return read
      format = read
    }
    if (id === 'data') {
      if (!format) throw malformed('CAF', 'its data come before its desc chunk')
      const isUnknown = size === -1 || size > Number.MAX_SAFE_INTEGER
      if (!isUnknown && size < DATA_PREFIX_BYTES)
        throw malformed('CAF', `its data chunk has ${size} bytes; expected ${DATA_PREFIX_BYTES} or more`)
      const dataBytes = isUnknown ? Infinity : size - DATA_PREFIX_BYTES
      return { format, dataOffset: body + DATA_PREFIX_BYTES, dataBytes }
    }
  }
  return undefined
}

function readDesc(desc: Buffer): PcmFormat | 'foreign' {
  const encoding = encodingOf(desc)
  if (!encoding) return 'foreign'
  const channels = desc.readUInt32BE(24)
  const format = { encoding, sampleRateHertz: Math.round(desc.readDoubleBE(0)), channels }
  checkContainerFormat(format, 'CAF')
  const packetBytes = desc.readUInt32BE(16)
  if (packetBytes !== blockAlign(format)) {
    const made = `${channels} channels of ${encoding} make ${blockAlign(format)}`
    throw malformed('CAF', `its packets have ${packetBytes} bytes; ${made}`)
  }
  return format
}

function encodingOf(desc: Buffer): PcmEncoding | undefined {
  const codec = fourCharacters(desc, 8)
  if (codec === 'ulaw') return 'mulaw'
  if (codec === 'alaw') return 'alaw'
  if (codec !== 'lpcm') return undefined
  const flags = desc.readUInt32BE(12)
  const order = flags & FLAG_LITTLE_ENDIAN ? 'le' : 'be'
  const sampleBytes = Math.ceil(desc.readUInt32BE(28) / 8)
  return flags & FLAG_FLOAT ? floatEncoding(sampleBytes, order) : integerEncoding(sampleBytes, order)
}

import { checkContainerFormat, malformed } from './container-format.js'
import { HEAD_LIMIT_BYTES } from './head.js'
import type { PcmEncoding } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'

const AU_HEADER_BYTES = 24
const UNKNOWN_SIZE = 0xffffffff

/** The encoding numbers of Sun's audio file format that need no decoder. */
const ENCODINGS: Readonly<Record<number, PcmEncoding | undefined>> = {
  1: 'mulaw',
  2: 's8',
  3: 's16be',
  4: 's24be',
  5: 's32be',
  6: 'f32be',
  7: 'f64be',
  27: 'alaw',
}

/**
 * Reads the header of a Sun/NeXT AU file: six big-endian words and an annotation of any length.
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for an impossible data offset, STT_ERR_UNSUPPORTED_AUDIO for a rate or channel
 *   count out of range
 */
export function readAuHeader(head: Buffer): PcmHeader | 'foreign' | undefined {
  if (head.length < AU_HEADER_BYTES) return undefined
  const dataOffset = head.readUInt32BE(4)
  const size = head.readUInt32BE(8)
  const encoding = ENCODINGS[head.readUInt32BE(12)]
  if (!encoding) return 'foreign'
  if (dataOffset < AU_HEADER_BYTES || dataOffset > HEAD_LIMIT_BYTES)
    throw malformed(
      'AU',
      `its data begin at ${dataOffset}; expected ${AU_HEADER_BYTES} to ${HEAD_LIMIT_BYTES} bytes`,
    )
  const format = { encoding, sampleRateHertz: head.readUInt32BE(16), channels: head.readUInt32BE(20) }
  return {
    format: checkContainerFormat(format, 'AU'),
    dataOffset,
    // Nothing can follow the samples, so what follows a size of 0 is samples.
    dataBytes: size === UNKNOWN_SIZE || size === 0 ? Infinity : size,
  }
}

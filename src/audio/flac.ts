/**
 * STREAMINFO stands first in every FLAC file: four bytes of name, four of block header (its type, 0, and its length,
 * 34), then lengths of blocks and frames, the rate in 20 bits, the channels in 3, the bits per sample in 5, each of
 * the last two less one (RFC 9639, sections 8.1 and 8.2).
 */
const BLOCK_HEADER_AT = 4
const LAST_BLOCK = 0x80
const STREAMINFO_BYTES = 34
const BITS_AT = 20
const BITS_END = 22
const MOST_BITS = 32

/** @returns bits per sample, 1 to 32, the most where the header does not say; undefined while more bytes are needed */
export function flacBits(head: Buffer): number | undefined {
  if (head.length < BITS_END) return undefined
  const saysSo = (head.readUInt32BE(BLOCK_HEADER_AT) & ~(LAST_BLOCK << 24)) === STREAMINFO_BYTES
  return saysSo ? ((head.readUInt16BE(BITS_AT) >> 4) & 31) + 1 : MOST_BITS
}

import { checkContainerFormat, floatEncoding, integerEncoding, malformed } from './container-format.js'
import { blockAlign, type PcmEncoding, type PcmFormat } from './pcm-format.js'

/* WAVEFORMATEX and WAVEFORMATEXTENSIBLE: the `fmt ` chunk of WAV, in either byte order, and of Wave64. */

export const WAVE_FORMAT_PCM = 1
export const WAVE_FORMAT_IEEE_FLOAT = 3
export const WAVE_FORMAT_ALAW = 6
export const WAVE_FORMAT_MULAW = 7
const WAVE_FORMAT_EXTENSIBLE = 0xfffe

const PLAIN_BYTES = 16
const EXTENSIBLE_BYTES = 40

/** Bytes of a `fmt ` chunk that are ever read, at most. */
export const MAX_WAVE_FORMAT_BYTES = EXTENSIBLE_BYTES

/** KSDATAFORMAT_SUBTYPE_*: a format tag and these bytes; sox writes them in RIFX as well. */
const SUBTYPE = Buffer.from('000000001000800000aa00389b71', 'hex')
/** The same behind 16 zero bits of the tag, its numbers in big-endian order. */
const RIFX_SUBTYPE = Buffer.from('00000010800000aa00389b71', 'hex')

/** A chunk read in the byte order of its file. */
export class Fields {
  constructor(
    readonly bytes: Buffer,
    readonly order: 'le' | 'be',
  ) {}

  u16(at: number): number {
    return this.order === 'be' ? this.bytes.readUInt16BE(at) : this.bytes.readUInt16LE(at)
  }

  u32(at: number): number {
    return this.order === 'be' ? this.bytes.readUInt32BE(at) : this.bytes.readUInt32LE(at)
  }
}

/**
 * @param container named in messages
 * @returns 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE where it contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or channel count
 *   out of range
 */
export function readWaveFormat(fmt: Fields, container: string): PcmFormat | 'foreign' {
  const { length } = fmt.bytes
  if (length < PLAIN_BYTES)
    throw malformed(container, `its fmt chunk has ${length} bytes; expected ${PLAIN_BYTES} or more`)
  // wValidBitsPerSample needs no reading: the valid bits are the upper ones of their container.
  const encoding = encodingOf(formatTag(fmt, container), Math.ceil(fmt.u16(14) / 8), fmt.order)
  if (!encoding) return 'foreign'
  const format = { encoding, sampleRateHertz: fmt.u32(4), channels: fmt.u16(2) }
  checkContainerFormat(format, container)
  const blockBytes = fmt.u16(12)
  if (blockBytes !== blockAlign(format)) {
    const made = `${format.channels} channels of ${encoding} make ${blockAlign(format)}`
    throw malformed(container, `its block align is ${blockBytes} bytes; ${made}`)
  }
  return format
}

function formatTag(fmt: Fields, container: string): number | undefined {
  const tag = fmt.u16(0)
  if (tag !== WAVE_FORMAT_EXTENSIBLE) return tag
  const { length } = fmt.bytes
  if (length < EXTENSIBLE_BYTES)
    throw malformed(container, `its extensible fmt chunk has ${length} bytes; expected ${EXTENSIBLE_BYTES}`)
  if (fmt.bytes.subarray(26, EXTENSIBLE_BYTES).equals(SUBTYPE)) return fmt.u16(24)
  const isRifx = fmt.order === 'be' && fmt.bytes.subarray(28, EXTENSIBLE_BYTES).equals(RIFX_SUBTYPE)
  return isRifx ? fmt.u32(24) : undefined
}

function encodingOf(
  tag: number | undefined,
  sampleBytes: number,
  order: 'le' | 'be',
): PcmEncoding | undefined {
  switch (tag) {
    case WAVE_FORMAT_PCM:
      // The only depth that has no sign.
      return sampleBytes === 1 ? 'u8' : integerEncoding(sampleBytes, order)
    case WAVE_FORMAT_IEEE_FLOAT:
      return floatEncoding(sampleBytes, order)
    case WAVE_FORMAT_ALAW:
      return 'alaw'
    case WAVE_FORMAT_MULAW:
      return 'mulaw'
  }
  return undefined
}

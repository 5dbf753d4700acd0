import { SttError } from '../errors.js'
import type { PcmEncoding, PcmFormat } from './pcm-format.js'
import { checkContainerFormat } from './container-format.js'
import type { PcmHeader } from './pcm-reader.js'

/*
 * RIFF/WAVE, its 64-bit forms (RF64: EBU Tech 3306; BW64: ITU-R BS.2088) and its big-endian one (RIFX, which ffmpeg
 * 5.1 takes for little-endian): twelve bytes, then chunks of id, size and payload, padded to an even length. `fmt `
 * tells how the samples of `data` are stored; RF64 keeps sizes past 4 GiB in `ds64` and 0xFFFFFFFF in their old
 * place. A writer that cannot seek back leaves a size that it never filled in, see `unknownSize`.
 */

export const WAVE_FORMAT_PCM = 1
export const WAVE_FORMAT_IEEE_FLOAT = 3
export const WAVE_FORMAT_ALAW = 6
export const WAVE_FORMAT_MULAW = 7
const WAVE_FORMAT_EXTENSIBLE = 0xfffe

/** KSDATAFORMAT_SUBTYPE_*: a GUID of a format tag (32 bits), these two words and these bytes. */
const SUBTYPE_WORDS = [0x0000, 0x0010] as const
const SUBTYPE_BYTES = Buffer.from('800000aa00389b71', 'hex')

const RIFF_HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 8
const FMT_BYTES = 16
const FMT_EXTENSIBLE_BYTES = 40
const DS64_BYTES = 16

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

/** A RIFF file, or part of it, read in its byte order. */
class Words {
  constructor(
    readonly bytes: Buffer,
    readonly bigEndian: boolean,
  ) {}

  u16(at: number): number {
    return this.bigEndian ? this.bytes.readUInt16BE(at) : this.bytes.readUInt16LE(at)
  }

  u32(at: number): number {
    return this.bigEndian ? this.bytes.readUInt32BE(at) : this.bytes.readUInt32LE(at)
  }
}

/**
 * Reads everything up to the samples.
 * @param ended whether `head` is the whole file
 * @returns undefined while `head` is too short; 'foreign' for a codec that is not PCM, float or G.711
 * @throws SttError STT_ERR_DECODE for a header that contradicts itself, STT_ERR_UNSUPPORTED_AUDIO for a rate or
 *   channel count out of range
 */
export function readWavHeader(head: Buffer, ended = false): PcmHeader | 'foreign' | undefined {
  if (head.length < RIFF_HEADER_BYTES) return undefined
  const bigEndian = head.toString('latin1', 0, 4) === 'RIFX'
  const words = new Words(head, bigEndian)
  let format: PcmFormat | 'foreign' | undefined
  let dataBytes64: number | undefined
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= head.length;) {
    const id = head.toString('latin1', at, at + 4)
    const size = words.u32(at + 4)
    const body = at + CHUNK_HEADER_BYTES
    if (id === 'data') {
      if (!format) throw malformed('its data come before its fmt chunk')
      if (format === 'foreign') return format
      if (dataBytes64 !== undefined && size === 0xffffffff) {
        return { format, dataOffset: body, dataBytes: dataBytes64 }
      }
      const dataBytes = size === 0 ? emptyOrUnknown(head, body, ended) : unknownSize(size) ? Infinity : size
      return dataBytes === undefined ? undefined : { format, dataOffset: body, dataBytes }
    }
    if (id === 'fmt ') {
      if (body + Math.min(size, FMT_EXTENSIBLE_BYTES) > head.length) return undefined
      format = readFmt(new Words(head.subarray(body, body + size), bigEndian))
      if (format === 'foreign') return format
    }
    if (id === 'ds64') {
      if (body + DS64_BYTES > head.length) return undefined
      const size64 = Number(head.readBigUInt64LE(body + 8))
      dataBytes64 = size64 === 0 || size64 > Number.MAX_SAFE_INTEGER ? Infinity : size64
    }
    at = body + size + (size & 1)
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
  return TRAILING_CHUNKS.has(head.toString('latin1', body, body + 4)) ? 0 : Infinity
}

function readFmt(fmt: Words): PcmFormat | 'foreign' {
  const { length } = fmt.bytes
  if (length < FMT_BYTES) throw malformed(`its fmt chunk has ${length} bytes; expected 16 or more`)
  const channels = fmt.u16(2)
  const sampleRateHertz = fmt.u32(4)
  const blockBytes = fmt.u16(12)
  const bits = fmt.u16(14)
  const tag = formatTag(fmt)
  // wValidBitsPerSample needs no reading: the valid bits are the upper ones of their container.
  const sampleBytes = tag === WAVE_FORMAT_ALAW || tag === WAVE_FORMAT_MULAW ? 1 : Math.ceil(bits / 8)
  const encoding = tag === undefined ? undefined : encodingOf(tag, sampleBytes)
  if (!encoding) return 'foreign'
  const wantedBytes = sampleBytes * channels
  if (blockBytes !== wantedBytes) {
    const made = `${channels} channels of ${8 * sampleBytes} bits make ${wantedBytes}`
    throw malformed(`its block align is ${blockBytes} bytes; ${made}`)
  }
  const ordered = fmt.bigEndian ? (encoding.replace('le', 'be') as PcmEncoding) : encoding
  return checkContainerFormat({ encoding: ordered, sampleRateHertz, channels }, 'WAV')
}

function formatTag(fmt: Words): number | undefined {
  const tag = fmt.u16(0)
  if (tag !== WAVE_FORMAT_EXTENSIBLE) return tag
  const { length } = fmt.bytes
  if (length < FMT_EXTENSIBLE_BYTES)
    throw malformed(`its extensible fmt chunk has ${length} bytes; expected 40`)
  const known = fmt.u16(28) === SUBTYPE_WORDS[0] && fmt.u16(30) === SUBTYPE_WORDS[1]
  return known && fmt.bytes.subarray(32, 40).equals(SUBTYPE_BYTES) ? fmt.u32(24) : undefined
}

const INTEGER_ENCODINGS: readonly (PcmEncoding | undefined)[] = [undefined, 'u8', 's16le', 's24le', 's32le']

function encodingOf(tag: number, sampleBytes: number): PcmEncoding | undefined {
  if (tag === WAVE_FORMAT_PCM) return INTEGER_ENCODINGS[sampleBytes]
  if (tag === WAVE_FORMAT_IEEE_FLOAT)
    return sampleBytes === 4 ? 'f32le' : sampleBytes === 8 ? 'f64le' : undefined
  if (tag === WAVE_FORMAT_ALAW) return 'alaw'
  if (tag === WAVE_FORMAT_MULAW) return 'mulaw'
  return undefined
}

function malformed(why: string): SttError {
  return new SttError('STT_ERR_DECODE', `this WAV file contradicts itself: ${why}`)
}

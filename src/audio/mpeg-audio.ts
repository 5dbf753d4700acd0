/*
 * Frame headers of MPEG audio (ISO/IEC 11172-3, 13818-3, and the "2.5" extension to low rates) and of ADTS
 * (ISO/IEC 13818-7): eleven or twelve set bits, then what the frame holds and how long it is. Eleven set bits are
 * nothing rare in other data, so a stream is known by two headers that agree, a frame's length apart.
 */

/** What two frame headers say that follow one another: MPEG audio of any layer, or AAC in ADTS. */
export interface MpegAudio {
  readonly codec: 'mp3' | 'aac'
  /** Of MPEG audio; 0 where an ADTS header leaves it to the payload. */
  readonly channels: number
  /** Whether its headers tell no bit rate, so that a frame ends where the next is found. */
  readonly isFreeFormat: boolean
}

interface FrameHeader extends Omit<MpegAudio, 'isFreeFormat'> {
  /** Bytes to the next header; undefined where the header does not say (free format). */
  readonly frameBytes: number | undefined
  /** What no frame of a stream changes. */
  readonly constant: string
}

const HEADER_BYTES = 6
/** The longest free-format frame: 640 kbit/s at 32 kHz, layer III (decoders take no more). */
const FREE_FORMAT_BYTES = 2_881

const KBITS: Readonly<Record<string, readonly number[]>> = {
  '1-1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1-2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1-3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2-1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2-2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  '2-3': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
const RATES = [44_100, 48_000, 32_000] as const
const MONO = 3

/**
 * @returns undefined while more bytes are needed, 'other' where the bytes are no such stream
 */
export function mpegAudio(head: Uint8Array): MpegAudio | 'other' | undefined {
  const first = readFrameHeader(head, 0)
  if (typeof first !== 'object') return first
  const candidates = first.frameBytes === undefined ? freeFormatEnds(head) : [first.frameBytes]
  for (const at of candidates) {
    const second = readFrameHeader(head, at)
    if (second === undefined) return undefined
    if (second !== 'other' && second.constant === first.constant)
      return {
        codec: first.codec,
        channels: first.channels,
        isFreeFormat: first.frameBytes === undefined,
      }
  }
  return first.frameBytes === undefined && head.length < FREE_FORMAT_BYTES + HEADER_BYTES
    ? undefined
    : 'other'
}

/** Where the next frame of a free-format stream may begin. */
function* freeFormatEnds(head: Uint8Array): Generator<number> {
  for (let at = HEADER_BYTES; at <= FREE_FORMAT_BYTES && at + HEADER_BYTES <= head.length; at++) {
    if (head[at] === head[0] && head[at + 1] === head[1]) yield at
  }
}

function readFrameHeader(head: Uint8Array, at: number): FrameHeader | 'other' | undefined {
  if (at < head.length && head[at] !== 0xff) return 'other'
  if (at + 1 < head.length && (head[at + 1]! & 0xe0) !== 0xe0) return 'other'
  if (at + HEADER_BYTES > head.length) return undefined
  const [, sync = 0, rates = 0, mode = 0, length = 0, lengthEnd = 0] = head.subarray(at, at + HEADER_BYTES)
  return (sync & 0xf6) === 0xf0 ? adts(sync, rates, mode, length, lengthEnd) : mpeg(sync, rates, mode)
}

function adts(
  sync: number,
  profile: number,
  mode: number,
  length: number,
  lengthEnd: number,
): FrameHeader | 'other' {
  const rateIndex = (profile >> 2) & 15
  const frameBytes = ((mode & 3) << 11) | (length << 3) | (lengthEnd >> 5)
  if (rateIndex > 12 || frameBytes < 7) return 'other'
  const channels = ((profile & 1) << 2) | (mode >> 6)
  return { codec: 'aac', channels, frameBytes, constant: `aac ${sync} ${profile & 0xfd} ${mode >> 6}` }
}

function mpeg(sync: number, rates: number, mode: number): FrameHeader | 'other' {
  const version = (sync >> 3) & 3
  const layer = 4 - ((sync >> 1) & 3)
  const bitrateIndex = rates >> 4
  const rate = RATES[(rates >> 2) & 3]
  if (version === 1 || layer === 4 || bitrateIndex === 15 || rate === undefined) return 'other'
  const isVersion1 = version === 3
  const sampleRateHertz = rate >> (isVersion1 ? 0 : version === 2 ? 1 : 2)
  const kbits = KBITS[`${isVersion1 ? 1 : 2}-${layer}`]?.[bitrateIndex - 1]
  const padding = (rates >> 1) & 1
  const bits = (kbits ?? 0) * 1000
  const frameBytes =
    layer === 1
      ? (Math.floor((12 * bits) / sampleRateHertz) + padding) * 4
      : Math.floor(((layer === 3 && !isVersion1 ? 72 : 144) * bits) / sampleRateHertz) + padding
  return {
    codec: 'mp3',
    channels: mode >> 6 === MONO ? 1 : 2,
    frameBytes: kbits === undefined ? undefined : frameBytes,
    constant: `${sync & 0xfe} ${rates & 0x0c} ${bitrateIndex === 0}`,
  }
}

/** The first packet of Opus in Ogg (RFC 7845, section 5.1). */
export interface OpusHead {
  /** 1 to 255. */
  readonly channels: number
  /** Samples at 48 kHz that the decoder makes first and nobody is to hear. */
  readonly preSkip: number
  /** By what every sample is multiplied. */
  readonly gain: number
  readonly streamCount: number
  readonly coupledStreamCount: number
  /** Which decoded channel each channel is. */
  readonly channelMapping: readonly number[]
}

const MAGIC = 'OpusHead'
/** Other versions of the same major one, the upper four bits, can be read as version 1. */
const MAX_VERSION = 15
const FIXED_BYTES = 19
/** A channel that is none of the decoded ones. */
const SILENT_CHANNEL = 255
/** The gain is in 1/256 dB. */
const GAIN_STEPS = 256

/** @returns undefined where it is none */
export function readOpusHead(packet: Buffer): OpusHead | undefined {
  if (packet.length < FIXED_BYTES || packet.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  const version = packet[8]!
  const channels = packet[9]!
  const family = packet[18]!
  if (version > MAX_VERSION || channels === 0) return undefined
  const head = {
    channels,
    preSkip: packet.readUInt16LE(10),
    gain: 10 ** (packet.readInt16LE(16) / GAIN_STEPS / 20),
  }
  if (family === 0) {
    if (channels > 2) return undefined
    return {
      ...head,
      streamCount: 1,
      coupledStreamCount: channels - 1,
      channelMapping: [0, 1].slice(0, channels),
    }
  }
  if (packet.length < FIXED_BYTES + 2 + channels) return undefined
  const [streamCount, coupledStreamCount] = [packet[19]!, packet[20]!]
  const channelMapping = [...packet.subarray(21, 21 + channels)]
  const decoded = streamCount + coupledStreamCount
  const isSound =
    coupledStreamCount <= streamCount &&
    channelMapping.every(from => from < decoded || from === SILENT_CHANNEL)
  return isSound ? { ...head, streamCount, coupledStreamCount, channelMapping } : undefined
}

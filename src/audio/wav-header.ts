import { blockAlign, bytesPerSample, checkPcmFormat, type PcmEncoding, type PcmFormat } from './pcm-format.js'
import {
  WAVE_FORMAT_ALAW,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_MULAW,
  WAVE_FORMAT_PCM,
} from './wave-format.js'

const FORMAT_TAGS: Partial<Record<PcmEncoding, number>> = {
  u8: WAVE_FORMAT_PCM,
  s16le: WAVE_FORMAT_PCM,
  s24le: WAVE_FORMAT_PCM,
  s32le: WAVE_FORMAT_PCM,
  f32le: WAVE_FORMAT_IEEE_FLOAT,
  f64le: WAVE_FORMAT_IEEE_FLOAT,
  alaw: WAVE_FORMAT_ALAW,
  mulaw: WAVE_FORMAT_MULAW,
}

const UNKNOWN_SIZE = 0xffffffff

/**
 * The header of a WAV file: these bytes, then the samples (and one zero byte where their count is odd).
 * @param dataBytes bytes of samples, 0 to 4 GiB less the header; without it the file is a stream of unknown length
 * @throws TypeError for an encoding that WAV does not know (big-endian, s8), RangeError for more than 4 GiB
 */
export function wavHeader(format: PcmFormat, dataBytes?: number): Buffer {
  checkPcmFormat(format, 'format')
  const tag = FORMAT_TAGS[format.encoding]
  if (tag === undefined) {
    const known = Object.keys(FORMAT_TAGS).join(', ')
    throw new TypeError(`format.encoding must be one of ${known} in a WAV file; got ${format.encoding}`)
  }
  // Everything but plain PCM owes a cbSize and a fact chunk.
  const plain = tag === WAVE_FORMAT_PCM
  const header = Buffer.alloc(plain ? 44 : 58)
  const maxDataBytes = UNKNOWN_SIZE - 1 - header.length
  if (
    dataBytes !== undefined &&
    !(Number.isInteger(dataBytes) && dataBytes >= 0 && dataBytes <= maxDataBytes)
  ) {
    throw new RangeError(`dataBytes must be an integer from 0 to ${maxDataBytes} bytes; got ${dataBytes}`)
  }
  const align = blockAlign(format)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(
    dataBytes === undefined ? UNKNOWN_SIZE : header.length - 8 + dataBytes + (dataBytes & 1),
    4,
  )
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(plain ? 16 : 18, 16)
  header.writeUInt16LE(tag, 20)
  header.writeUInt16LE(format.channels, 22)
  header.writeUInt32LE(format.sampleRateHertz, 24)
  header.writeUInt32LE(format.sampleRateHertz * align, 28)
  header.writeUInt16LE(align, 32)
  header.writeUInt16LE(8 * bytesPerSample(format.encoding), 34)
  if (!plain) {
    header.write('fact', 38, 'latin1')
    header.writeUInt32LE(4, 42)
    header.writeUInt32LE(dataBytes === undefined ? UNKNOWN_SIZE : Math.floor(dataBytes / align), 46)
  }
  header.write('data', header.length - 8, 'latin1')
  header.writeUInt32LE(dataBytes ?? UNKNOWN_SIZE, header.length - 4)
  return header
}

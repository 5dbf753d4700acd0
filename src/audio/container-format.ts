import { SttError } from '../errors.js'
import {
  MAX_CHANNELS,
  MAX_SAMPLE_RATE_HERTZ,
  MIN_SAMPLE_RATE_HERTZ,
  type PcmEncoding,
  type PcmFormat,
} from './pcm-format.js'

/**
 * Checks a format that a file declares, as `checkPcmFormat` checks a caller's.
 * @param container named in the message
 * @throws SttError STT_ERR_UNSUPPORTED_AUDIO for a rate or channel count out of range
 */
export function checkContainerFormat(format: PcmFormat, container: string): PcmFormat {
  const { sampleRateHertz, channels } = format
  // A rate may be NaN where the container keeps it as a float.
  if (!(sampleRateHertz >= MIN_SAMPLE_RATE_HERTZ && sampleRateHertz <= MAX_SAMPLE_RATE_HERTZ)) {
    const range = `${MIN_SAMPLE_RATE_HERTZ} to ${MAX_SAMPLE_RATE_HERTZ} Hz`
    throw new SttError(
      'STT_ERR_UNSUPPORTED_AUDIO',
      `this ${container} file has ${sampleRateHertz} Hz; expected ${range}`,
    )
  }
  if (channels < 1 || channels > MAX_CHANNELS) {
    throw new SttError(
      'STT_ERR_UNSUPPORTED_AUDIO',
      `this ${container} file has ${channels} channels; expected 1 to ${MAX_CHANNELS}`,
    )
  }
  return format
}

/** What a header that contradicts itself is answered with. */
export function malformed(container: string, why: string): SttError {
  return new SttError('STT_ERR_DECODE', `this ${container} file is malformed: ${why}`)
}

/** Two's complement of `bytes` a sample, which stands in the upper bits where the depth is less than that. */
export function integerEncoding(bytes: number, order: 'le' | 'be'): PcmEncoding | undefined {
  if (bytes === 1) return 's8'
  return bytes === 2 || bytes === 3 || bytes === 4 ? `s${(8 * bytes) as 16 | 24 | 32}${order}` : undefined
}

/** IEEE 754 of `bytes` a sample. */
export function floatEncoding(bytes: number, order: 'le' | 'be'): PcmEncoding | undefined {
  return bytes === 4 || bytes === 8 ? `f${(8 * bytes) as 32 | 64}${order}` : undefined
}

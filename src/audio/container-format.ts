import { SttError } from '../errors.js'
import { MAX_CHANNELS, MAX_SAMPLE_RATE_HERTZ, MIN_SAMPLE_RATE_HERTZ, type PcmFormat } from './pcm-format.js'

/**
 * Checks a format that a file declares, as `checkPcmFormat` checks a caller's.
 * @param container named in the message
 * @throws SttError STT_ERR_UNSUPPORTED_AUDIO for a rate or channel count out of range
 */
export function checkContainerFormat(format: PcmFormat, container: string): PcmFormat {
  const { sampleRateHertz, channels } = format
  if (sampleRateHertz < MIN_SAMPLE_RATE_HERTZ || sampleRateHertz > MAX_SAMPLE_RATE_HERTZ) {
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

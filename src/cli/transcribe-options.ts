import type { PcmFormat } from '../audio/pcm-format.js'
import type { ResamplerQuality } from '../audio/resampler-quality.js'
import type { StreamCommandOptions } from './stream-options.js'

/** What the command line says, as commander hands it over. */
export interface TranscribeOptions extends StreamCommandOptions {
  pace?: number | 'realtime' | false
  raw?: PcmFormat
  /** In ms. */
  start?: number
  /** In ms. */
  duration?: number
  track?: number
  channels?: number[] | 'separate'
  resamplerQuality?: ResamplerQuality
  outDir?: string
  progress?: boolean
}

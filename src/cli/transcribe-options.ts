import type { PcmFormat } from '../audio/pcm-format.js'
import type { ResamplerQuality } from '../audio/resampler-quality.js'
import type { Format } from './event-format.js'

/** What the command line says, as commander hands it over. */
export interface TranscribeOptions {
  local?: boolean
  url?: string
  apiKey?: string
  language?: string
  model?: string
  format: Format
  words?: boolean
  pace?: number | 'realtime' | false
  raw?: PcmFormat
  channels?: number[] | 'separate'
  resamplerQuality?: ResamplerQuality
  outDir?: string
  progress?: boolean
  quiet?: boolean
}

/**
 * What a resampler's filter keeps and what it costs. With f the smaller of the input rate and 16 kHz:
 *
 * - `high`: passes 0.468 f (-0.1 dB) and stops from 0.502 f on by 100 dB. Delay 4 to 5 ms at rates above 16 kHz,
 *   67 / f below: 8.4 ms at 8 kHz, 16.8 ms at 4 kHz.
 * - `fast`: passes 0.45 f (-0.1 dB) and stops from 0.55 f on by 99 dB, so that what lies just beyond half the
 *   rate folds into its last tenth. A third of the work and of the delay: for telephone calls and crowded hosts.
 */
export type ResamplerQuality = 'high' | 'fast'

/** In the order of `Quality` in native/resampler/prototype.h: the index crosses the border. */
export const RESAMPLER_QUALITIES: readonly ResamplerQuality[] = ['high', 'fast']

/** @throws TypeError for anything else */
export function checkResamplerQuality(quality: unknown): asserts quality is ResamplerQuality {
  if (!RESAMPLER_QUALITIES.includes(quality as ResamplerQuality)) {
    throw new TypeError(`quality must be 'high' or 'fast'; got ${String(quality)}`)
  }
}

import type { ResamplerQuality } from '../resampler-quality.js'
import { FAST_SPAN, HALF_BANDS, HIGH_SPAN, type HalfBandDesign } from './prototypes.js'

/**
 * Where a resampler's outputs stand between its inputs, and how long they wait. Constants and formulas are twins
 * of native/resampler/filter_table.cc and prototype.cc, where their reasons stand: change both or the backends
 * part.
 */

const OUTPUT_RATE_HERTZ = 16_000
const HALVED_FROM_HERTZ = 40_000
const SPAN: Record<ResamplerQuality, number> = { high: HIGH_SPAN, fast: FAST_SPAN }
/** In units of the output rate. */
const STOP_EDGE: Record<ResamplerQuality, number> = { high: 0.502, fast: 0.55 }

/**
 * Half-bands while the rate is high, then one polyphase filter. Behind the half-bands, output j stands at position
 * j * down / up, in lowest terms, and its `taps` weigh as many samples, half of them behind it; 0 at 16 kHz, where
 * nothing is filtered.
 */
export interface ResamplerGeometry {
  readonly halfBands: readonly HalfBandDesign[]
  readonly up: number
  readonly down: number
  readonly taps: number
  /** One sample of the polyphase filter's input in units of 1 / band, the prototype's unit of time. */
  readonly bandsPerSample: number
}

export function resamplerGeometry(
  sampleRateHertz: number,
  quality: ResamplerQuality = 'high',
): ResamplerGeometry {
  const halfBands: HalfBandDesign[] = []
  let rate = sampleRateHertz
  while (rate >= HALVED_FROM_HERTZ) {
    const stopEdge = (STOP_EDGE[quality] * OUTPUT_RATE_HERTZ) / rate
    const halfBand = HALF_BANDS.find(({ passEdge }) => passEdge >= stopEdge)
    if (!halfBand) break
    halfBands.push(halfBand)
    rate /= 2
  }
  const upRate = OUTPUT_RATE_HERTZ * 2 ** halfBands.length
  const divisor = greatestCommonDivisor(sampleRateHertz, upRate)
  const bandsPerSample = Math.min(rate, OUTPUT_RATE_HERTZ) / rate
  return {
    halfBands,
    up: upRate / divisor,
    down: sampleRateHertz / divisor,
    taps: sampleRateHertz === OUTPUT_RATE_HERTZ ? 0 : 2 * Math.ceil(SPAN[quality] / 2 / bandsPerSample),
    bandsPerSample,
  }
}

/** Samples that `inputSamples` make in all: ceil(inputSamples * 16000 / rate). */
export function outputsOf({ halfBands, up, down }: ResamplerGeometry, inputSamples: number): number {
  return ceilScaled(inputSamples, up, down * 2 ** halfBands.length)
}

/** Samples that have come out when `inputSamples` have gone in and the end has not come. */
export function outputsReadyAfter(geometry: ResamplerGeometry, inputSamples: number): number {
  let samples = inputSamples
  for (const { taps } of geometry.halfBands) samples = Math.max(0, Math.ceil((samples + 1) / 2) - taps.length)
  const settled = samples - geometry.taps / 2
  return settled > 0 ? ceilScaled(settled, geometry.up, geometry.down) : 0
}

/** The most samples that come out as `inputSamples` more go in. */
export function maxOutputsOf(geometry: ResamplerGeometry, inputSamples: number): number {
  let samples = inputSamples
  for (let stage = 0; stage < geometry.halfBands.length; stage++) samples = Math.ceil(samples / 2)
  return ceilScaled(samples, geometry.up, geometry.down)
}

/** The most samples that are still to come at the end. */
export function maxHeldOutputs(geometry: ResamplerGeometry): number {
  const reach = geometry.halfBands.reduceRight((sum, { taps }) => 2 * (sum + taps.length), geometry.taps / 2)
  return outputsOf(geometry, reach) + 1
}

/** ceil(count * up / down), exact beyond 2^53 / up too. */
function ceilScaled(count: number, up: number, down: number): number {
  const rest = count % down
  return ((count - rest) / down) * up + Math.ceil((rest * up) / down)
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

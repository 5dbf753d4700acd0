import type { ResamplerQuality } from '../resampler-quality.js'

/**
 * One stream's resampler, native or portable: interleaved PCM in, 16 kHz mono LINEAR16 out. Both make the
 * same bytes however the input is split, and agree with each other within one LINEAR16 step.
 */
export interface PcmResampler {
  /**
   * Reads whole blocks (one sample of every channel) and writes what they complete.
   * @returns samples written to `output`
   * @throws RangeError for a torn block or an output shorter than `maxOutput(input.length)` samples
   */
  process(input: Uint8Array, output: Uint8Array): number
  /**
   * Writes the samples that waited for more input, and starts anew.
   * @returns samples written to `output`
   * @throws RangeError for an output shorter than `maxFlush` samples
   */
  flush(output: Uint8Array): number
  /** The most samples that `process` makes of so many bytes. */
  maxOutput(bytes: number): number
  /** The most samples that `flush` makes. */
  readonly maxFlush: number
  /** NaN and infinite samples read as silence since construction. */
  readonly nonFinite: number
}

export interface PcmResamplerOptions {
  /** Default `'high'`. */
  quality?: ResamplerQuality | undefined
  /** The gain of each channel. Default: the mean of all. */
  mix?: Float32Array | undefined
}

const BYTES_PER_OUTPUT = 2

/** Guards a resampler's `process`: native code trusts what this lets through. */
export function checkProcess(resampler: PcmResampler, block: number, input: Uint8Array, output: Uint8Array) {
  if (input.length % block !== 0) {
    throw new RangeError(`input must hold whole blocks of ${block} bytes; got ${input.length} bytes`)
  }
  checkCapacity(output, resampler.maxOutput(input.length))
}

/** Guards a resampler's `flush`. */
export function checkFlush(resampler: PcmResampler, output: Uint8Array): void {
  checkCapacity(output, resampler.maxFlush)
}

function checkCapacity(output: Uint8Array, samples: number): void {
  const bytes = samples * BYTES_PER_OUTPUT
  if (output.length < bytes) {
    throw new RangeError(`output must hold at least ${bytes} bytes; got ${output.length}`)
  }
}

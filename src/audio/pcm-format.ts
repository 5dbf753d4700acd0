/**
 * How one sample is stored. Integers are two's complement but for `u8`, which is offset binary;
 * `le`/`be` is the byte order; `mulaw` and `alaw` are the two companding laws of ITU-T G.711.
 * `s16le` is the encoding that the service calls LINEAR16.
 */
export const PCM_ENCODINGS = [
  'u8',
  's8',
  's16le',
  's16be',
  's24le',
  's24be',
  's32le',
  's32be',
  'f32le',
  'f32be',
  'f64le',
  'f64be',
  'mulaw',
  'alaw',
] as const

/** How one sample is written. `s16le` is what the service calls LINEAR16. */
export type PcmEncoding = (typeof PCM_ENCODINGS)[number]

/** Uncompressed (or G.711) interleaved audio: everything needed to read it. */
export interface PcmFormat {
  /** How one sample is written. */
  readonly encoding: PcmEncoding
  /** Samples per second of one channel, in Hz: 4 000 to 384 000. */
  readonly sampleRateHertz: number
  /** 1 to 8, interleaved. */
  readonly channels: number
}

export const MIN_SAMPLE_RATE_HERTZ = 4_000
export const MAX_SAMPLE_RATE_HERTZ = 384_000
export const MAX_CHANNELS = 8

/** What leaves the resampler: 16 kHz mono LINEAR16, the rate that the service recognises best. */
export const LINEAR16_16K: PcmFormat = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }

/** Bytes of LINEAR16 per millisecond at 16 kHz mono. */
export const BYTES_PER_MS = 32

const BYTES_PER_SAMPLE: Record<PcmEncoding, number> = {
  u8: 1,
  s8: 1,
  s16le: 2,
  s16be: 2,
  s24le: 3,
  s24be: 3,
  s32le: 4,
  s32be: 4,
  f32le: 4,
  f32be: 4,
  f64le: 8,
  f64be: 8,
  mulaw: 1,
  alaw: 1,
}

/** Bytes of one sample of one channel. */
export function bytesPerSample(encoding: PcmEncoding): number {
  return BYTES_PER_SAMPLE[encoding]
}

/** Bytes of one sample of every channel: the unit that must not be torn apart. */
export function blockAlign(format: PcmFormat): number {
  return BYTES_PER_SAMPLE[format.encoding] * format.channels
}

/** How long `bytes` of this format play, in ms (fractional). */
export function durationMs(format: PcmFormat, bytes: number): number {
  return (bytes / blockAlign(format) / format.sampleRateHertz) * 1000
}

/**
 * Checks a format that a caller declares.
 * @throws TypeError for a wrong type or unknown encoding, RangeError for a rate or channel count out of range
 */
export function checkPcmFormat(format: PcmFormat, name: string): void {
  const { encoding, sampleRateHertz, channels } = format
  if (!PCM_ENCODINGS.includes(encoding)) {
    throw new TypeError(
      `${name}.encoding must be one of ${PCM_ENCODINGS.join(', ')}; got ${describe(encoding)}`,
    )
  }
  checkInteger(`${name}.sampleRateHertz`, sampleRateHertz, MIN_SAMPLE_RATE_HERTZ, MAX_SAMPLE_RATE_HERTZ, 'Hz')
  checkInteger(`${name}.channels`, channels, 1, MAX_CHANNELS, 'channels')
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : typeof value
}

function checkInteger(name: string, value: unknown, min: number, max: number, unit: string): void {
  const range = `an integer from ${min} to ${max} ${unit}`
  if (typeof value !== 'number') throw new TypeError(`${name} must be ${range}; got ${typeof value}`)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be ${range}; got ${value}`)
  }
}

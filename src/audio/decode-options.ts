import { FfmpegLimiter } from './ffmpeg-limiter.js'
import { checkPcmFormat, type PcmFormat } from './pcm-format.js'

const GIB = 1024 ** 3
const MAX_TIMER_MS = 2 ** 31 - 1

/** How to decode. Nothing is needed where the bytes are a file of any kind. */
export interface DecodeOptions {
  /**
   * The bytes are raw samples in this format; they pass untouched, and a header before them is an error. 'auto'
   * (default): the bytes tell what they are.
   */
  input?: PcmFormat | 'auto'
  /**
   * The decoder reads this file itself, so that even one that must be sought needs no temporary copy. Nothing may be
   * written to it then. Default: the bytes are written.
   */
  path?: string
  /**
   * Who decodes what is not read in process anyway. 'auto': mp3 and Opus in Ogg that are written are decoded in
   * process where the packages mpg123-decoder and opus-decoder are installed; ffmpeg
   * decodes all else, and files by their path. 'ffmpeg': ffmpeg decodes everything that has a header. Default 'auto'.
   */
  decoder?: 'auto' | 'ffmpeg'
  /** Where in the source to begin, in ms, from 0 up. Default 0. */
  startMs?: number
  /** How much of the source to decode, in ms, above 0. What is written beyond it is dropped. Default: all. */
  durationMs?: number
  /** Look at the audio for what spoils transcripts, and warn of it. Default true. */
  inspect?: boolean
  /** The ffmpeg to run. Default: the environment variable FFMPEG_PATH, else that of the package ffmpeg-static, else the first in PATH. */
  ffmpegPath?: string
  /**
   * The largest temporary file, in bytes, from 0 up. Written only for what comes as a stream and has its index at the
   * end: many an mp4, and CAF with a codec. Default 1 GiB.
   */
  spoolLimitBytes?: number
  /**
   * How long ffmpeg may make no progress while it has work, in ms, 1 to 2 147 483 647; no limit on the decoding as a
   * whole, nor on a source that pauses. Default 30 000.
   */
  ffmpegStallTimeoutMs?: number
  /** How much ffmpeg leaves to others, 0 to 19: its niceness. Default: that of this process. */
  ffmpegNiceness?: number
  /** A limit on ffmpeg processes that this decoder shares with others. Default: none. */
  ffmpegLimiter?: FfmpegLimiter
  /**
   * The source is live: ffmpeg looks ahead 0.1 s (in an MPEG transport stream 2 s) and not up to 5 s before the first
   * sample comes. Default false.
   */
  live?: boolean
  /**
   * The audio track to decode, counted from 0. Default: ffmpeg's choice, which is the track marked as default, else the
   * one with most channels.
   */
  track?: number
  /** Destroys the decoder with Node's AbortError. */
  signal?: AbortSignal
}

/** The options with their defaults. */
export type CheckedDecodeOptions = Omit<DecodeOptions, 'input'> & {
  input?: PcmFormat | undefined
} & Required<Pick<DecodeOptions, 'decoder' | 'inspect' | 'spoolLimitBytes' | 'ffmpegStallTimeoutMs'>>

const NAMES = [
  'input',
  'path',
  'decoder',
  'startMs',
  'durationMs',
  'inspect',
  'ffmpegPath',
  'spoolLimitBytes',
  'ffmpegStallTimeoutMs',
  'ffmpegNiceness',
  'ffmpegLimiter',
  'live',
  'track',
  'signal',
]
/** ffmpeg's own bound on streams. */
const MAX_TRACK = 999
const DECODERS: readonly string[] = ['auto', 'ffmpeg']
const FORMAT_NAMES = ['encoding', 'sampleRateHertz', 'channels']

/** @throws TypeError for an unknown option or a wrong type, RangeError for a number out of range */
export function checkDecodeOptions(options: DecodeOptions): CheckedDecodeOptions {
  checkNames('decode options', options, NAMES)
  const { spoolLimitBytes = GIB, ffmpegStallTimeoutMs = 30_000, decoder = 'auto', inspect = true } = options
  checkInteger('spoolLimitBytes', spoolLimitBytes, 0, Number.MAX_SAFE_INTEGER, 'bytes')
  checkInteger('ffmpegStallTimeoutMs', ffmpegStallTimeoutMs, 1, MAX_TIMER_MS, 'ms')
  checkPath('path', options.path)
  checkPath('ffmpegPath', options.ffmpegPath)
  checkMs('startMs', options.startMs, true)
  checkMs('durationMs', options.durationMs, false)
  if (!DECODERS.includes(decoder))
    throw new TypeError(`decoder must be one of ${DECODERS.join(', ')}; got ${describe(decoder)}`)
  if (typeof inspect !== 'boolean') throw new TypeError(`inspect must be a boolean; got ${describe(inspect)}`)
  const { signal, ffmpegNiceness = 0, ffmpegLimiter, live = false, track = 0 } = options
  checkInteger('ffmpegNiceness', ffmpegNiceness, 0, 19)
  if (ffmpegLimiter !== undefined && !(ffmpegLimiter instanceof FfmpegLimiter))
    throw new TypeError(`ffmpegLimiter must be an FfmpegLimiter; got ${describe(ffmpegLimiter)}`)
  if (typeof live !== 'boolean') throw new TypeError(`live must be a boolean; got ${describe(live)}`)
  checkInteger('track', track, 0, MAX_TRACK)
  if (signal !== undefined && !isAbortSignal(signal))
    throw new TypeError(`signal must be an AbortSignal; got ${describe(signal)}`)
  const input = checkedInput(options.input)
  return { ...options, input, decoder, inspect, spoolLimitBytes, ffmpegStallTimeoutMs }
}

function checkedInput(input: PcmFormat | 'auto' | undefined): PcmFormat | undefined {
  if (input === undefined || input === 'auto') return undefined
  checkNames('input', input, FORMAT_NAMES)
  checkPcmFormat(input, 'input')
  return { ...input }
}

function checkMs(name: string, value: unknown, zeroToo: boolean): void {
  if (value === undefined) return
  const expected = `${name} must be a number ${zeroToo ? 'from' : 'above'} 0 ms`
  if (typeof value !== 'number') throw new TypeError(`${expected}; got ${describe(value)}`)
  if (!Number.isFinite(value) || value < 0 || (value === 0 && !zeroToo))
    throw new RangeError(`${expected}; got ${value}`)
}

function checkNames(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${what} must be an object; got ${describe(value)}`)
  }
  const unknown = Object.keys(value).find(name => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`${what} must be among ${known.join(', ')}; got ${unknown}`)
}

function checkPath(name: string, value: unknown): void {
  if (value === undefined) return
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw new TypeError(`${name} must be a path, a string without NUL; got ${describe(value)}`)
  }
}

function checkInteger(name: string, value: unknown, min: number, max: number, unit?: string): void {
  const expected = `${name} must be an integer from ${min} to ${max}${unit ? ` ${unit}` : ''}`
  if (typeof value !== 'number') throw new TypeError(`${expected}; got ${describe(value)}`)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${expected}; got ${value}`)
}

/** Node's own test: signals of another realm count too. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}

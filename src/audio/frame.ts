import { Transform, type TransformCallback } from 'node:stream'
import { createVoiceActivity } from '../native.js'
import { BYTES_PER_MS } from './pcm-format.js'
import { ENERGY, HOPS, REPORT_LENGTH, SPEECH_HOPS } from './portable/voice-activity-meter.js'

/** One fixed-duration slice of 16 kHz mono LINEAR16: the content of one audio message. */
export interface Frame {
  /** Where its first sample stands on the source's clock, in ms. */
  readonly startMs: number
  /** LINEAR16 bytes, padding included. */
  readonly pcm: Buffer
  /** How much of it is the source's, in ms. */
  readonly sourceMs: number
  /** Zeros appended to reach the minimum, in ms: never source time. */
  readonly insertedMs: number
  /** Whether the voice activity detector heard speech in it. */
  readonly voiced: boolean
  /** RMS level of the source's part, dB relative to full scale; -100 for silence. */
  readonly levelDb: number
}

/** Stands between two frames: the speaker's turn ends here. */
export interface EndTurnMark {
  readonly endTurn: true
}

/** What leaves a {@link Framer}. */
export type FrameOrMark = Frame | EndTurnMark

/** Options of {@link frame}. */
export interface FrameOptions {
  /** Duration of a frame, an integer from 20 to 1000 ms. Default 100. */
  frameMs?: number
  /** Shorter rests are padded with zeros up to this, in ms, 20 to `frameMs`. Default 20. */
  minFrameMs?: number
  /** Where the input's first sample stands on the source's clock, in ms. Default 0. */
  startMs?: number
  /** Aborting destroys the stream with an AbortError. */
  signal?: AbortSignal
}

/** The service takes chunks of 20 to 1000 ms (protocol B3). */
export const MIN_FRAME_MS = 20
export const MAX_FRAME_MS = 1_000
const SILENCE_DB = -100
/** A frame counts as speech from this share of its 10 ms hops on, or from so many: a short word in a long frame. */
const SPEECH_SHARE = 0.3
const SPEECH_ENOUGH_HOPS = 7

/**
 * Slices 16 kHz mono LINEAR16 into frames.
 * @throws TypeError, RangeError for options out of range
 */
export function frame(options: FrameOptions = {}): Framer {
  return new Framer(options)
}

/** The stream of {@link frame}. */
export class Framer extends Transform {
  readonly #frameBytes: number
  #minFrameBytes: number
  readonly #startMs: number
  readonly #voiceActivity = createVoiceActivity()
  readonly #report = new Float64Array(REPORT_LENGTH)
  /** The frame being filled. */
  #pcm: Buffer
  #filled = 0
  /** LINEAR16 bytes taken from the source. */
  #bytesIn = 0
  readonly #marks: number[] = []

  constructor(options: FrameOptions = {}) {
    const { frameMs = 100, minFrameMs = Math.min(MIN_FRAME_MS, frameMs), startMs = 0, signal } = options
    // About a second of frames may wait.
    super({ readableObjectMode: true, readableHighWaterMark: Math.ceil(1_000 / frameMs) || 1, signal })
    checkMs('frameMs', frameMs, MIN_FRAME_MS, MAX_FRAME_MS)
    checkMs('minFrameMs', minFrameMs, MIN_FRAME_MS, frameMs)
    this.#frameBytes = frameMs * BYTES_PER_MS
    this.#minFrameBytes = minFrameMs * BYTES_PER_MS
    this.#startMs = startMs
    this.#pcm = Buffer.allocUnsafe(this.#frameBytes)
  }

  /** Shorter rests are padded up to this, in ms. */
  get minFrameMs(): number {
    return this.#minFrameBytes / BYTES_PER_MS
  }

  /** From here on, shorter rests are padded up to this, in ms, 20 to `frameMs`. */
  set minFrameMs(ms: number) {
    checkMs('minFrameMs', ms, MIN_FRAME_MS, this.#frameBytes / BYTES_PER_MS)
    this.#minFrameBytes = ms * BYTES_PER_MS
  }

  /**
   * Ends the turn after `samples` samples of this stage's input: the frame is cut there (padded to the minimum)
   * and an EndTurnMark follows. At once when that many have been framed already.
   */
  endTurnAt(samples: number): void {
    this.#marks.push(samples * 2)
    this.#cutAtMarks()
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    let offset = 0
    while (offset < chunk.length) {
      const untilMark = (this.#marks[0] ?? Infinity) - this.#bytesIn
      const taken = Math.min(chunk.length - offset, this.#frameBytes - this.#filled, untilMark)
      chunk.copy(this.#pcm, this.#filled, offset, offset + taken)
      offset += taken
      this.#filled += taken
      this.#bytesIn += taken
      if (this.#filled === this.#frameBytes) this.#emit()
      this.#cutAtMarks()
    }
    callback()
  }

  override _flush(callback: TransformCallback): void {
    this.#emit()
    while (this.#marks.shift() !== undefined) this.push({ endTurn: true } satisfies EndTurnMark)
    callback()
  }

  #cutAtMarks(): void {
    while (this.#marks[0] !== undefined && this.#marks[0] <= this.#bytesIn) {
      this.#marks.shift()
      this.#emit()
      this.push({ endTurn: true } satisfies EndTurnMark)
    }
  }

  #emit(): void {
    // Half a sample at the end of the source is no sample.
    const sourceBytes = this.#filled & ~1
    if (sourceBytes === 0) return
    const length = Math.max(sourceBytes, this.#minFrameBytes)
    const pcm = this.#pcm.subarray(0, length)
    pcm.fill(0, sourceBytes)
    this.#voiceActivity.process(pcm.subarray(0, sourceBytes), this.#report)
    const hops = this.#report[HOPS]!
    const speechHops = this.#report[SPEECH_HOPS]!
    const result: Frame = {
      startMs: this.#startMs + (this.#bytesIn - this.#filled) / BYTES_PER_MS,
      pcm,
      sourceMs: sourceBytes / BYTES_PER_MS,
      insertedMs: (length - sourceBytes) / BYTES_PER_MS,
      voiced: speechHops > 0 && speechHops >= Math.min(SPEECH_SHARE * hops, SPEECH_ENOUGH_HOPS),
      levelDb: levelDb(this.#report[ENERGY]!, sourceBytes / 2),
    }
    this.#pcm = Buffer.allocUnsafe(this.#frameBytes)
    this.#filled = 0
    this.push(result)
  }
}

function levelDb(energy: number, samples: number): number {
  const rms = Math.sqrt(energy / samples) / 32_768
  return rms === 0 ? SILENCE_DB : Math.max(SILENCE_DB, 20 * Math.log10(rms))
}

function checkMs(name: string, value: unknown, min: number, max: number): void {
  const expected = `${name} must be an integer from ${min} to ${max} ms`
  if (typeof value !== 'number') throw new TypeError(`${expected}; got ${typeof value}`)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${expected}; got ${value}`)
}

import { EncodingCheck } from './inspect-encoding.js'
import { HEADER_BYTES, HeaderCheck } from './inspect-header.js'
import { LevelCheck } from './inspect-levels.js'
import { RateCheck } from './inspect-rate.js'
import type { InspectWarning, WarnOfAudio } from './inspect-warning.js'
import { blockAlign, bytesPerSample, durationMs, type PcmFormat } from './pcm-format.js'
import { readFloats } from './pcm-floats.js'

/** There is a window every 125 ms in the first 16 s, where mistakes show, and one every 5 s after that. */
const STEP_MS = 125
const EARLY_WINDOWS = 128
const SPARSE_STEPS = 40
/** Early windows touch, for headers and for the pace of speech; later ones are as long as a spectrum needs. */
const SHORT_WINDOW_MS = 32
/** Of formats with many wide channels windows are shorter, and never touch. */
const MAX_WINDOW_BYTES = 128 * 1024
/** Levels and encoding are judged by the beginning of each window. */
const GLANCE_MS = 16

/**
 * Looks at audio for what makes transcripts fail, and says so: silence, clipping, an offset, absurd levels, a dead
 * channel, samples in another encoding or at another rate than declared, headers among them. Each code comes once per stream.
 *
 * It is shown every chunk, and looks at little: for headers and pace at all of the first 16 s, for the rest at 16 to
 * 32 ms in every 125, and later at as much in every 5 s. Where it looks depends on positions in the audio alone, so that no split of it into
 * chunks changes what is found.
 */
export class Inspector {
  // Bytes of a window are collected in `#bytes`, behind the last few of the window before, in case a header begins
  // there. `#position` is where the next chunk begins, in bytes; `#windowStart` where the window does.
  readonly #format: PcmFormat
  readonly #stepBytes: number
  readonly #longWindowBytes: number
  /** Whether early windows do; with less than that there is no telling a rate. */
  readonly #touch: boolean
  readonly #shortWindowBytes: number
  readonly #glanceBytes: number
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #samples: Float32Array
  readonly #header: HeaderCheck
  readonly #levels: LevelCheck
  readonly #encoding: EncodingCheck
  readonly #rate: RateCheck | undefined
  #position = 0
  #windows = 0
  #windowStart = 0
  #windowBytes: number
  #filled = 0

  /**
   * @param warn called from within look() and end()
   * @param judgesRate whether the rate may be wrong: declared by a caller, it is a guess more often than in a file
   */
  constructor(format: PcmFormat, warn: WarnOfAudio, judgesRate = true) {
    const block = blockAlign(format)
    const bytesFor = (ms: number) => Math.ceil((ms * format.sampleRateHertz) / 1_000) * block
    this.#format = format
    const longest = MAX_WINDOW_BYTES - (MAX_WINDOW_BYTES % block)
    this.#stepBytes = bytesFor(STEP_MS)
    this.#longWindowBytes = this.#windowBytes = Math.min(this.#stepBytes, longest)
    this.#touch = this.#longWindowBytes === this.#stepBytes
    this.#shortWindowBytes = Math.min(bytesFor(SHORT_WINDOW_MS), longest)
    this.#glanceBytes = Math.min(bytesFor(GLANCE_MS), longest)
    this.#bytes = Buffer.alloc(HEADER_BYTES + this.#windowBytes)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + HEADER_BYTES, this.#windowBytes)
    this.#samples = new Float32Array(this.#windowBytes / bytesPerSample(format.encoding))
    const warnOnce = once(warn)
    this.#header = new HeaderCheck(format, warnOnce)
    this.#levels = new LevelCheck(format, warnOnce)
    this.#encoding = new EncodingCheck(format, warnOnce)
    if (judgesRate) this.#rate = new RateCheck(format, warnOnce)
  }

  /** @param samples the next bytes of the audio, split anywhere */
  look(samples: Buffer): void {
    const chunkStart = this.#position
    this.#position += samples.length
    for (;;) {
      const from = this.#windowStart + this.#filled - chunkStart
      if (from >= samples.length) return
      const end = from + this.#windowBytes - this.#filled
      this.#filled += samples.copy(this.#bytes, HEADER_BYTES + this.#filled, from, end)
      if (this.#filled < this.#windowBytes) return
      this.#examine()
      this.#nextWindow()
    }
  }

  /** The audio is over: what has not been judged yet is. */
  end(): void {
    if (this.#filled > 0) this.#examine()
    const endMs = durationMs(this.#format, this.#position)
    this.#levels.end(endMs)
    this.#encoding.end()
    this.#rate?.end()
  }

  #examine(): void {
    const bytes = this.#bytes.subarray(0, HEADER_BYTES + this.#filled)
    this.#header.look(bytes, this.#windowStart - HEADER_BYTES)
    // While there is nothing but silence every sample is read: a click elsewhere would belie the warning.
    const wanted = this.#levels.isSilent ? this.#windowBytes : this.#glanceBytes
    const block = blockAlign(this.#format)
    const read = Math.min(wanted, this.#filled - (this.#filled % block))
    if (read === 0) return
    const samples = this.#samples.subarray(0, read / bytesPerSample(this.#format.encoding))
    readFloats(this.#view, this.#format.encoding, samples)
    const startMs = durationMs(this.#format, this.#windowStart)
    const endMs = durationMs(this.#format, this.#windowStart + this.#filled)
    const view = new DataView(this.#view.buffer, this.#view.byteOffset, this.#filled - (this.#filled % block))
    const glance = { samples, view, startMs, endMs }
    this.#levels.look(glance)
    this.#encoding.look(glance)
    if (!this.#touch) return
    if (this.#isEarly) this.#rate?.look(glance)
    else this.#rate?.end()
  }

  get #isEarly(): boolean {
    return this.#windows < EARLY_WINDOWS
  }

  #nextWindow(): void {
    // Where the next window touches this one, a header may begin at the end of this one.
    if (this.#windowBytes === this.#stepBytes) this.#bytes.copyWithin(0, this.#windowBytes)
    else this.#bytes.fill(0, 0, HEADER_BYTES)
    this.#windows++
    this.#windowStart += this.#stepBytes * (this.#isEarly ? 1 : SPARSE_STEPS)
    this.#windowBytes = this.#isEarly ? this.#longWindowBytes : this.#shortWindowBytes
    this.#filled = 0
  }
}

function once(warn: WarnOfAudio): WarnOfAudio {
  const said = new Set<InspectWarning['code']>()
  return warning => {
    if (said.has(warning.code)) return
    said.add(warning.code)
    warn(warning)
  }
}

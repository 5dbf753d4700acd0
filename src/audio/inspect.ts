import { EncodingCheck } from './inspect-encoding.js'
import { HEADER_BYTES, HeaderCheck } from './inspect-header.js'
import { LevelCheck } from './inspect-levels.js'
import type { InspectWarning, WarnOfAudio } from './inspect-warning.js'
import { blockAlign, bytesPerSample, durationMs, type PcmFormat } from './pcm-format.js'
import { readFloats } from './pcm-floats.js'

/** Audio is looked at in windows. Headers are sought in all of a window, the rest is read from a glance at its start. */
const WINDOW_MS = 125
const GLANCE_MS = 32
/** Of formats with many wide channels a window is shorter, and those of the first 20 s do not touch. */
const MAX_WINDOW_BYTES = 128 * 1024
/** The first windows follow one another: 20 s, in which mistakes show. */
const OPENING_WINDOWS = 160
/** After them there is one every 5 s. */
const SPARSE_STEP = 40

/**
 * Looks at audio for what makes transcripts fail, and says so: silence, clipping, an offset, absurd levels, a dead
 * channel, samples in another encoding than declared, headers among them. Each code comes once per stream.
 *
 * It is shown every chunk, and looks at little: all of the first 20 s, a quarter of it sample by sample, then an
 * eighth of a second every 5 s. Where it looks depends on positions in the audio alone, so that no split of it into
 * chunks changes what is found.
 */
export class Inspector {
  // Bytes of a window are collected in `#bytes`, behind the last few of the window before, in case a header begins
  // there. `#position` is where the next chunk begins, in bytes; `#windowStart` where the window does.
  readonly #format: PcmFormat
  /** From one window to the next, where they follow one another. */
  readonly #stepBytes: number
  readonly #windowBytes: number
  readonly #glanceBytes: number
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #samples: Float32Array
  readonly #header: HeaderCheck
  readonly #levels: LevelCheck
  readonly #encoding: EncodingCheck
  #position = 0
  #windows = 0
  #windowStart = 0
  #filled = 0

  /** @param warn called from within look() and end() */
  constructor(format: PcmFormat, warn: WarnOfAudio) {
    const block = blockAlign(format)
    const bytesFor = (ms: number) => Math.ceil((ms * format.sampleRateHertz) / 1_000) * block
    this.#format = format
    this.#stepBytes = bytesFor(WINDOW_MS)
    this.#windowBytes = Math.min(this.#stepBytes, MAX_WINDOW_BYTES - (MAX_WINDOW_BYTES % block))
    this.#glanceBytes = Math.min(bytesFor(GLANCE_MS), this.#windowBytes)
    this.#bytes = Buffer.alloc(HEADER_BYTES + this.#windowBytes)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + HEADER_BYTES, this.#windowBytes)
    this.#samples = new Float32Array(this.#windowBytes / bytesPerSample(format.encoding))
    const warnOnce = once(warn)
    this.#header = new HeaderCheck(format, warnOnce)
    this.#levels = new LevelCheck(format, warnOnce)
    this.#encoding = new EncodingCheck(format, warnOnce)
  }

  /** @param samples the next bytes of the audio, split anywhere */
  look(samples: Buffer): void {
    const chunkStart = this.#position
    this.#position += samples.length
    for (;;) {
      const from = this.#windowStart + this.#filled - chunkStart
      if (from >= samples.length) return
      const end = HEADER_BYTES + this.#windowBytes
      this.#filled += samples.copy(this.#bytes, HEADER_BYTES + this.#filled, from, from + end)
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
  }

  #examine(): void {
    const bytes = this.#bytes.subarray(0, HEADER_BYTES + this.#filled)
    this.#header.look(bytes, this.#windowStart - HEADER_BYTES)
    // While there is nothing but silence every sample is read: a click elsewhere would belie the warning.
    const wanted = this.#levels.isSilent ? this.#windowBytes : this.#glanceBytes
    const block = blockAlign(this.#format)
    const read = Math.min(wanted, this.#filled - (this.#filled % block))
    const samples = this.#samples.subarray(0, read / bytesPerSample(this.#format.encoding))
    readFloats(this.#view, this.#format.encoding, samples)
    const startMs = durationMs(this.#format, this.#windowStart)
    const endMs = durationMs(this.#format, this.#windowStart + this.#filled)
    const glance = { samples, view: this.#view, startMs, endMs }
    this.#levels.look(glance)
    this.#encoding.look(glance)
  }

  #nextWindow(): void {
    this.#windows++
    const step = this.#stepBytes * (this.#windows < OPENING_WINDOWS ? 1 : SPARSE_STEP)
    if (step === this.#windowBytes) this.#bytes.copyWithin(0, this.#windowBytes)
    else this.#bytes.fill(0, 0, HEADER_BYTES)
    this.#windowStart += step
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

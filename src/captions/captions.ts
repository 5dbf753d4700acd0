import { Transform, type TransformCallback } from 'node:stream'
import type { SttEvent } from '../stt/events.js'
import { CUE_RULES, cuesOfFinal, placeCue, readingMs, type Cue, type CueRules } from './cues.js'
import { formatSrtCue } from './srt.js'
import { formatVttCue, VTT_HEADER } from './vtt.js'

/** Options of {@link captions}. */
export interface CaptionsOptions extends Partial<CueRules> {
  /** SubRip or WebVTT. */
  format: 'srt' | 'vtt'
}

const FORMATS = { srt: formatSrtCue, vtt: formatVttCue }

const RANGES: Record<keyof CueRules, [min: number, max: number]> = {
  maxLineChars: [10, 200],
  maxLines: [1, 4],
  minCueMs: [0, 60_000],
  maxCueMs: [1_000, 60_000],
  maxCharsPerSecond: [5, 100],
}

/**
 * Events in, captions out: `source.pipe(sttStream(...)).pipe(captions({ format: 'vtt' })).pipe(file)`. Finals
 * become cues at once, but for the last cue of a final when it is too short to be read: it waits for the next
 * sign of speech, which tells how long it may stay. Cues do not overlap. All that is not a final passes
 * unwritten. For good cues ask the stream for word times (`includeWordTimestamps: true`).
 *
 * @throws TypeError for an unknown format or a rule that is no number; RangeError for a rule out of range
 */
export function captions(options: CaptionsOptions): Transform {
  return new CaptionStream(options)
}

class CaptionStream extends Transform {
  readonly #format: (cue: Cue, number: number) => string
  readonly #rules: CueRules
  #waiting: Cue | undefined
  #writtenEndMs = 0
  #written = 0

  constructor({ format, ...rules }: CaptionsOptions) {
    super({ writableObjectMode: true, encoding: 'utf8' })
    this.#rules = checkRules(rules)
    if (!Object.hasOwn(FORMATS, format)) throw new TypeError(`format must be 'srt' or 'vtt'; got ${format}`)
    this.#format = FORMATS[format]
    // The header stands in an empty file too: without it, it is no WebVTT file.
    if (format === 'vtt') this.push(VTT_HEADER)
  }

  override _transform(event: SttEvent, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (event.type === 'transcription' && event.isFinal) this.#addFinal(event)
    else if (
      (event.type === 'transcription' || event.type === 'speechStarted') &&
      event.startMs !== undefined
    ) {
      this.#release(event.startMs)
    }
    callback()
  }

  override _flush(callback: TransformCallback): void {
    this.#write(Infinity)
    callback()
  }

  #addFinal(final: SttEvent & { type: 'transcription' }): void {
    const afterMs = this.#waiting?.endMs ?? this.#writtenEndMs
    for (const cue of cuesOfFinal(final, afterMs, this.#rules)) {
      this.#write(cue.startMs)
      this.#waiting = cue
    }
    if (
      this.#waiting &&
      this.#waiting.endMs - this.#waiting.startMs >= readingMs(this.#waiting, this.#rules)
    ) {
      this.#write(Infinity)
    }
  }

  /** Speech that begins later than the waiting cue's own tells how much room the cue has. */
  #release(nextStartMs: number): void {
    if (this.#waiting && nextStartMs >= this.#waiting.endMs) this.#write(nextStartMs)
  }

  #write(nextStartMs: number): void {
    if (this.#waiting === undefined) return
    const cue = placeCue(this.#waiting, this.#writtenEndMs, nextStartMs, this.#rules)
    this.#waiting = undefined
    this.#writtenEndMs = cue.endMs
    this.push(this.#format(cue, ++this.#written))
  }
}

function checkRules(given: Partial<CueRules>): CueRules {
  const rules: CueRules = { ...CUE_RULES }
  for (const [key, [min, max]] of Object.entries(RANGES) as [keyof CueRules, [number, number]][]) {
    const value: unknown = given[key]
    if (value === undefined) continue
    const expected = `${key} must be a number from ${min} to ${max}`
    if (typeof value !== 'number') throw new TypeError(`${expected}; got ${typeof value}`)
    if (!(value >= min && value <= max)) throw new RangeError(`${expected}; got ${value}`)
    rules[key] = value
  }
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(RANGES, key))
      throw new TypeError(`${key} is no rule for captions; known are ${Object.keys(RANGES).join(', ')}`)
  }
  return rules
}

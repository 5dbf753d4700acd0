import type { Glance, WarnOfAudio } from './inspect-warning.js'
import type { PcmEncoding, PcmFormat } from './pcm-format.js'

/** Glances that are judged together: 5 s of audio where every window is looked at. */
const BATCH_GLANCES = 40
/** Less than this at the end of the audio, 1.5 s, is not judged; silence is from 1 s on. */
const ENOUGH_AT_END = 12
const SILENT_AT_END = 8
/** So many silent glances from the beginning on, 10 s, and the audio is silent. */
const SILENT_GLANCES = 80
/** A channel is dead after so many glances with sound in another one: 10 s, or 5 s where the audio is over. */
const DEAD_GLANCES = 80
const DEAD_GLANCES_AT_END = 40

/** No dither and no idle line is louder: one step of 16 bits, −90 dBFS. */
const DITHER = 1 / 32_768
/** G.711 A-law has no zero. */
const ALAW_IDLE = 8 / 32_768
/** A channel louder than this has sound that another one could have had: −40 dBFS. */
const SOUND = 0.01
/** A clipped peak is flat; a sound one touches full scale in a sample or two. */
const CLIPPED_RUN = 3
const MOST_CLIPPED = 0.01
const MOST_OFFSET = 0.05
/** Floating point may exceed full scale by a loud master's peaks, not by 18 dB. */
const ABSURD = 8
const MOST_ABSURD = 0.01
/** Nobody's floating point is so small, −200 dBFS, but what is none may look so. */
const NO_FLOAT = 1e-10

/** Where the encoding stops, as a part of full scale. */
function largestSample(encoding: PcmEncoding): number {
  if (encoding === 'u8' || encoding === 's8') return 127 / 128
  if (encoding === 'mulaw') return 32_124 / 32_768
  if (encoding === 'alaw') return 32_256 / 32_768
  return 32_767 / 32_768
}

/** What one batch of glances showed of one channel. */
class ChannelLevels {
  sum = 0
  clipped = 0
  absurd = 0
  peak = 0

  reset(): void {
    this.sum = this.clipped = this.absurd = this.peak = 0
  }
}

/** Silence, clipping, offset, absurd levels and dead channels. */
export class LevelCheck {
  readonly #warn: WarnOfAudio
  readonly #channels: readonly ChannelLevels[]
  readonly #idle: number
  readonly #top: number
  readonly #isFloat: boolean
  /** Samples per channel and glances of the batch, and where it began. */
  #samples = 0
  #glances = 0
  #startMs = 0
  #silentGlances = 0
  #loudestSilence = 0
  #isSilent = true
  /** Channels that have shown nothing yet, and glances in which another one had sound. */
  readonly #dead: Set<number>
  #soundGlances = 0

  constructor({ encoding, channels }: PcmFormat, warn: WarnOfAudio) {
    this.#warn = warn
    this.#channels = Array.from({ length: channels }, () => new ChannelLevels())
    this.#idle = encoding === 'alaw' ? ALAW_IDLE : DITHER
    this.#top = largestSample(encoding)
    this.#isFloat = encoding.startsWith('f')
    this.#dead = new Set(this.#channels.keys())
  }

  /** Whether nothing but silence has come so far. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  look(glance: Glance): void {
    if (this.#glances === 0) this.#startMs = glance.startMs
    this.#glances++
    this.#samples += glance.samples.length / this.#channels.length
    let loudest = 0
    for (let channel = 0; channel < this.#channels.length; channel++) {
      const peak = this.#measure(glance.samples, channel)
      if (peak > this.#idle) this.#dead.delete(channel)
      if (!(peak <= loudest)) loudest = peak
    }
    if (loudest > SOUND) this.#soundGlances++
    this.#followSilence(loudest, glance.endMs)
    if (this.#glances === BATCH_GLANCES) this.#judge(glance.endMs, DEAD_GLANCES)
  }

  end(endMs: number): void {
    if (this.#glances >= ENOUGH_AT_END) this.#judge(endMs, DEAD_GLANCES_AT_END)
    if (this.#silentGlances >= SILENT_AT_END && this.#silentGlances < SILENT_GLANCES) {
      this.#warnOfSilence(`the audio, ${seconds(endMs)} long,`, endMs)
    }
  }

  /** Adds a channel to the batch. @returns its peak */
  #measure(samples: Float32Array, channel: number): number {
    const step = this.#channels.length
    let sum = 0
    let least = 0
    let most = 0
    for (let i = channel; i < samples.length; i += step) {
      const sample = samples[i]!
      sum += sample
      if (sample > most) most = sample
      if (sample < least) least = sample
    }
    const levels = this.#channels[channel]!
    const peak = Math.max(most, -least)
    levels.sum += sum
    if (peak > levels.peak) levels.peak = peak
    if (peak >= this.#top) this.#countClipped(samples, channel, levels)
    // The sum of what holds a NaN is one.
    if (this.#isFloat && !(peak <= ABSURD && Number.isFinite(sum)))
      countAbsurd(samples, channel, step, levels)
    return peak
  }

  #countClipped(samples: Float32Array, channel: number, levels: ChannelLevels): void {
    let run = 0
    let lastSign = 0
    for (let i = channel; i < samples.length; i += this.#channels.length) {
      const sample = samples[i]!
      const sign = sample >= this.#top ? 1 : sample <= -this.#top ? -1 : 0
      run = sign === lastSign ? run + 1 : 1
      lastSign = sign
      if (sign === 0 || run < CLIPPED_RUN) continue
      levels.clipped += run === CLIPPED_RUN ? CLIPPED_RUN : 1
    }
  }

  #followSilence(peak: number, endMs: number): void {
    if (!this.#isSilent) return
    if (peak > this.#idle) {
      this.#isSilent = false
      this.#silentGlances = 0
      return
    }
    this.#loudestSilence = Math.max(this.#loudestSilence, peak)
    if (++this.#silentGlances === SILENT_GLANCES) {
      this.#warnOfSilence(`the audio's first ${seconds(endMs)}`, endMs)
    }
  }

  #judge(endMs: number, deadGlances: number): void {
    const span = { fromMs: Math.round(this.#startMs), toMs: Math.round(endMs) }
    for (const [channel, levels] of this.#channels.entries()) {
      if (levels.absurd > MOST_ABSURD * this.#samples) this.#warnOfLevel(channel, levels, span)
      else {
        if (levels.clipped > MOST_CLIPPED * this.#samples) this.#warnOfClipping(channel, levels, span)
        if (Math.abs(levels.sum) > MOST_OFFSET * this.#samples) this.#warnOfOffset(channel, levels, span)
      }
      levels.reset()
    }
    this.#glances = this.#samples = 0
    if (this.#soundGlances >= deadGlances && this.#dead.size > 0) this.#warnOfDead(span.toMs)
  }

  #warnOfSilence(what: string, endMs: number): void {
    const peak = this.#loudestSilence
    const level = peak > 0 ? `no sample is louder than ${decibels(peak)} dBFS` : 'every sample is zero'
    this.#warn({
      code: 'STT_WARN_SILENT',
      message:
        `${what} holds nothing but silence: ${level}. ` +
        (peak > 0 && peak < NO_FLOAT
          ? 'Is it integers, or in the other byte order?'
          : 'Is the source muted?'),
      evidence: { durationMs: Math.round(endMs), peak },
    })
  }

  #warnOfClipping(channel: number, levels: ChannelLevels, span: Span): void {
    const share = round(levels.clipped / this.#samples)
    this.#warn({
      code: 'STT_WARN_CLIPPING',
      message:
        `channel ${channel} is clipped: ${percent(share)} of its samples ${during(span)} stand at full scale, ` +
        `${CLIPPED_RUN} or more in a row. Lower the gain where it is recorded: what is cut off cannot be restored`,
      evidence: { channel, share, ...span },
    })
  }

  #warnOfOffset(channel: number, levels: ChannelLevels, span: Span): void {
    const offset = round(levels.sum / this.#samples)
    this.#warn({
      code: 'STT_WARN_DC_OFFSET',
      message:
        `the samples of channel ${channel} ${during(span)} lie around ${percent(offset)} of full scale, not ` +
        'around 0. A wrong encoding does that (unsigned samples declared as signed, for one), or a faulty sound card',
      evidence: { channel, offset, ...span },
    })
  }

  #warnOfLevel(channel: number, levels: ChannelLevels, span: Span): void {
    const share = round(levels.absurd / this.#samples)
    const peak = Number(levels.peak.toPrecision(4))
    const isScaled = levels.peak <= 32_768
    this.#warn({
      code: 'STT_WARN_LEVEL',
      message:
        `channel ${channel} is floating point, whose full scale is 1, and ${percent(share)} of its samples ` +
        `${during(span)} lie beyond ${ABSURD} or are no numbers; the largest is ${peak}. ` +
        (isScaled
          ? 'Divide by 32768 what was made from 16 bits'
          : 'Are they integers, or in the other byte order?'),
      evidence: { channel, share, peak, ...span },
    })
  }

  #warnOfDead(endMs: number): void {
    const dead = [...this.#dead]
    const live = [...this.#channels.keys()].filter(channel => !this.#dead.has(channel))
    this.#dead.clear()
    this.#warn({
      code: 'STT_WARN_DEAD_CHANNEL',
      message:
        `channel ${dead.join(', ')} has been silent throughout the first ${seconds(endMs)}, while channel ` +
        `${live.join(', ')} had sound. In the mean it only halves the level: channels: [${live.join(', ')}] leaves it out`,
      evidence: { dead: dead.join(), live: live.join(), durationMs: endMs, soundGlances: this.#soundGlances },
    })
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

function countAbsurd(samples: Float32Array, channel: number, step: number, levels: ChannelLevels): void {
  for (let i = channel; i < samples.length; i += step) if (!(Math.abs(samples[i]!) <= ABSURD)) levels.absurd++
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
const during = ({ fromMs, toMs }: Span) => `from ${seconds(fromMs)} to ${seconds(toMs)}`
const round = (value: number) => Math.round(value * 10_000) / 10_000
const percent = (value: number) => `${(value * 100).toFixed(1)} %`
const decibels = (value: number) => (20 * Math.log10(value)).toFixed(1)

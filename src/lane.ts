import type { Duplex } from 'node:stream'
import { frame, type Framer } from './audio/frame.js'
import { pace } from './audio/pace.js'
import { resample, type ResampleOptions, type Resampler } from './audio/resample.js'
import type { ResolvedOptions } from './options.js'
import type { TranscriptionEvent } from './stt/events.js'
import { SttSession } from './stt/session.js'
import type { SessionStats, SttSessionOptions } from './stt/session-options.js'
import type { WireTranscribeConfig } from './stt/transcribe-config.js'

/** What a session tells of its connections. */
export const SESSION_NOTICES = ['reconnecting', 'reconnected', 'rotated', 'hibernating'] as const

export interface LaneOptions extends Pick<ResolvedOptions, 'resample' | 'frame' | 'paceRate'> {
  /** What the samples are, or whoever will know it before the first chunk. */
  format: ResampleOptions['format']
  session: SttSessionOptions
}

/** The way from samples to events, for one speaker or a mix of all: resample → frame → (pace) → session. */
export class Lane {
  /** In the order of the audio; the session is the last. */
  readonly stages: readonly Duplex[]
  /** Its readable side gives the events; it emits the notices. */
  readonly events: SttSession
  readonly #resampler: Resampler
  readonly #framer: Framer

  constructor({ format, resample: resampling, frame: framing, paceRate, session }: LaneOptions) {
    this.#resampler = resample({ format, ...resampling })
    this.#framer = frame(framing)
    this.events = new SttSession(session)
    const pacing = paceRate === false ? [] : [pace({ rate: paceRate })]
    this.stages = [this.#resampler, this.#framer, ...pacing, this.events]
  }

  /** How much of the source has gone out, or was left out, in ms. */
  get doneMs(): number {
    return this.events.doneMs
  }

  stats(): SessionStats {
    return this.events.stats()
  }

  /**
   * The final of the turn that the next `endTurnAfter()` ends.
   * @throws TypeError for a channel: there is one way for all
   */
  expectTurn(channel?: number): Promise<TranscriptionEvent | undefined> {
    if (channel !== undefined)
      throw new TypeError(`endTurn(channel) needs the option channels: 'separate'; got ${channel} without it`)
    return this.events.expectTurn()
  }

  /** Ends the turn after the first `bytes` bytes of the samples. */
  endTurnAfter(bytes: number): void {
    // After the last frame there is no turn to end; `closeStream` ends what is open.
    if (!this.#framer.writableFinished) this.#framer.endTurnAt(this.#resampler.samplesAvailableAfter(bytes))
  }

  /** @param minFrameMs what the model of this config takes */
  async updateConfig(config: WireTranscribeConfig, minFrameMs: number): Promise<void> {
    const before = this.#framer.minFrameMs
    // Until it is certain which model hears them, frames suit both.
    this.#framer.minFrameMs = Math.max(before, minFrameMs)
    try {
      await this.events.updateConfig(config)
      this.#framer.minFrameMs = minFrameMs
    } catch (error) {
      this.#framer.minFrameMs = before
      throw error
    }
  }
}

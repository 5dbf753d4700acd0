import { Duplex, pipeline } from 'node:stream'
import { blockAlign, bytesPerSample, MAX_CHANNELS, type PcmFormat } from './audio/pcm-format.js'
import { splitChannels, type ChannelSplitter } from './audio/split-channels.js'
import { SttError } from './errors.js'
import { Lane, SESSION_NOTICES, type LaneOptions } from './lane.js'
import { ChannelMerge } from './stt/channel-merge.js'
import type { TranscriptionEvent } from './stt/events.js'
import { sumStats, type SessionStats } from './stt/session-options.js'
import type { WireTranscribeConfig } from './stt/transcribe-config.js'

export interface ChannelLanesOptions extends LaneOptions {
  /** How long a final may wait for one of another channel that begins earlier, in ms; false = as long as it takes. */
  mergeWaitMs: number | false
}

/** What `stats()` counts, summed and for each channel. */
export interface ChannelStats extends SessionStats {
  channels: SessionStats[]
}

type Final = TranscriptionEvent | undefined
type Callback = (error?: Error | null) => void

interface ExpectedTurn {
  channel: number | undefined
  resolve: (final: Final | Promise<Final>) => void
  reject: (error: Error) => void
}

/**
 * The way from samples to events with a session for each channel: split → one lane a channel → merge. The lanes are
 * made once it is known how many. What the sessions tell carries its `channel`; the first failure ends all.
 *
 * @fires open once every channel's first connection stands
 * @fires warning, and the notices of a session
 */
export class ChannelLanes extends Duplex {
  readonly stages: readonly Duplex[] = [this]
  readonly events: Duplex = this
  readonly #options: ChannelLanesOptions
  #config: WireTranscribeConfig
  #minFrameMs: number
  #format: PcmFormat | undefined
  #splitter: ChannelSplitter | undefined
  #lanes: readonly Lane[] = []
  #merge = new ChannelMerge([], 0)
  readonly #expectedTurns: ExpectedTurn[] = []
  #turns = 0
  #opened = 0
  #ended = 0
  #readerWaits = false
  #mergeTimer: NodeJS.Timeout | undefined

  constructor(options: ChannelLanesOptions) {
    // The splitter has a buffer of its own.
    super({ readableObjectMode: true, readableHighWaterMark: 1, writableHighWaterMark: 1 })
    this.#options = options
    this.#config = options.session.config
    this.#minFrameMs = options.frame.minFrameMs
    if ('encoding' in options.format) this.#open(options.format)
  }

  /** How much of the source has gone out in every channel, or was left out, in ms. */
  get doneMs(): number {
    return this.#lanes.length > 0 ? Math.min(...this.#lanes.map(({ doneMs }) => doneMs)) : 0
  }

  /** Sums, and each channel's own. */
  stats(): ChannelStats {
    const channels = this.#lanes.map(lane => lane.stats())
    return { ...sumStats(channels), channels }
  }

  /**
   * The final of the turn that the next `endTurnAfter()` ends in this channel, or of those that it ends in all
   * channels the one that begins first.
   * @throws TypeError, RangeError for a channel that cannot be
   */
  expectTurn(channel?: number): Promise<Final> {
    this.#checkChannel(channel)
    const final = new Promise<Final>((resolve, reject) =>
      this.#expectedTurns.push({ channel, resolve, reject }),
    )
    // Who does not wait for the final does not want its failure either; the stream reports that itself.
    final.catch(() => {})
    return final
  }

  /** Ends the turn after the first `bytes` bytes of the interleaved samples. */
  endTurnAfter(bytes: number): void {
    const expected = this.#expectedTurns.shift()
    if (!expected) return
    const { channel, resolve, reject } = expected
    const chosen = channel === undefined ? this.#lanes : this.#lanes.slice(channel, channel + 1)
    // Nothing has been decoded so far.
    if (!this.#format) resolve(undefined)
    else if (chosen.length === 0) reject(noSuchChannel(channel, this.#lanes.length))
    else {
      const samples = Math.floor(bytes / blockAlign(this.#format))
      resolve(Promise.all(chosen.map(lane => lane.expectTurn())).then(firstOf))
      for (const lane of chosen) lane.endTurnAfter(samples * bytesPerSample(this.#format.encoding))
    }
  }

  /**
   * In every channel; rejects with the first refusal.
   * @param minFrameMs what the model of this config takes
   */
  async updateConfig(config: WireTranscribeConfig, minFrameMs: number): Promise<void> {
    this.#config = config
    this.#minFrameMs = minFrameMs
    await Promise.all(this.#lanes.map(lane => lane.updateConfig(config, minFrameMs)))
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    // The decoder tells its format before its first chunk.
    if (!this.#splitter) this.#open((this.#options.format as { readonly format: PcmFormat }).format)
    this.#splitter!.write(chunk, error => {
      // A lane that fails reports through its pipeline, with the first error.
      if (!error) callback()
    })
  }

  override _final(callback: Callback): void {
    if (!this.#splitter) {
      this.push(null)
      callback()
      return
    }
    let unfinished = this.#lanes.length
    for (const { events } of this.#lanes) {
      const finished = () => --unfinished === 0 && callback()
      if (events.writableFinished) finished()
      else events.once('finish', finished)
    }
    this.#splitter.end()
  }

  override _read(): void {
    this.#readerWaits = true
    this.#deliver()
  }

  #open(format: PcmFormat): void {
    const splitter = splitChannels({ format })
    this.#format = format
    this.#splitter = splitter
    splitter.on('warning', warning => this.emit('warning', warning))
    splitter.on('error', error => this.destroy(error))
    const { gate } = this.#options.session
    this.#lanes = splitter.outputs.map((output, channel) => {
      const lane = new Lane({
        ...this.#options,
        format: output.format,
        frame: { ...this.#options.frame, minFrameMs: this.#minFrameMs },
        session: {
          ...this.#options.session,
          config: this.#config,
          // Without `rest`: a channel that rests must not give away the place that another one needs.
          gate: gate && { enter: signal => gate.enter(signal) },
          channel,
          nextTurnId: () => ++this.#turns,
        },
      })
      this.#listen(lane, channel)
      pipeline([output, ...lane.stages], error => {
        if (error) this.destroy(error)
      })
      return lane
    })
    const { mergeWaitMs } = this.#options
    const sessions = this.#lanes.map(({ events }) => events)
    this.#merge = new ChannelMerge(sessions, mergeWaitMs === false ? Infinity : mergeWaitMs)
  }

  #listen({ stages, events }: Lane, channel: number): void {
    for (const stage of stages) {
      stage.on('warning', warning => this.emit('warning', { ...warning, channel }))
      stage.on('error', error => this.destroy(error))
    }
    for (const notice of SESSION_NOTICES) events.on(notice, facts => this.emit(notice, { ...facts, channel }))
    events.on('open', () => {
      if (++this.#opened === this.#lanes.length) this.emit('open')
    })
    events.on('readable', () => this.#deliver())
    events.on('progress', () => this.#deliver())
    events.on('end', () => {
      this.#ended++
      this.#deliver()
    })
  }

  #deliver(): void {
    clearTimeout(this.#mergeTimer)
    while (this.#readerWaits) {
      const nowMs = performance.now()
      const event = this.#merge.next(nowMs)
      if (event) {
        this.#readerWaits = this.push(event)
        continue
      }
      this.#waitUntil(this.#merge.dueMs, nowMs)
      break
    }
    const complete = this.#lanes.length > 0 && this.#ended === this.#lanes.length
    if (complete && this.#merge.dueMs === undefined) this.push(null)
  }

  #waitUntil(dueMs = Infinity, nowMs: number): void {
    if (dueMs !== Infinity) this.#mergeTimer = setTimeout(() => this.#deliver(), Math.max(0, dueMs - nowMs))
  }

  #checkChannel(channel: number | undefined): void {
    if (channel === undefined) return
    const count = this.#lanes.length || MAX_CHANNELS
    if (typeof channel !== 'number') throw new TypeError(`channel must be a number; got ${typeof channel}`)
    if (!Number.isInteger(channel) || channel < 0 || channel >= count) throw noSuchChannel(channel, count)
  }

  /** `close` comes when every channel is released. */
  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#mergeTimer)
    const reason = error ?? new SttError('STT_ERR_CLOSED', 'The stream was destroyed before the turn ended')
    for (const { reject } of this.#expectedTurns.splice(0)) reject(reason)
    const parts = [
      ...(this.#splitter ? [this.#splitter] : []),
      ...this.#lanes.flatMap(({ stages }) => stages),
    ]
    const closed = parts
      .filter(part => !part.closed)
      .map(part => new Promise(resolve => part.once('close', resolve)))
    for (const part of parts) part.destroy(error ?? undefined)
    void Promise.all(closed).then(() => callback(error))
  }
}

function noSuchChannel(channel: number | undefined, count: number): RangeError {
  return new RangeError(`channel must be an integer from 0 to ${count - 1}; got ${channel}`)
}

/** The final that begins first; one without times begins last. */
function firstOf(finals: readonly Final[]): Final {
  const present = finals.filter(final => final !== undefined)
  return present.sort((a, b) => (a.startMs ?? Infinity) - (b.startMs ?? Infinity))[0]
}

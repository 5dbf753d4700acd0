import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { addAbortSignal, Duplex, pipeline, type Readable } from 'node:stream'
import { decode, type DecodedSource, type Decoder } from './audio/decode.js'
import { durationMs, type PcmFormat } from './audio/pcm-format.js'
import { ChannelLanes } from './channel-lanes.js'
import { StreamDiagnostics } from './diagnostics.js'
import { Lane, SESSION_NOTICES } from './lane.js'
import { resolveOptions, withConfigChanges, type SttStreamOptions } from './options.js'
import type { ConfigChanges } from './stt/config-guard.js'
import type { SttEvent, TranscriptionEvent } from './stt/events.js'
import type { SessionStats } from './stt/session-options.js'

/** Figures of a stream so far. Durations in ms of audio. */
export interface SttStreamStats extends SessionStats {
  /** Bytes written to the stream. */
  bytesIn: number
  /** What the decoder found; undefined before its first audio. */
  format?: PcmFormat
  /** What the bytes are and who decodes them; undefined before they have told. */
  source?: DecodedSource
  /** Source audio decoded. */
  decodedMs: number
  /** Decoded and not sent yet: in resampler, framer, pacing, replay ring and the socket's own buffer. */
  queueMs: number
  /** Since the stream was made, in ms of real time; `decodedMs / elapsedMs` is its speed. */
  elapsedMs: number
  /** With `channels: 'separate'`: each channel's own; the counts beside it are their sums. */
  channels?: SessionStats[]
}

/** Written among the chunks, where it keeps its place; told from a caller's empty chunk by identity. */
const END_TURN = Buffer.alloc(0)

type Callback = (error?: Error | null) => void
type Warning = { code: string; message: string }

/**
 * Any audio in, transcripts out.
 *
 * ```js
 * for await (const event of fs.createReadStream('call.mp3').pipe(sttStream())) {
 *   if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
 * }
 * ```
 *
 * The connection opens at once; what is written meanwhile waits, bounded. Fails with one SttError (its codes:
 * docs/errors.md), or with the signal's AbortError.
 * @throws TypeError, RangeError for options that are wrong, before anything opens
 */
export function sttStream(options: SttStreamOptions = {}): SttStream {
  return new SttStream(options)
}

/**
 * The joint: decode → resample → frame → (pace) → session, shown as one Duplex with one error and one end.
 *
 * @fires open once the connection stands and the config is on its way
 * @fires reconnecting {attempt, delayMs, cause} when a connection is lost
 * @fires reconnected {fromMs, replayedMs, lostMs} when the next one stands
 * @fires rotated {cause, fromMs, overlapMs} when a connection has handed over to the next
 * @fires hibernating {atMs} when the connection is closed until somebody speaks
 * @fires warning {code, message} for what is odd but not fatal
 * @fires metrics {@link SttStreamStats} every `metricsIntervalMs` and, last of all, before `close`
 */
export class SttStream extends Duplex {
  /** Tells this stream from all others, in logs, `node:diagnostics_channel` and traces. A UUID. */
  readonly id: string = randomUUID()
  readonly #diagnostics = new StreamDiagnostics(this.id)
  readonly #createdMs = performance.now()
  readonly #metricsIntervalMs: number | false
  #metricsTimer: NodeJS.Timeout | undefined
  readonly #decoder: Decoder
  readonly #lane: Lane | ChannelLanes
  readonly #stages: readonly Duplex[]
  readonly #readsPath: boolean
  /** Where the part of the source begins that is heard. */
  readonly #startMs: number
  /** As given, with the changes since. */
  #options: SttStreamOptions
  #lastChange = Promise.resolve()
  #localServer: Promise<{ url: string; release: () => void }> | undefined
  readonly #sources = new Set<Readable>()
  #stopped: Promise<void> | undefined
  #bytesIn = 0

  /** @throws TypeError, RangeError */
  constructor(options: SttStreamOptions = {}) {
    const resolved = resolveOptions(options)
    super({ readableObjectMode: true, readableHighWaterMark: 1 })
    this.#options = options
    const { url, ...session } = resolved.session
    this.#readsPath = resolved.decode.path !== undefined
    this.#startMs = resolved.frame.startMs
    this.#decoder = decode(resolved.decode)
    const lane = {
      ...resolved,
      format: resolved.decode.input ?? this.#decoder,
      session: {
        ...session,
        url: resolved.local ? () => this.#localUrl() : url,
        gate: resolved.fleet?.join(this),
        diagnostics: this.#diagnostics,
      },
    }
    this.#lane = resolved.separate ? new ChannelLanes(lane) : new Lane(lane)
    this.#stages = [this.#decoder, ...this.#lane.stages]
    // What is written behind the part that was asked for is not waited for.
    this.#decoder.once('windowEnd', () => void this.stop())
    for (const stage of this.#stages) {
      stage.on('warning', (warning: Warning) => {
        // Whoever stops the stream has cut its audio off himself.
        if (this.#stopped && warning.code === 'STT_WARN_TRUNCATED') return
        this.#diagnostics.warning(warning)
        this.emit('warning', warning)
      })
      stage.on('error', error => this.destroy(error))
    }
    const { events } = this.#lane
    events.on('open', () => {
      this.#diagnostics.opened()
      this.emit('open')
    })
    for (const notice of SESSION_NOTICES) {
      events.on(notice, (facts: object) => {
        this.#diagnostics[notice](facts as never)
        this.emit(notice, facts)
      })
    }
    events.on('readable', () => this.#deliver())
    events.on('end', () => this.push(null))
    pipeline(this.#stages, error => {
      if (error) this.destroy(error)
    })
    this.on('pipe', source => this.#sources.add(source))
    this.on('unpipe', source => this.#sources.delete(source))
    this.#metricsIntervalMs = resolved.metricsIntervalMs
    if (this.#metricsIntervalMs !== false) this.#watchMetrics(this.#metricsIntervalMs)
    this.#diagnostics.started(resolved.session.config, resolved.local ? 'local' : url)
    // With a path the source is known; there is nothing to write.
    if (this.#readsPath) this.end()
    // Not as a constructor option: an aborted signal would destroy the stream before its fields exist.
    if (resolved.signal) {
      // One signal may end thousands of streams: at the eleventh Node would warn of a leak that is none.
      setMaxListeners(0, resolved.signal)
      addAbortSignal(resolved.signal, this)
    }
  }

  /** Figures so far. */
  stats(): SttStreamStats {
    const { format, source, bytesOut } = this.#decoder
    const decodedMs = format ? durationMs(format, bytesOut) : 0
    return {
      bytesIn: this.#bytesIn,
      ...(format && { format }),
      ...(source && { source }),
      decodedMs,
      queueMs: Math.max(0, this.#startMs + decodedMs - Math.max(this.#lane.doneMs, this.#startMs)),
      elapsedMs: performance.now() - this.#createdMs,
      ...this.#lane.stats(),
    }
  }

  /**
   * Ends the speaker's turn after all audio written so far (behind ffmpeg: after what it has decoded so far).
   * Resolves with that turn's final, or undefined when nothing was said in it. With `channels: 'separate'` it ends
   * the turn of one channel, or without `channel` those of all, and resolves with the final that begins first.
   * @returns rejects with the stream's error, or STT_ERR_TURN_TIMEOUT when the service does not answer
   * @throws TypeError after `end()` and for a channel without `channels: 'separate'`; RangeError for a channel that
   * cannot be
   */
  endTurn(channel?: number): Promise<TranscriptionEvent | undefined> {
    if (this.writableEnded || this.destroyed)
      throw new TypeError('endTurn() must be called before the stream has ended')
    const final = this.#lane.expectTurn(channel)
    this.write(END_TURN)
    return final
  }

  /**
   * Changes fields of the service's config from here on, by rotation: the next connection is opened with them
   * beside the current one and takes over in a pause of speech, after 10 s without one in the middle of it. Changes
   * are applied one after the other; while the stream has no connection they wait for the next.
   * @returns resolves when the new config is in force; rejects with the service's refusal, the stream then goes on
   * as before
   * @throws TypeError, RangeError for fields that are wrong; TypeError after `end()`
   */
  updateConfig(changes: ConfigChanges): Promise<void> {
    if (this.writableEnded || this.destroyed)
      throw new TypeError('updateConfig() must be called before the stream has ended')
    // What is wrong with it is told now; what it comes to depends on the changes before it.
    resolveOptions(withConfigChanges(this.#options, changes))
    const applied = this.#lastChange.then(() => this.#applyChange(changes))
    this.#lastChange = applied.catch(() => {})
    return applied
  }

  async #applyChange(changes: ConfigChanges): Promise<void> {
    const changed = withConfigChanges(this.#options, changes)
    const { session, frame } = resolveOptions(changed)
    await this.#lane.updateConfig(session.config, frame.minFrameMs)
    this.#options = changed
  }

  /**
   * Ends the stream without its source: what was written so far is transcribed, what is written from now on is
   * dropped, and what pipes into it is unpiped. The stream must still be read, or `resume()`d. May be called in
   * any state, and again.
   * @returns resolves once the stream has closed; rejects with the error that it failed with
   */
  stop(): Promise<void> {
    if (this.#stopped) return this.#stopped
    this.#stopped = new Promise((resolve, reject) => {
      const settle = () => (this.errored ? reject(this.errored) : resolve())
      if (this.closed) settle()
      else this.once('close', settle)
    })
    // Who does not wait for it does not want its failure either; the stream reports that itself.
    this.#stopped.catch(() => {})
    const someoneWaits = this.writableNeedDrain
    for (const source of [...this.#sources]) source.unpipe(this)
    if (this.#readsPath) this.#decoder.cut()
    super.end()
    if (someoneWaits) this.emit('drain')
    return this.#stopped
  }

  /** As Node's; after {@link stop} it drops what it is given and returns true. */
  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    if (!this.#stopped) return super.write(chunk, encoding as BufferEncoding, callback)
    const dropped = typeof encoding === 'function' ? encoding : callback
    if (dropped) process.nextTick(dropped)
    return true
  }

  /** As Node's; after {@link stop} it does nothing more. */
  override end(...given: unknown[]): this {
    if (!this.#stopped) return super.end(...(given as [unknown, BufferEncoding, () => void]))
    const done = given.find(argument => typeof argument === 'function')
    if (done) process.nextTick(done)
    // pipeline() waits for it after it has pumped an iterable to its end.
    process.nextTick(() => this.emit('drain'))
    return this
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (chunk === END_TURN) {
      this.#lane.endTurnAfter(this.#decoder.bytesOut)
      callback()
      return
    }
    this.#bytesIn += chunk.length
    this.#decoder.write(chunk, error => {
      // A stage that fails reports through the pipeline, with the first error.
      if (!error) callback()
    })
  }

  override _final(callback: Callback): void {
    // A decoder that saw the end of the audio before the end of the bytes has ended the session already.
    const { events } = this.#lane
    if (events.writableFinished) callback()
    else events.once('finish', () => callback())
    if (!this.#readsPath) this.#decoder.end()
  }

  override _read(): void {
    this.#deliver()
  }

  #deliver(): void {
    for (let event: SttEvent | null; (event = this.#lane.events.read() as SttEvent | null) !== null;) {
      if (!this.push(event)) return
    }
  }

  /** One for all connections of the stream. */
  async #localUrl(): Promise<string> {
    this.#localServer ??= import('./local/shared-server.js').then(shared => shared.acquireLocalServer())
    return (await this.#localServer).url
  }

  #watchMetrics(intervalMs: number): void {
    this.#metricsTimer = setTimeout(() => {
      this.#metricsTimer?.refresh()
      const stats = this.stats()
      this.#diagnostics.metrics(stats)
      this.emit('metrics', stats)
    }, intervalMs).unref()
  }

  /** `close` comes when everything is released: child process, socket, timers. */
  override _destroy(error: Error | null, callback: Callback): void {
    const closed = this.#stages
      .filter(stage => !stage.closed)
      .map(stage => new Promise(resolve => stage.once('close', resolve)))
    clearTimeout(this.#metricsTimer)
    // Each with the error: the session rejects its turns with it.
    for (const stage of this.#stages) stage.destroy(error ?? undefined)
    void Promise.all(closed).then(() => {
      this.#localServer?.then(({ release }) => release()).catch(() => {})
      this.#tellEnd(error)
      callback(error)
    })
  }

  #tellEnd(error: Error | null): void {
    this.#diagnostics.ended(error, this.readableEnded, () => this.stats())
    if (this.#metricsIntervalMs === false) return
    const stats = this.stats()
    // Not in the promise's callback: what a listener throws is the listener's, and keeps no stream from closing.
    process.nextTick(() => this.emit('metrics', stats))
  }
}

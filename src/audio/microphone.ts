import { addAbortSignal, Readable } from 'node:stream'
import { SttError } from '../errors.js'
import { CaptureBuffer } from './capture-buffer.js'
import { CaptureProcess, type CaptureEnd } from './capture-process.js'
import { findFfmpeg } from './ffmpeg-find.js'
import { defaultDevices, deviceId, parseDeviceId, type CaptureDevice } from './microphone-device.js'
import { microphoneError, type CaptureFailure } from './microphone-failure.js'
import { microphones } from './microphone-list.js'
import { checkMicrophoneOptions, type MicrophoneOptions } from './microphone-options.js'
import type { PcmFormat } from './pcm-format.js'
import { wavHeader } from './wav-header.js'

/** The rate of most sound hardware: whatever has to be resampled then is resampled once, by us. */
const SAMPLE_RATE_HERTZ = 48_000

/** Between two warnings of losses that the system tells, in ms. */
const SYSTEM_LOSS_QUIET_MS = 1_000

/** A microphone's warning: the stream goes on. */
export interface MicrophoneWarning {
  code: 'STT_WARN_MICROPHONE_OVERRUN'
  message: string
}

/**
 * What a microphone hears, until `stop()`.
 *
 * ```js
 * const mic = microphone()
 * mic.pipe(sttStream({ url: 'local' }))
 * ```
 *
 * Capturing begins at once, and nothing is lost while nobody reads yet, up to `bufferMs`. The bytes are a WAV stream
 * without a declared length, so that their format travels with them. Fails with SttError STT_ERR_MICROPHONE or
 * STT_ERR_FFMPEG_NOT_FOUND, or with the signal's AbortError.
 * @throws TypeError, RangeError for options that are wrong
 */
export function microphone(options: MicrophoneOptions = {}): Microphone {
  return new Microphone(options)
}

/**
 * The stream of {@link microphone}.
 *
 * @fires open {device} once audio comes: the id of what is heard
 * @fires warning {@link MicrophoneWarning}
 */
export class Microphone extends Readable {
  /** Of the samples behind the WAV header. */
  readonly format: PcmFormat
  readonly #options: MicrophoneOptions
  readonly #bufferMs: number
  readonly #buffer: CaptureBuffer
  readonly #failures: CaptureFailure[] = []
  #capture: CaptureProcess | undefined
  #device: CaptureDevice | undefined
  #heard = false
  #stopped = false
  #ended = false
  /** Whether the reader has asked for more than there was. */
  #wanted = false
  #headerSent = false
  /** From the first loss until the reader has caught up: one warning is enough. */
  #losing = false
  #systemLossMs = -Infinity

  /** @throws TypeError, RangeError */
  constructor(options: MicrophoneOptions = {}) {
    checkMicrophoneOptions(options)
    // What waits is bounded by time in our own buffer, and not a second time in the stream's.
    super({ highWaterMark: 1 })
    const { device, channels = 1, bufferMs = 30_000, signal } = options
    this.#options = options
    this.#bufferMs = bufferMs
    this.format = { encoding: 's16le', sampleRateHertz: SAMPLE_RATE_HERTZ, channels }
    this.#buffer = new CaptureBuffer(this.format, bufferMs)
    if (signal) addAbortSignal(signal, this)
    const chosen = device === undefined ? undefined : parseDeviceId(device)
    // After the constructor, so that whoever it fails can have listened.
    process.nextTick(() => void this.#start(chosen))
  }

  /** The id of what is heard; undefined before the first audio. */
  get device(): string | undefined {
    return this.#heard && this.#device ? deviceId(this.#device) : undefined
  }

  /** Audio that nobody read in time, in ms. What the system lost by itself is not in it. */
  get lostMs(): number {
    return this.#buffer.lostMs
  }

  /** Undefined while no ffmpeg runs. */
  get pid(): number | undefined {
    return this.#capture?.pid
  }

  /** Ends the capture: what has been heard can still be read, and then the stream ends. In any state, and again. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    if (this.#capture) this.#capture.stop()
    else this.#finish()
  }

  override _read(): void {
    this.#wanted = true
    this.#deliver()
  }

  /** `close` comes when ffmpeg is gone. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopped = true
    void (this.#capture?.kill() ?? Promise.resolve()).then(() => callback(error))
  }

  async #start(chosen: CaptureDevice | undefined): Promise<void> {
    try {
      const devices = chosen ? [chosen] : (defaultDevices(process.platform) ?? (await this.#firstDevice()))
      if (!this.#stopped) this.#open(devices)
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  async #firstDevice(): Promise<CaptureDevice[]> {
    const { ffmpegPath, signal } = this.#options
    const [first] = await microphones({ ffmpegPath, signal })
    const device = first && parseDeviceId(first.id)
    if (!device) throw new SttError('STT_ERR_MICROPHONE', 'this machine has no microphone: connect one')
    return [device]
  }

  /** Tries the first of these devices, and the next where it gives no audio at all. */
  #open([device, ...others]: CaptureDevice[]): void {
    if (!device) {
      this.destroy(microphoneError(this.#failures))
      return
    }
    this.#device = device
    this.#capture = new CaptureProcess({
      command: findFfmpeg(this.#options.ffmpegPath),
      device,
      format: this.format,
      stallTimeoutMs: this.#options.stallTimeoutMs ?? 10_000,
      onAudio: pcm => this.#onAudio(pcm, deviceId(device)),
      onOverrun: () => this.#onSystemLoss(),
      onEnd: end => this.#onEnd(end, device, others),
    })
  }

  #onAudio(pcm: Buffer, id: string): void {
    if (!this.#heard) {
      this.#heard = true
      this.emit('open', { device: id })
    }
    const lost = this.#buffer.push(pcm)
    if (lost && !this.#losing) {
      this.#losing = true
      this.#warn(`the reader is ${this.#bufferMs} ms behind: the oldest audio is being lost`)
    }
    this.#deliver()
  }

  /** DirectShow says so for every piece. */
  #onSystemLoss(): void {
    const now = performance.now()
    if (now - this.#systemLossMs < SYSTEM_LOSS_QUIET_MS) return
    this.#systemLossMs = now
    this.#warn('the system lost audio before it reached us: this machine is too busy')
  }

  #warn(message: string): void {
    this.emit('warning', { code: 'STT_WARN_MICROPHONE_OVERRUN', message } satisfies MicrophoneWarning)
  }

  #onEnd(end: CaptureEnd, device: CaptureDevice, others: CaptureDevice[]): void {
    if (this.#stopped) {
      this.#finish()
      return
    }
    if (end instanceof SttError) {
      this.destroy(end)
      return
    }
    this.#failures.push({ device, heard: this.#heard, reason: end.reason })
    this.#open(this.#heard ? [] : others)
  }

  #finish(): void {
    this.#ended = true
    this.#deliver()
  }

  #deliver(): void {
    while (this.#wanted) {
      const piece = this.#buffer.shift()
      if (!piece) break
      if (!this.#headerSent) this.push(wavHeader(this.format))
      this.#headerSent = true
      this.#wanted = this.push(piece)
    }
    if (!this.#buffer.isEmpty) return
    this.#losing = false
    if (this.#ended) this.push(null)
  }
}

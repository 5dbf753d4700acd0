import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { SttError } from '../errors.js'
import { ffmpegNotFound } from './ffmpeg-find.js'
import { FfmpegLog } from './ffmpeg-log.js'
import { captureArguments, type CaptureDevice } from './microphone-device.js'
import type { PcmFormat } from './pcm-format.js'

/** How long a killed child may take to go before its owner stops waiting for it, in ms. */
const KILL_GRACE_MS = 5_000

/** How a capture ended: what ffmpeg said last, often ''; or why there was none. */
export type CaptureEnd = { readonly reason: string } | SttError

/** What is captured, and who hears of it. `onEnd` is called once, after all audio. */
export interface Capture {
  /** The ffmpeg, see `findFfmpeg`. */
  readonly command: string
  readonly device: CaptureDevice
  readonly format: PcmFormat
  /** How long no audio may come, in ms. */
  readonly stallTimeoutMs: number
  onAudio(pcm: Buffer): void
  /** The device lost audio before it reached us; how much is not known. */
  onOverrun(): void
  onEnd(end: CaptureEnd): void
}

/** What ALSA and DirectShow say, through ffmpeg, when nobody took the audio in time. */
const OVERRUN = /xrun|real-time buffer .*too full/i

/**
 * One ffmpeg that captures from one device. Its output is always read: a paused pipe would only move the loss to where
 * nobody counts it. Its owner ends it by `stop()`: what it had written by then is still read.
 */
export class CaptureProcess {
  readonly #capture: Capture
  readonly #child: ChildProcess
  readonly #log = new FfmpegLog()
  readonly #watch: NodeJS.Timeout
  #grace: NodeJS.Timeout | undefined
  #stalled = false
  #ended = false

  constructor(capture: Capture) {
    this.#capture = capture
    const { command, device, format, stallTimeoutMs } = capture
    const child: ChildProcess = spawn(command, captureArguments(device, format), {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // Its own process group: Ctrl-C in a terminal is for the application to answer, not for ffmpeg to die of.
      detached: process.platform !== 'win32',
    })
    this.#child = child
    this.#watch = setTimeout(() => {
      this.#stalled = true
      this.stop()
    }, stallTimeoutMs)
    child.on('error', cause => this.#end(startFailure(command, cause)))
    child.on('close', () => this.#end({ reason: this.#reason() }))
    child.stdout?.on('error', () => undefined)
    child.stdout?.on('data', (pcm: Buffer) => {
      this.#watch.refresh()
      capture.onAudio(pcm)
    })
    child.stderr?.on('error', () => undefined)
    child.stderr?.on('data', (text: Buffer) => {
      this.#log.append(text)
      if (OVERRUN.test(text.toString())) capture.onOverrun()
    })
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Ends the capture at once. A gentler end would bring no more: ffmpeg writes each piece as it comes, and what stands
   * in the pipe outlives it.
   */
  stop(): void {
    this.#child.kill('SIGKILL')
    // A process that even SIGKILL cannot end hangs in a driver.
    this.#grace ??= setTimeout(() => this.#end({ reason: this.#reason() }), KILL_GRACE_MS)
  }

  /** Ends it without reading on, and tells nobody; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#settle()
    const child = this.#child
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(KILL_GRACE_MS) })
    child.kill('SIGKILL')
    await gone.catch(() => undefined)
  }

  #end(end: CaptureEnd): void {
    if (this.#ended) return
    this.#settle()
    this.#capture.onEnd(end)
  }

  #settle(): void {
    this.#ended = true
    clearTimeout(this.#watch)
    clearTimeout(this.#grace)
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
  }

  #reason(): string {
    this.#log.end()
    const { complaints } = this.#log.said
    if (!this.#stalled) return complaints
    return `no audio came for ${this.#capture.stallTimeoutMs} ms${complaints && `: ${complaints}`}`
  }
}

function startFailure(command: string, cause: NodeJS.ErrnoException): SttError {
  const what = `cannot run ${command} (${cause.code ?? cause.message})`
  if (cause.code === 'ENOENT' || cause.code === 'EACCES') return ffmpegNotFound(what, cause)
  return new SttError('STT_ERR_MICROPHONE', what, { cause })
}

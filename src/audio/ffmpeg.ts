import type { SttError } from '../errors.js'
import { startFailure } from './ffmpeg-failure.js'
import type { FfmpegLimiter } from './ffmpeg-limiter.js'
import { NOTHING_SAID, type FfmpegSaid } from './ffmpeg-log.js'
import { FfmpegProcess, type FfmpegProcessRun } from './ffmpeg-process.js'

/** See {@link FfmpegProcessRun}. */
export interface FfmpegRun extends Omit<FfmpegProcessRun, 'onGone'> {
  /** Says when the process may start. Default: at once. */
  readonly limiter?: FfmpegLimiter | undefined
}

/** What was asked of it before the process had started. */
interface Held {
  chunk?: Buffer
  callback?: () => void
  isEnded?: boolean
  isPaused?: boolean
}

/**
 * One run of ffmpeg, see {@link FfmpegProcess}: at once, or when the limiter lets it. Until then a chunk that is
 * written waits, and with it whoever writes. The limiter's slot is given back when the process is gone, whatever
 * became of it.
 */
export class Ffmpeg {
  readonly #run: FfmpegRun
  readonly #killed = new AbortController()
  #process: FfmpegProcess | undefined
  readonly #held: Held = {}

  constructor(run: FfmpegRun) {
    this.#run = run
    if (run.limiter) void this.#startInTurn(run.limiter)
    else this.#start()
  }

  /** Undefined before it has started, and where it could not be. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** What it has said of the input and of its mishaps so far. */
  get said(): FfmpegSaid {
    return this.#process?.said ?? NOTHING_SAID
  }

  /** Calls back once ffmpeg has taken the chunk, or takes nothing any more. One at a time. */
  write(chunk: Buffer, callback: () => void): void {
    if (this.#process) this.#process.write(chunk, callback)
    else if (this.#killed.signal.aborted) callback()
    else Object.assign(this.#held, { chunk, callback })
  }

  /** The input is complete. */
  end(): void {
    this.#held.isEnded = true
    this.#process?.end()
  }

  /** Takes no more output until `resume`; what the pipe already held may still come. */
  pause(): void {
    this.#held.isPaused = true
    this.#process?.pause()
  }

  resume(): void {
    this.#held.isPaused = false
    this.#process?.resume()
  }

  /** Ends it at once, in any state; resolves when the process is gone. No callback is called from here on. */
  async kill(): Promise<void> {
    this.#killed.abort()
    this.#release()
    await this.#process?.kill()
  }

  async #startInTurn(limiter: FfmpegLimiter): Promise<void> {
    try {
      const leave = await limiter.enter(this.#killed.signal)
      if (this.#killed.signal.aborted) leave()
      else this.#start(leave)
    } catch (error) {
      this.#fail(error as SttError)
    }
  }

  #start(onGone?: () => void): void {
    try {
      this.#process = new FfmpegProcess({ ...this.#run, ...(onGone && { onGone }) })
    } catch (cause) {
      onGone?.()
      // Most failures to start come as events; so do the others, for those who listen.
      process.nextTick(() => this.#fail(startFailure(this.#run.command, cause as Error)))
      return
    }
    const { chunk, isEnded, isPaused } = this.#held
    if (isPaused) this.#process.pause()
    if (chunk) this.#process.write(chunk, () => this.#release())
    if (isEnded) this.#process.end()
  }

  #fail(error: SttError): void {
    if (this.#killed.signal.aborted) return
    this.#killed.abort()
    this.#run.onError(error)
    this.#release()
  }

  /** Whoever waits for a write to be taken waits no more. */
  #release(): void {
    const { callback } = this.#held
    delete this.#held.chunk
    delete this.#held.callback
    callback?.()
  }
}

import { availableParallelism } from 'node:os'
import { SttError } from '../errors.js'

/** A longer timeout overflows Node's timer and fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** Limits of an {@link FfmpegLimiter}. */
export interface FfmpegLimiterOptions {
  /** ffmpeg processes that may run at a time: an integer from 1. Default: as many as the machine has cores. */
  maxProcesses?: number
  /** How long a stream may wait for its turn, in ms: above 0. Default 60 000. */
  maxWaitMs?: number
  /** Streams that may wait: an integer from 0, or Infinity. Default 1 000. */
  maxWaiting?: number
}

/** Figures of an {@link FfmpegLimiter}. */
export interface FfmpegLimiterStats {
  /** ffmpeg processes that run. */
  processes: number
  /** Streams that wait for their turn. */
  waiting: number
}

/**
 * A limit on ffmpeg processes that many streams share: `sttStream({ ffmpegLimiter })`. A stream that needs ffmpeg waits
 * for its turn, the first to come first; what is written to it waits meanwhile, held back by backpressure. Streams that
 * are decoded in process take no turn. An idle limiter has no timer.
 *
 * ```js
 * const ffmpegLimiter = new FfmpegLimiter({ maxProcesses: 4 })
 * request.pipe(sttStream({ ffmpegLimiter }))
 * ```
 */
export class FfmpegLimiter {
  readonly #maxProcesses: number
  readonly #maxWaitMs: number
  readonly #maxWaiting: number
  /** What lets each of those in who wait, the first to come first. */
  readonly #queue = new Set<() => void>()
  #processes = 0

  /** @throws TypeError, RangeError that name the option, what was expected and what came */
  constructor(options: FfmpegLimiterOptions = {}) {
    checkNames(options)
    const { maxProcesses = availableParallelism(), maxWaitMs = 60_000, maxWaiting = 1_000 } = options
    this.#maxProcesses = checkNumber('maxProcesses', maxProcesses, 'an integer from 1', isWhole(1))
    this.#maxWaitMs = checkNumber('maxWaitMs', maxWaitMs, 'a number above 0', value => value > 0)
    this.#maxWaiting = checkNumber('maxWaiting', maxWaiting, 'an integer from 0', isWhole(0))
  }

  /** Figures at this moment. */
  stats(): FfmpegLimiterStats {
    return { processes: this.#processes, waiting: this.#queue.size }
  }

  /**
   * Waits for a turn; the function that comes gives it back, once. Rejects with STT_ERR_FFMPEG_BUSY after `maxWaitMs`,
   * or with the reason of `signal`.
   */
  enter(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      if (this.#processes < this.#maxProcesses) {
        resolve(this.#admit())
        return
      }
      const { size } = this.#queue
      if (size >= this.#maxWaiting) {
        throw busy(`${size} streams wait for ffmpeg already (maxWaiting is ${this.#maxWaiting})`)
      }
      const leaveQueue = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#queue.delete(admit)
      }
      const refuse = (error: Error) => {
        leaveQueue()
        reject(error)
      }
      const onAbort = () => refuse(signal.reason as Error)
      const late = `no ffmpeg process was free for ${this.#maxWaitMs} ms (maxProcesses is ${this.#maxProcesses})`
      const admit = () => {
        leaveQueue()
        resolve(this.#admit())
      }
      // A stream's outcome hangs on it, so it keeps the process alive.
      const timer = setTimeout(() => refuse(busy(late)), Math.min(this.#maxWaitMs, MAX_TIMEOUT_MS))
      signal.addEventListener('abort', onAbort)
      this.#queue.add(admit)
    })
  }

  /** @returns what gives the turn back */
  #admit(): () => void {
    this.#processes += 1
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      this.#processes -= 1
      const [admitNext] = this.#queue
      admitNext?.()
    }
  }
}

function busy(why: string): SttError {
  return new SttError('STT_ERR_FFMPEG_BUSY', why, { retryable: true })
}

const NAMES = ['maxProcesses', 'maxWaitMs', 'maxWaiting']

function checkNames(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object; got ${options === null ? 'null' : typeof options}`)
  }
  const unknown = Object.keys(options).find(name => !NAMES.includes(name))
  if (unknown !== undefined) throw new TypeError(`options must be of ${NAMES.join(', ')}; got '${unknown}'`)
}

function checkNumber(
  name: string,
  value: unknown,
  expected: string,
  isValid: (value: number) => boolean,
): number {
  const misuse = `${name} must be ${expected}; got `
  if (typeof value !== 'number') throw new TypeError(misuse + (value === null ? 'null' : typeof value))
  if (!isValid(value)) throw new RangeError(misuse + String(value))
  return value
}

/** Infinity stands for no limit. */
function isWhole(min: number): (value: number) => boolean {
  return value => value === Infinity || (Number.isInteger(value) && value >= min)
}

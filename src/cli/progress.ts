import { SingleBar } from 'cli-progress'

export interface ProgressOptions {
  /** A terminal gets a line that is rewritten, anything else a line now and then. */
  stream: NodeJS.WriteStream
  file: string
  /** Of the audio, where it is known. */
  durationMs?: number
  /** How much of the audio has been sent, in ms. */
  positionMs: () => number
}

const REFRESH_MS = 200
const PLAIN_LINE_MS = 5_000
const BAR = { barCompleteChar: '█', barIncompleteChar: '░', barsize: 30 }

/** Position and speed of one transcription, shown until `stop()`. */
export class Progress {
  readonly #options: ProgressOptions
  readonly #startedMs = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #bar: SingleBar | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
    const { stream, durationMs } = options
    if (stream.isTTY) {
      const format = durationMs === undefined ? '{file}  {position}' : '{file} {bar} {position}'
      // The signals belong to the command; the line comes back after each result written above it.
      this.#bar = new SingleBar({
        ...BAR,
        format,
        stream,
        gracefulExit: false,
        // Without wrapping, long results on the same terminal would be cut; the bar itself is cut to its width.
        linewrap: true,
        clearOnComplete: true,
        forceRedraw: true,
      })
      this.#bar.start(durationMs ?? 0, 0, this.#tokens())
    }
    this.#timer = setInterval(() => this.#show(), this.#bar ? REFRESH_MS : PLAIN_LINE_MS)
    this.#timer.unref()
  }

  /** Frees the line for a result that the same terminal may get. */
  clear(): void {
    if (this.#bar) this.#options.stream.write('\r\x1b[K')
  }

  /** Leaves one line with the figures of the whole. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#bar) {
      // The bar goes back to where the cursor was last saved: without this, to its first line, now a result's.
      this.#options.stream.write('\x1b7')
      this.#bar.stop()
    }
    this.#options.stream.write(`${this.#options.file}: ${this.#tokens().position}\n`)
  }

  #show(): void {
    if (this.#bar) this.#bar.update(this.#options.positionMs(), this.#tokens())
    else this.#options.stream.write(`${this.#options.file}: ${this.#tokens().position}\n`)
  }

  #tokens(): { file: string; position: string } {
    const { file, durationMs, positionMs } = this.#options
    const position = positionMs()
    const rate = position / (performance.now() - this.#startedMs)
    const of = durationMs === undefined ? '' : ` of ${seconds(durationMs)}`
    return { file, position: `${seconds(position)}${of} s, ${rate.toFixed(1)} times real time` }
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

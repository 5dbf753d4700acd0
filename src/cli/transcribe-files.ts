import { mkdir } from 'node:fs/promises'
import type { SttStreamOptions } from '../options.js'
import type { SttStream } from '../stt-stream.js'
import { audioDurationMs } from './audio-duration.js'
import { startTranscription } from './audio-source.js'
import { eventFormatter } from './event-format.js'
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.js'
import { inputName } from './input-name.js'
import { fileOutput, isBrokenPipe, outputPath, stdoutOutput } from './output.js'
import { Reporter } from './report.js'
import { openService } from './service.js'
import { withSignals } from './signals.js'
import { streamOptions } from './stream-options.js'
import type { TranscribeOptions } from './transcribe-options.js'
import { transcribeFile } from './transcribe-file.js'

/** Transcribes one file after the other; the failure of one does not keep the others from being done. */
export async function transcribeFiles(
  files: readonly string[],
  options: TranscribeOptions,
): Promise<ExitCode> {
  const reporter = new Reporter(options.quiet ?? false)
  const run = new Run(files, options, reporter)
  try {
    return await withSignals(run, () => run.all())
  } catch (error) {
    reporter.error(error)
    return exitCodeOf(error)
  }
}

class Run {
  readonly #files: readonly string[]
  readonly #options: TranscribeOptions
  readonly #reporter: Reporter
  readonly #aborter = new AbortController()
  #current: SttStream | undefined
  /** Set once the run is to end before its time. */
  #endsWith: ExitCode | undefined

  constructor(files: readonly string[], options: TranscribeOptions, reporter: Reporter) {
    this.#files = files
    this.#options = options
    this.#reporter = reporter
  }

  /** At first the audio ends here, and its last results are still awaited; the second time they are not. */
  interrupt(): void {
    const first = this.#endsWith === undefined
    this.#endsWith = EXIT.interrupted
    if (first && this.#current) {
      // Its outcome shows on the stream, which is read.
      void this.#current.stop()
      this.#reporter.notice('ending; Ctrl-C again aborts')
    } else this.#abort(EXIT.interrupted)
  }

  terminate(): void {
    this.#abort(EXIT.terminated)
  }

  #abort(exitCode: ExitCode): void {
    this.#endsWith = exitCode
    this.#aborter.abort()
  }

  async all(): Promise<ExitCode> {
    const { outDir } = this.#options
    if (outDir !== undefined) await mkdir(outDir, { recursive: true })
    const service = await openService(this.#options, this.#reporter)
    let exitCode: ExitCode = EXIT.ok
    try {
      for (const file of this.#files) {
        if (this.#endsWith !== undefined) break
        // Of several failures the most telling decides: a missing program before a broken file.
        exitCode = Math.max(exitCode, await this.#one(file, service.connect)) as ExitCode
        // The next file would only meet the same refusal.
        if (exitCode === EXIT.account || exitCode === EXIT.usage) break
      }
      return this.#endsWith ?? exitCode
    } finally {
      await service.close()
    }
  }

  async #one(file: string, connect: SttStreamOptions): Promise<ExitCode> {
    const { format, words = false, outDir, raw } = this.#options
    const name = inputName(file)
    try {
      const output =
        outDir === undefined
          ? stdoutOutput(this.#aborter.signal)
          : await fileOutput(outputPath(outDir, name, format))
      try {
        const manyFiles = this.#files.length > 1 && outDir === undefined
        const formatter = eventFormatter({ format, file: name, words, manyFiles })
        const progressOn = this.#showsProgress() ? process.stderr : undefined
        const durationMs = progressOn && this.#heardMs(await audioDurationMs(file, raw))
        this.#current = await startTranscription(file, this.#streamOptions(connect))
        await transcribeFile({
          file: name,
          stream: this.#current,
          formatter,
          output,
          reporter: this.#reporter,
          progressOn,
          durationMs,
        })
      } finally {
        this.#current?.destroy()
        this.#current = undefined
        await output.close()
      }
      return EXIT.ok
    } catch (error) {
      if (this.#aborter.signal.aborted) return EXIT.ok
      // A reader that goes away (`| head`) is no failure.
      if (isBrokenPipe(error)) {
        this.#abort(EXIT.ok)
        return EXIT.ok
      }
      this.#reporter.error(error, name)
      return exitCodeOf(error)
    }
  }

  #streamOptions(connect: SttStreamOptions): SttStreamOptions {
    const { pace, raw, start, duration, track, channels, resamplerQuality } = this.#options
    return {
      ...connect,
      ...streamOptions(this.#options),
      signal: this.#aborter.signal,
      ...(pace !== undefined && { pace }),
      ...(raw !== undefined && { input: raw }),
      ...(start !== undefined && { startMs: start }),
      ...(duration !== undefined && { durationMs: duration }),
      ...(track !== undefined && { track }),
      ...(channels !== undefined && { channels }),
      // Nobody waits for a single line of a file.
      mergeWaitMs: false,
      ...(resamplerQuality !== undefined && { resamplerQuality }),
    }
  }

  /** How much of so much is asked for. */
  #heardMs(wholeMs: number | undefined): number | undefined {
    const { start = 0, duration = Infinity } = this.#options
    const restMs = wholeMs === undefined ? duration : Math.min(Math.max(0, wholeMs - start), duration)
    return Number.isFinite(restMs) ? restMs : undefined
  }

  #showsProgress(): boolean {
    return !this.#options.quiet && (process.stderr.isTTY || this.#options.progress === true)
  }
}

import { pipeline } from 'node:stream'
import { microphone, type Microphone, type MicrophoneWarning } from '../audio/microphone.js'
import { microphones } from '../audio/microphone-list.js'
import type { SttEvent } from '../stt/events.js'
import type { SttStream } from '../stt-stream.js'
import { createStream } from './audio-source.js'
import { eventFormatter } from './event-format.js'
import { EXIT, exitCodeOf, type ExitCode } from './exit-code.js'
import { LiveLine } from './live-line.js'
import type { ListenOptions } from './listen-options.js'
import { reportNotices } from './notices.js'
import { isBrokenPipe, stdoutOutput } from './output.js'
import { Reporter } from './report.js'
import { openService, type Service } from './service.js'
import { withSignals } from './signals.js'
import { streamOptions } from './stream-options.js'

/** Of the source, in JSON and in notices. */
const SOURCE = 'microphone'

/** Writes what can be listened to, a line for each. */
export async function listDevices(): Promise<ExitCode> {
  const reporter = new Reporter(false)
  try {
    const devices = await microphones()
    for (const { id, name, isDefault } of devices)
      process.stdout.write(`${isDefault ? '*' : ' '} ${id}\t${name}\n`)
    if (devices.length === 0) reporter.notice('this machine has no microphone')
    return EXIT.ok
  } catch (error) {
    reporter.error(error)
    return exitCodeOf(error)
  }
}

/** Transcribes a microphone until a signal ends it, or something fails. */
export async function listen(options: ListenOptions): Promise<ExitCode> {
  const showsInterims = process.stderr.isTTY && !options.quiet && options.format !== 'json'
  const line = showsInterims ? new LiveLine(process.stderr) : undefined
  const reporter = new Reporter(options.quiet ?? false, () => line?.clear())
  const listener = new Listener(options, reporter, line)
  try {
    return await withSignals(listener, () => listener.run())
  } catch (error) {
    reporter.error(error)
    return exitCodeOf(error)
  }
}

class Listener {
  readonly #options: ListenOptions
  readonly #reporter: Reporter
  readonly #line: LiveLine | undefined
  readonly #aborter = new AbortController()
  #microphone: Microphone | undefined
  #isEnding = false
  #endsWith: ExitCode = EXIT.ok

  constructor(options: ListenOptions, reporter: Reporter, line: LiveLine | undefined) {
    this.#options = options
    this.#reporter = reporter
    this.#line = line
  }

  /** That is how a live source ends, so at first it is no failure. */
  interrupt(): void {
    if (this.#microphone && !this.#isEnding) {
      this.#microphone.stop()
      this.#reporter.notice('ending; Ctrl-C again aborts')
    } else this.#abort(EXIT.interrupted)
    this.#isEnding = true
  }

  terminate(): void {
    this.#abort(EXIT.terminated)
  }

  #abort(exitCode: ExitCode): void {
    this.#endsWith = exitCode
    this.#aborter.abort()
  }

  async run(): Promise<ExitCode> {
    const service = await openService(this.#options, this.#reporter)
    try {
      if (!this.#aborter.signal.aborted) await this.#write(this.#start(service.connect))
    } catch (error) {
      // A reader that goes away (`| head`) is no failure.
      if (!this.#aborter.signal.aborted && !isBrokenPipe(error)) throw error
    } finally {
      this.#line?.clear()
      await service.close()
    }
    return this.#endsWith
  }

  #start(connect: Service['connect']): SttStream {
    const { signal } = this.#aborter
    const wanted = streamOptions(this.#options)
    const interimResults = wanted.interimResults === true || this.#line !== undefined
    const stream = createStream({ ...connect, ...wanted, interimResults, signal })
    reportNotices(stream, SOURCE, this.#reporter)
    const { device } = this.#options
    this.#microphone = microphone({ signal, ...(device !== undefined && { device }) })
      .on('open', ({ device }: { device: string }) =>
        this.#reporter.notice(`listening to ${device}; Ctrl-C ends it`),
      )
      .on('warning', (warning: MicrophoneWarning) => this.#reporter.warning(warning, SOURCE))
    // What fails shows on the stream, which is read.
    pipeline(this.#microphone, stream, () => {})
    return stream
  }

  async #write(stream: SttStream): Promise<void> {
    const { format, words = false } = this.#options
    const formatter = eventFormatter({ format, file: SOURCE, words, manyFiles: false })
    const output = stdoutOutput(this.#aborter.signal)
    const write = async (text: string): Promise<void> => {
      if (text === '') return
      this.#line?.clear()
      await output.write(text)
    }
    try {
      for await (const event of stream as AsyncIterable<SttEvent>) {
        await write(formatter.format(event))
        if (event.type === 'transcription' && !event.isFinal) this.#line?.show(event.transcript)
      }
    } finally {
      await write(formatter.end())
    }
  }
}

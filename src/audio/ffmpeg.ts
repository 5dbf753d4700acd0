import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { SttError } from '../errors.js'
import { encryptedAudio, ffmpegFailure, isEncrypted } from './ffmpeg-failure.js'
import { ffmpegNotFound } from './ffmpeg-find.js'
import { FfmpegLog, type FfmpegSaid } from './ffmpeg-log.js'
import { isEncryptedMp4, Mp4EncryptionScan } from './mp4-encryption.js'

/** How long a killed child may take to go before its owner stops waiting for it, in ms. */
const KILL_GRACE_MS = 5_000

/** What ffmpeg is asked to do, and who hears of it. Of `onExit` and `onError` at most one is called, once. */
export interface FfmpegRun {
  /** The executable, see `findFfmpeg`. */
  readonly command: string
  /** The file to decode; without it the bytes are written. */
  readonly path?: string
  /** Shorten the look ahead at the input: right for elementary streams, where every frame carries its parameters. */
  readonly briefAnalysis?: boolean
  /** How long it may hold input or an end without any progress, in ms. */
  readonly stallTimeoutMs: number
  /** A piece of the WAV file that it makes. */
  onOutput(wav: Buffer): void
  /** It has exited with code 0 and its output is complete. `stderr` is what it complained of, often ''. */
  onExit(stderr: string): void
  onError(error: SttError): void
}

/**
 * One ffmpeg process that turns any audio into a WAV file of 32-bit floats, from its stdin or from a file.
 *
 * Whether it succeeded is for its exit code to say, and for nothing else: it may stop reading before its input ends
 * (a broken pipe is no error), and its output may end while it still fails. The watch guards against a child that
 * does nothing at all: the clock runs while the child owes something, that is while it has input to take, or its
 * whole input to finish, and nobody has paused its output.
 */
export class Ffmpeg {
  readonly #run: FfmpegRun
  readonly #child: ChildProcess
  readonly #stdin: Writable | null
  readonly #stdout: Readable | null
  readonly #log = new FfmpegLog()
  readonly #written = new Mp4EncryptionScan()
  /** With a path: settles when it is known whether the file is encrypted. */
  readonly #inspection: Promise<void>
  readonly #stopInspection = new AbortController()
  #watch: NodeJS.Timeout | undefined
  #waitingWrite = false
  #inputEnded: boolean
  #paused = false
  #done = false

  constructor(run: FfmpegRun) {
    this.#run = run
    this.#inputEnded = run.path !== undefined
    const stdio = [run.path === undefined ? 'pipe' : 'ignore', 'pipe', 'pipe'] as const
    const child = spawn(run.command, ffmpegArguments(run), {
      stdio: [...stdio],
      windowsHide: true,
      // Its log is read by a program, whatever the user likes to see.
      env: { ...process.env, AV_LOG_FORCE_NOCOLOR: '1' },
      // Its own process group: Ctrl-C in a terminal is for the application to answer, not for ffmpeg to die of.
      detached: process.platform !== 'win32',
    })
    this.#child = child
    this.#stdin = child.stdin
    this.#stdout = child.stdout
    child.on('error', cause => this.#fail(startFailure(run.command, cause)))
    child.on('close', (code, signal) => void this.#inspection.then(() => this.#onClose(code, signal)))
    child.stdin?.on('error', () => undefined)
    child.stdout?.on('error', () => undefined)
    child.stdout?.on('data', (wav: Buffer) => {
      if (this.#done) return
      run.onOutput(wav)
      this.#guard()
    })
    this.#inspection = run.path === undefined ? Promise.resolve() : this.#inspect(run.path)
    child.stderr?.on('error', () => undefined)
    child.stderr?.on('data', (text: Buffer) => this.#onSaid(text))
    this.#guard()
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** What it has said of the input and of its mishaps so far. */
  get said(): FfmpegSaid {
    return this.#log.said
  }

  /** Calls back once ffmpeg has taken the chunk, or takes nothing any more. */
  write(chunk: Buffer, callback: () => void): void {
    this.#written.push(chunk)
    if (this.#written.isEncrypted) this.#fail(encryptedAudio())
    if (!this.#stdin?.writable) {
      callback()
      return
    }
    this.#waitingWrite = true
    this.#guard()
    this.#stdin.write(chunk, () => {
      this.#waitingWrite = false
      this.#guard()
      callback()
    })
  }

  /** The input is complete. */
  end(): void {
    this.#inputEnded = true
    this.#stdin?.end()
    this.#guard()
  }

  /** Takes no more output until `resume`; what the pipe already held may still come. */
  pause(): void {
    this.#paused = true
    this.#stdout?.pause()
    this.#guard()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#stdout?.resume()
    this.#guard()
  }

  /** Ends it at once, in any state; resolves when the process is gone. No callback is called from here on. */
  async kill(): Promise<void> {
    this.#settle()
    const child = this.#child
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(KILL_GRACE_MS) })
    child.kill('SIGKILL')
    // A process that even SIGKILL cannot end hangs in the kernel; nothing is gained by waiting on.
    await gone.catch(() => undefined)
  }

  #onSaid(text: Buffer): void {
    if (this.#done) return
    this.#log.append(text)
    if (isEncrypted(this.said)) this.#fail(encryptedAudio())
  }

  /** What cannot be read is for ffmpeg to say. */
  async #inspect(path: string): Promise<void> {
    const isEncrypted = await isEncryptedMp4(path, this.#stopInspection.signal).catch(() => false)
    if (isEncrypted) this.#fail(encryptedAudio())
  }

  #onClose(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#done) return
    this.#log.end()
    if (code === 0) {
      this.#settle()
      this.#run.onExit(this.said.complaints)
    } else this.#fail(ffmpegFailure(this.said, { code, signal }))
  }

  #fail(error: SttError): void {
    if (this.#done) return
    void this.kill()
    this.#run.onError(error)
  }

  /** Every call is progress: the clock starts anew where the child owes something, and stops where it does not. */
  #guard(): void {
    clearTimeout(this.#watch)
    const owes = (this.#waitingWrite || this.#inputEnded) && !this.#paused
    if (this.#done || !owes) return
    const { stallTimeoutMs } = this.#run
    this.#watch = setTimeout(() => {
      const { complaints } = this.said
      const why = `ffmpeg has made no progress for ${stallTimeoutMs} ms${complaints && ': '}${complaints}`
      this.#fail(new SttError('STT_ERR_DECODE', why))
    }, stallTimeoutMs)
  }

  #settle(): void {
    this.#done = true
    clearTimeout(this.#watch)
    this.#stopInspection.abort()
    // A grandchild may hold the pipes open after the child has gone.
    this.#stdin?.destroy()
    this.#stdout?.destroy()
    this.#child.stderr?.destroy()
  }
}

/*
 * Of the protocols, a pipe opens nothing else: a playlist sent by a stranger must not make ffmpeg read local files.
 * -bitexact and -map_metadata keep the tags of the source out of the WAV header; pcm_f32le keeps 24-bit audio whole.
 * Not -xerror: it throws away good audio around one bad byte. Not -fflags nobuffer: it drops what was looked at while
 * the input was analysed, up to seconds.
 */
function ffmpegArguments({ path, briefAnalysis }: FfmpegRun): string[] {
  const input = path === undefined ? ['pipe', '-i', 'pipe:0'] : ['file', '-i', `file:${path}`]
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info'],
    // In µs. Brings the first sample of a live mp3 from 1.4 s to 0.4 s.
    ...(briefAnalysis ? ['-analyzeduration', '100000'] : []),
    ...['-protocol_whitelist', ...input],
    ...['-vn', '-map_metadata', '-1', '-bitexact', '-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1'],
  ]
}

function startFailure(command: string, cause: NodeJS.ErrnoException): SttError {
  const what = `cannot run ${command} (${cause.code ?? cause.message})`
  if (cause.code === 'ENOENT' || cause.code === 'EACCES') return ffmpegNotFound(what, cause)
  return new SttError('STT_ERR_DECODE', what, { cause })
}

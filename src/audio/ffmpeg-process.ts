import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { SttError } from '../errors.js'
import { ffmpegArguments, type FfmpegInput } from './ffmpeg-arguments.js'
import { encryptedAudio, ffmpegFailure, isEncrypted, startFailure } from './ffmpeg-failure.js'
import { FfmpegLog, type FfmpegSaid } from './ffmpeg-log.js'
import { isEncryptedMp4 } from './mp4-encryption.js'
import { WrittenAudio } from './written-audio.js'

/** How long a killed child may take to go before its owner stops waiting for it, in ms. */
const KILL_GRACE_MS = 5_000

/** What ffmpeg is asked to do, and who hears of it. Of `onExit` and `onError` at most one is called, once. */
export interface FfmpegProcessRun extends Omit<FfmpegInput, 'isFile'> {
  /** The executable, see `findFfmpeg`. */
  readonly command: string
  /** The file to decode, open and with its position at the start. Neither this nor `path`: the bytes are written. */
  readonly file?: FileHandle
  /** 0 to 19: the higher, the more it leaves to others. Default: that of this process. */
  readonly niceness?: number | undefined
  /** How long it may hold input or an end without any progress, in ms. */
  readonly stallTimeoutMs: number
  /** A piece of the WAV file that it makes. */
  onOutput(wav: Buffer): void
  /** It has exited with code 0 and its output is complete. `stderr` is what it complained of, often ''. */
  onExit(stderr: string): void
  onError(error: SttError): void
  /** The process is gone, or there never was one. Comes last, after `kill` too. */
  onGone?(): void
}

/**
 * One ffmpeg process that turns any audio into a WAV file, from its stdin or from a file.
 *
 * Whether it succeeded is for its exit code to say, and for nothing else: it may stop reading before its input ends
 * (a broken pipe is no error), and its output may end while it still fails. The watch guards against a child that
 * does nothing at all: the clock runs while the child owes something, that is while it has input to take, or its
 * whole input to finish, and nobody has paused its output.
 */
export class FfmpegProcess {
  readonly #run: FfmpegProcessRun
  readonly #child: ChildProcess
  readonly #stdin: Writable | null
  readonly #stdout: Readable | null
  readonly #log = new FfmpegLog()
  readonly #written = new WrittenAudio()
  readonly #stopInspection = new AbortController()
  #watch: NodeJS.Timeout | undefined
  #waitingWrite = false
  #inputEnded: boolean
  #paused = false
  #done = false

  constructor(run: FfmpegProcessRun) {
    this.#run = run
    const { command, path, file, niceness } = run
    const isWritten = path === undefined && file === undefined
    this.#inputEnded = !isWritten
    const opened = path === undefined ? undefined : openNameless(path)
    const fd = file?.fd ?? opened
    const input = { ...run, isFile: fd !== undefined, ...(fd !== undefined && { path: undefined }) }
    let child: ChildProcess
    try {
      child = spawn(command, ffmpegArguments(input), {
        stdio: [fd ?? (isWritten ? 'pipe' : 'ignore'), 'pipe', 'pipe'],
        windowsHide: true,
        // Its log is read by a program, whatever the user likes to see.
        env: { ...process.env, AV_LOG_FORCE_NOCOLOR: '1' },
        // Its own process group: Ctrl-C in a terminal is for the application to answer, not for ffmpeg to die of.
        detached: process.platform !== 'win32',
      })
    } finally {
      if (opened !== undefined) closeSync(opened)
    }
    this.#child = child
    this.#stdin = child.stdin
    this.#stdout = child.stdout
    if (niceness !== undefined && child.pid !== undefined) lowerPriority(child.pid, niceness)
    const inspected = isWritten ? Promise.resolve() : this.#inspect()
    child.on('error', cause => this.#onFailure(cause))
    child.on('exit', () => run.onGone?.())
    child.on('close', (code, signal) => void inspected.then(() => this.#onClose(code, signal)))
    child.stdin?.on('error', () => undefined)
    child.stdout?.on('error', () => undefined)
    child.stdout?.on('data', (wav: Buffer) => this.#onOutput(wav))
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
    const objection = this.#written.push(chunk)
    if (objection) this.#fail(objection)
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

  /** Whether the file is encrypted. What cannot be read is for ffmpeg to say. */
  async #inspect(): Promise<void> {
    const { path = '', file } = this.#run
    const { signal } = this.#stopInspection
    const isEncrypted = file
      ? isEncryptedMp4(file, signal)
      : whileOpen(path, opened => isEncryptedMp4(opened, signal))
    if (await isEncrypted.catch(() => false)) this.#fail(encryptedAudio())
  }

  #onOutput(wav: Buffer): void {
    if (this.#done) return
    this.#written.answered()
    this.#run.onOutput(wav)
    this.#guard()
  }

  /** The process could not be started, or not be killed. */
  #onFailure(cause: NodeJS.ErrnoException): void {
    this.#fail(startFailure(this.#run.command, cause))
    if (this.pid === undefined) this.#run.onGone?.()
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

/**
 * ffmpeg goes by the ending of a name where the bytes tell nothing: of raw samples it makes noise at 44.1 kHz.
 * @returns undefined where it must have the name: on Windows, and where the file has gone, which is for it to say
 */
function openNameless(path: string): number | undefined {
  if (process.platform === 'win32') return undefined
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

async function whileOpen<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r')
  try {
    return await read(file)
  } finally {
    await file.close()
  }
}

/** At once, so that the threads which it starts inherit it. */
function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness)
  } catch {
    // It has gone already, or the system knows no priorities: slower for others, and no reason to fail.
  }
}

import { randomUUID } from 'node:crypto'
import { open, rm, unlink, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SttError } from '../errors.js'

/** Elsewhere an open file lives without its name. */
const FILES_NEED_NAMES = process.platform === 'win32'

/** A complete file: open, with its position at the start, or by its path where it keeps its name. */
export interface SpooledFile {
  readonly file?: FileHandle
  readonly path?: string
}

/**
 * A stream kept in a temporary file, for input that must be sought. The file is its owner's alone (0600). It loses its
 * name as soon as it is open, so that nothing of it is left whatever becomes of this process, SIGKILL included. Where
 * it keeps its name (on Windows it must), it lives until `remove`. One operation at a time: await each before the
 * next, but `remove`, which waits for the one under way.
 */
export class Spool {
  readonly #limitBytes: number
  readonly #keepsName: boolean
  #bytes = 0
  #path: string | undefined
  #writer: FileHandle | undefined
  /** Open from the start, with a position of its own: without a name there is no opening it later. */
  #reader: FileHandle | undefined
  #busy: Promise<unknown> = Promise.resolve()

  /**
   * @param limitBytes what it may hold, in bytes
   * @param keepsName whether it is wanted by its path
   */
  constructor(limitBytes: number, keepsName = FILES_NEED_NAMES) {
    this.#limitBytes = limitBytes
    this.#keepsName = keepsName
  }

  /** @throws SttError STT_ERR_SPOOL_LIMIT past the limit, STT_ERR_DECODE where the disk fails */
  write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.length
    if (this.#bytes > this.#limitBytes) {
      const limit = `spoolLimitBytes is ${this.#limitBytes}`
      const why = 'this mp4 keeps its index behind its samples and must be stored to be decoded'
      return Promise.reject(
        new SttError('STT_ERR_SPOOL_LIMIT', `${why}, but it is larger than allowed: ${limit}`),
      )
    }
    return this.#do(async () => {
      const file = (this.#writer ??= await this.#open())
      // writeFile, for a plain write may take less than the whole chunk.
      await file.writeFile(chunk)
    })
  }

  /** Takes no more. The file is good until `remove`. */
  finish(): Promise<SpooledFile> {
    return this.#do(async () => {
      const writer = (this.#writer ??= await this.#open())
      this.#writer = undefined
      await writer.close()
      return this.#reader ? { file: this.#reader } : { path: this.#path! }
    })
  }

  /** Deletes the file. Idempotent. */
  async remove(): Promise<void> {
    await this.#busy.catch(() => undefined)
    await this.#writer?.close()
    this.#writer = undefined
    await this.#reader?.close()
    this.#reader = undefined
    if (this.#path !== undefined) await rm(this.#path, { force: true, maxRetries: 3 })
    this.#path = undefined
  }

  async #open(): Promise<FileHandle> {
    const path = join(tmpdir(), `sttstream-${randomUUID()}`)
    const writer = await open(path, 'wx', 0o600)
    this.#path = path
    // Where the rest fails, `remove` has this to close.
    this.#writer = writer
    if (this.#keepsName) return writer
    this.#reader = await open(path, 'r')
    await unlink(path)
    this.#path = undefined
    return writer
  }

  #do<T>(operation: () => Promise<T>): Promise<T> {
    const done = operation().catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new SttError('STT_ERR_DECODE', `cannot store the audio in a temporary file: ${why}`, { cause })
    })
    this.#busy = done
    return done
  }
}

import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SttError } from '../errors.js'

/**
 * A stream kept in a temporary file, for input that must be sought. The file is its owner's alone (0600, in a fresh
 * directory) and lives until `remove`. One operation at a time: await each before the next, but `remove`, which
 * waits for the one under way.
 */
export class Spool {
  readonly #limitBytes: number
  #bytes = 0
  #directory: string | undefined
  #file: FileHandle | undefined
  #busy: Promise<unknown> = Promise.resolve()

  /** @param limitBytes what it may hold, in bytes */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
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
      const file = (this.#file ??= await this.#open())
      // writeFile, for a plain write may take less than the whole chunk.
      await file.writeFile(chunk)
    })
  }

  /** @returns the path of the complete file */
  finish(): Promise<string> {
    return this.#do(async () => {
      const file = (this.#file ??= await this.#open())
      this.#file = undefined
      await file.close()
      return join(this.#directory ?? '', 'audio')
    })
  }

  /** Deletes the file and its directory. Idempotent. */
  async remove(): Promise<void> {
    await this.#busy.catch(() => undefined)
    await this.#file?.close()
    this.#file = undefined
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true, maxRetries: 3 })
    this.#directory = undefined
  }

  async #open(): Promise<FileHandle> {
    this.#directory = await mkdtemp(join(tmpdir(), 'sttstream-'))
    return open(join(this.#directory, 'audio'), 'wx', 0o600)
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

import { open } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { FILE_ENDINGS, type Format } from './event-format.js'

/** Where one file's result goes. */
export interface Output {
  /** Resolves when the text has left; fails with the system's error (EPIPE, ENOSPC). */
  write(text: string): Promise<void>
  close(): Promise<void>
}

/** stdout, which stays open. `signal` frees a writer whose reader has stopped reading. */
export function stdoutOutput(signal: AbortSignal): Output {
  return {
    write: text =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', giveUp, { once: true })
        process.stdout.write(text, error => {
          signal.removeEventListener('abort', giveUp)
          if (error) reject(error)
          else resolve()
        })
        // What is left to say after an abort is written, not waited for.
        if (signal.aborted) resolve()
      }),
    close: () => Promise.resolve(),
  }
}

/** A file of its own. */
export async function fileOutput(path: string): Promise<Output> {
  const file = await open(path, 'w')
  return { write: text => file.appendFile(text), close: () => file.close() }
}

/** talk.mp3 → DIR/talk.srt; standard input → DIR/stdin.srt */
export function outputPath(directory: string, file: string, format: Format): string {
  const name = file === '-' ? 'stdin' : basename(file, extname(file))
  return join(directory, `${name}.${FILE_ENDINGS[format]}`)
}

/** Whether it was written to a reader that has gone away. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}

import { constants, createReadStream, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/**
 * The bytes of a file. Those of a named pipe come as from a socket: a read as from a file holds a thread until there
 * are bytes, and with it the end of the process; so does to open a pipe that nobody writes to. Only Linux waits for a
 * writer without a thread; elsewhere such a pipe would seem to be at its end.
 * @param chunkBytes how much of a file is read at once
 */
export function fileBytes(path: string, chunkBytes = 64 * 1024): Readable {
  const pipe = process.platform === 'linux' ? openPipe(path) : undefined
  if (pipe !== undefined) return new Socket({ fd: pipe, readable: true, writable: false })
  return createReadStream(path, { highWaterMark: chunkBytes })
}

/** @returns undefined for what is no named pipe, or cannot be opened */
function openPipe(path: string): number | undefined {
  try {
    if (!statSync(path).isFIFO()) return undefined
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    // The stream of the file fails with the reason.
    return undefined
  }
}

import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { byteStream, pathOf, type AudioSource } from './sources.js'

export interface CollectOptions {
  /** Bytes beyond which the source is given up. */
  maxBytes: number
  /** What it fails with then. */
  tooLarge: () => Error
  signal: AbortSignal
}

/**
 * A whole source as a Blob: what is sent from it can be sent again. A file stays on disk until it is read; a stream
 * is kept in memory.
 */
export async function collect(
  source: AudioSource,
  { maxBytes, tooLarge, signal }: CollectOptions,
): Promise<Blob> {
  const blob = await sizedBlob(source)
  if (blob) {
    if (blob.size > maxBytes) throw tooLarge()
    return blob
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  const stream = addAbortSignal(signal, byteStream(source))
  // Leaving the loop destroys the stream.
  for await (const chunk of stream as AsyncIterable<unknown>) {
    if (!(chunk instanceof Uint8Array))
      throw new TypeError(`source must give chunks of Uint8Array; got ${typeof chunk}`)
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return new Blob(chunks)
}

/** Where the size is known before anything is read. */
async function sizedBlob(source: AudioSource): Promise<Blob | undefined> {
  if (source instanceof Blob) return source
  if (source instanceof Uint8Array) return new Blob([source])
  const path = pathOf(source)
  // A pipe or a device has no size; a directory fails when it is read.
  return path !== undefined && (await stat(path)).isFile() ? openAsBlob(path) : undefined
}

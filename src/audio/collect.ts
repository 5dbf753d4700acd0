import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import { openSource, type OpenSourceOptions } from './open-source.js'
import { bytesOf, isAudioChunk } from './source-bytes.js'
import { pathOf, type AudioSource } from './sources.js'

export interface CollectOptions extends OpenSourceOptions {
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
  { maxBytes, tooLarge, signal, ...options }: CollectOptions,
): Promise<Blob> {
  const blob = await sizedBlob(source, options)
  if (blob) {
    if (blob.size > maxBytes) throw tooLarge()
    return blob
  }
  const chunks: Buffer[] = []
  let length = 0
  const { bytes } = await openSource(source, { ...options, signal })
  // Leaving the loop destroys the stream.
  for await (const chunk of addAbortSignal(signal, bytes) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return new Blob(chunks)
}

/** Where the size is known before anything is read. */
async function sizedBlob(source: AudioSource, { input }: OpenSourceOptions): Promise<Blob | undefined> {
  if (source instanceof Blob) return source
  if (isAudioChunk(source)) return new Blob([bytesOf(source, input)])
  const path = pathOf(source)
  // A pipe or a device has no size; a directory fails when it is read.
  return path !== undefined && (await stat(path)).isFile() ? openAsBlob(path) : undefined
}

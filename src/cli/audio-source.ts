import type { Readable } from 'node:stream'
import { refuseEmpty } from '../audio/empty-source.js'
import { openSource } from '../audio/open-source.js'
import { pathOf } from '../audio/sources.js'
import { toUsageError } from './exit-code.js'
import { sttStream, type SttStream } from '../stt-stream.js'
import type { SttStreamOptions } from '../options.js'

/**
 * Starts to transcribe a file, an http(s) URL, or standard input ('-').
 * @throws UsageError for options that the library refuses; STT_ERR_SOURCE where a URL cannot be fetched
 */
export async function startTranscription(file: string, options: SttStreamOptions): Promise<SttStream> {
  const path = file === '-' ? undefined : pathOf(file)
  if (path !== undefined) return createStream({ ...options, path })
  const { bytes, live } = await openSource(file === '-' ? process.stdin : file, { signal: options.signal })
  const stream = createStream({ live, ...options }, bytes)
  bytes.once('error', error => stream.destroy(error))
  // Standard input that nobody closes would keep the process.
  stream.once('close', () => bytes.destroy())
  refuseEmpty(bytes, stream)
  bytes.pipe(stream)
  return stream
}

/**
 * @param bytes let go where there is no stream to take them
 * @throws UsageError for options that the library refuses
 */
export function createStream(options: SttStreamOptions, bytes?: Readable): SttStream {
  try {
    return sttStream(options)
  } catch (error) {
    bytes?.destroy()
    throw toUsageError(error)
  }
}

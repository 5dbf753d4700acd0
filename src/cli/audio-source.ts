import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { openSource } from '../audio/open-source.js'
import { sniff } from '../audio/sniff.js'
import { pathOf } from '../audio/sources.js'
import { toUsageError } from './exit-code.js'
import { sttStream, type SttStream } from '../stt-stream.js'
import type { SttStreamOptions } from '../options.js'

const SNIFF_BYTES = 16

/** A running transcription and the way to end its audio before its time. */
export interface Transcription {
  stream: SttStream
  /** Ends the audio here: what was heard is still transcribed. False where only an abort can stop it. */
  endAudio(): boolean
}

/**
 * Starts to transcribe a file, an http(s) URL, or standard input ('-'). They are piped, so that Ctrl-C can end them
 * like a live source; mp4 and its relatives are opened by the library itself, because most of them can only be read
 * by seeking.
 * @throws UsageError for options that the library refuses; STT_ERR_SOURCE where a URL cannot be fetched
 */
export async function startTranscription(file: string, options: SttStreamOptions): Promise<Transcription> {
  const path = file === '-' ? undefined : pathOf(file)
  if (path !== undefined && options.input === undefined && (await isMp4(path))) {
    return { stream: createStream({ ...options, path }), endAudio: () => false }
  }
  const { bytes, live } = await openSource(file === '-' ? process.stdin : file, { signal: options.signal })
  const stream = createStream({ live, ...options }, bytes)
  bytes.once('error', error => stream.destroy(error))
  // Standard input that nobody closes would keep the process.
  stream.once('close', () => bytes.destroy())
  bytes.pipe(stream)
  return {
    stream,
    endAudio() {
      bytes.unpipe(stream)
      stream.end()
      return true
    },
  }
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

async function isMp4(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    // A pipe can be read only once.
    if (!(await file.stat()).isFile()) return false
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SNIFF_BYTES), position: 0 })
    return sniff(buffer.subarray(0, bytesRead)) === 'mp4'
  } finally {
    await file.close()
  }
}

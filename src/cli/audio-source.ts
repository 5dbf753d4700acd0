import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { sniff } from '../audio/sniff.js'
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
 * Starts to transcribe a file, or standard input ('-'). Files are piped, so that Ctrl-C can end them like a live
 * source; mp4 and its relatives are opened by the library itself, because most of them can only be read by seeking.
 * @throws UsageError for options that the library refuses
 */
export async function startTranscription(file: string, options: SttStreamOptions): Promise<Transcription> {
  if (file !== '-' && options.input === undefined && (await isMp4(file))) {
    return { stream: createStream({ ...options, path: file }), endAudio: () => false }
  }
  const stream = createStream(options)
  const source: Readable = file === '-' ? process.stdin : createReadStream(file)
  source.once('error', error => stream.destroy(error))
  // Standard input that nobody closes would keep the process.
  stream.once('close', () => source.destroy())
  source.pipe(stream)
  return {
    stream,
    endAudio() {
      source.unpipe(stream)
      stream.end()
      return true
    },
  }
}

function createStream(options: SttStreamOptions): SttStream {
  try {
    return sttStream(options)
  } catch (error) {
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

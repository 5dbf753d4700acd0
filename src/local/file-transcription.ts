import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { decode } from '../audio/decode.js'
import { BYTES_PER_MS } from '../audio/pcm-format.js'
import { resample } from '../audio/resample.js'
import { SttError } from '../errors.js'
import { linear16Samples } from './audio-input.js'
import { openTranscriber } from './open-transcriber.js'
import type { Recognizer } from './recognizer.js'
import { invalidArgument, UNAVAILABLE, type Status, type TranscriptionMessage } from './server-message.js'
import { statusOf } from './status-error.js'
import type { TranscribeRequest } from './transcribe-request.js'

export interface FileTranscription {
  finals: TranscriptionMessage['transcription'][]
  audioMs: number
}

/**
 * Recognises a whole file of any kind.
 * @param audio the file's bytes, or its path
 * @param signal gives up the work: the client has left, or the server closes
 */
export async function transcribeAudio(
  audio: Buffer | string,
  request: TranscribeRequest,
  recognizer: Recognizer,
  signal: AbortSignal,
): Promise<FileTranscription> {
  const finals: FileTranscription['finals'] = []
  const { session, transcriber } = await openTranscriber(recognizer, request, message => {
    if ('transcription' in message && message.transcription.isFinal) finals.push(message.transcription)
    return Promise.resolve()
  })
  const lost = new AbortController()
  session.onError = error => lost.abort(error)
  const stop = AbortSignal.any([signal, lost.signal])
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason as Error))
  })
  try {
    let bytes = 0
    const options = { signal: stop }
    const decoder = decode(typeof audio === 'string' ? { path: audio } : {})
    const resampler = resample({ format: decoder })
    const recognize = async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        bytes += chunk.length
        await transcriber.push(linear16Samples(chunk))
      }
      await transcriber.finish()
    }
    const done =
      typeof audio === 'string'
        ? pipeline(decoder, resampler, recognize, options)
        : pipeline(Readable.from(slices(audio)), decoder, resampler, recognize, options)
    // pipeline() waits for the function at its end, and a dead decoder may leave that waiting for ever.
    await Promise.race([done, stopped])
    return { finals, audioMs: bytes / BYTES_PER_MS }
  } finally {
    await session.close()
  }
}

/** Why a file was not transcribed, in the service's words where it has some. */
export function failureStatus(error: unknown): Status {
  if (!(error instanceof SttError)) return statusOf(error)
  if (error.code.startsWith('STT_ERR_DECODE') || error.code === 'STT_ERR_UNSUPPORTED_AUDIO') {
    return invalidArgument('unsupported audio format - only WAV, MP3, OGG, FLAC, M4A, and WebM are supported')
  }
  if (error.code === 'STT_ERR_FFMPEG_NOT_FOUND') return { code: UNAVAILABLE, message: error.message }
  return statusOf(error)
}

/** Keeps one stage from being handed 16 MB in one piece. */
function* slices(audio: Buffer): Generator<Buffer> {
  const sliceBytes = 64 * 1024
  for (let start = 0; start < audio.length; start += sliceBytes)
    yield audio.subarray(start, start + sliceBytes)
}

import { pipeline } from 'node:stream'
import { refuseEmpty } from './audio/empty-source.js'
import { checkSourceTimeout, openSource, type OpenSourceOptions } from './audio/open-source.js'
import { httpUrlOf, pathOf, type AudioSource } from './audio/sources.js'
import { resolveOptions, type SttStreamOptions } from './options.js'
import type { SttEvent, TranscriptionEvent } from './stt/events.js'
import { sttStream, type SttStream } from './stt-stream.js'
import { attachTranscript, transcriptOf, type Transcript } from './transcript.js'

/** Options of {@link transcribe}: those of the stream but `path`, which the source stands for. */
export interface TranscribeOptions
  extends Omit<SttStreamOptions, 'path'>, Pick<OpenSourceOptions, 'sourceTimeoutMs'> {
  /**
   * Called with each event as it comes; the next waits for what it returns. Interims come only where it is given.
   * What it throws ends the transcription. Default: none.
   */
  onEvent?: (event: SttEvent) => unknown
}

/**
 * A whole source in, what was said in it out, over one stream.
 *
 * ```js
 * const { text } = await transcribe('talk.mp3')
 * ```
 *
 * A file is read by path, so that even what must be sought needs no copy; of a URL the server tells whether it is
 * live. The promise settles whatever the source does, and the source is destroyed (an iterator returned, a web stream
 * cancelled) when it rejects. What had been transcribed by then is the error's `transcript`.
 * @returns rejects with the stream's SttError, the signal's AbortError, the source's own error, or TypeError and
 * RangeError for what is wrong with source or options
 */
export async function transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<Transcript> {
  const { onEvent, sourceTimeoutMs, ...rest } = options
  if (onEvent !== undefined && typeof onEvent !== 'function')
    throw new TypeError(`onEvent must be a function; got ${typeof onEvent}`)
  if ('path' in rest && rest.path !== undefined)
    throw new TypeError('path is not an option here: the source is the path')
  if (sourceTimeoutMs !== undefined) checkSourceTimeout(sourceTimeoutMs)
  const streamOptions = { interimResults: onEvent !== undefined, mergeWaitMs: false as const, ...rest }
  const stream = await startStream(source, streamOptions, sourceTimeoutMs)

  const finals: TranscriptionEvent[] = []
  const warnings: Transcript['warnings'] = []
  let usage: Transcript['usage']
  stream.on('warning', ({ code, message }: Transcript['warnings'][number]) =>
    warnings.push({ code, message }),
  )
  const transcript = () => {
    const { decodedMs: durationMs, lostMs } = stream.stats()
    return transcriptOf(finals, { durationMs, lostMs, ...(usage && { usage }), warnings })
  }
  try {
    for await (const event of stream as AsyncIterable<SttEvent>) {
      if (event.type === 'transcription' && event.isFinal) finals.push(event)
      if (event.type === 'usage') {
        const { transcribedAudioMs, modelId } = event
        usage = { transcribedAudioMs, ...(modelId !== undefined && { modelId }) }
      }
      await onEvent?.(event)
    }
    return transcript()
  } catch (error) {
    attachTranscript(error, transcript())
    throw error
  }
}

/** @returns rejects with TypeError, RangeError, and with STT_ERR_SOURCE where a URL cannot be fetched */
async function startStream(
  source: AudioSource,
  options: SttStreamOptions,
  sourceTimeoutMs: number | undefined,
): Promise<SttStream> {
  const path = pathOf(source)
  const { signal } = options
  const input = options.input === 'auto' ? undefined : options.input
  if (path !== undefined) return sttStream({ ...options, path })
  const isNamed = httpUrlOf(source) !== undefined
  // Before the network is asked for anything.
  if (isNamed) resolveOptions(options)
  const { bytes, live } = await openSource(source, { input, sourceTimeoutMs, signal })
  try {
    const stream = sttStream({ live, ...options })
    if (isNamed) refuseEmpty(bytes, stream)
    // What fails shows on the stream, which is read. Not awaited: a source may ignore that it was destroyed.
    pipeline(bytes, stream, () => {})
    return stream
  } catch (misuse) {
    bytes.destroy()
    throw misuse
  }
}

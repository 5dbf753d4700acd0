import { setMaxListeners } from 'node:events'
import { collect } from './audio/collect.js'
import type { PcmFormat } from './audio/pcm-format.js'
import { httpUrlOf, type AudioSource } from './audio/sources.js'
import { wavHeader } from './audio/wav-header.js'
import { SttError } from './errors.js'
import { RestClient } from './rest/client.js'
import { abortError, untilAborted } from './rest/deadline.js'
import { transcriptOfFile } from './rest/file-result.js'
import { transcribeAsJob } from './rest/job.js'
import { transcribeDirectly } from './rest/whole-file.js'
import {
  resolveFileOptions,
  type ResolvedFileOptions,
  type TranscribeFileOptions,
} from './transcribe-file-options.js'
import type { Transcript } from './transcript.js'

/** What the service takes (protocol B6), in bytes of the file: "16 MB" and "512 MB", read the careful way. */
const MAX_DIRECT_BYTES = 16_000_000
const MAX_JOB_BYTES = 512_000_000

/**
 * A whole file in, what is said in it out, by HTTP: for recordings that nobody waits for word by word. The file is
 * sent as it is, so that no ffmpeg is needed.
 *
 * ```js
 * const { text } = await transcribeFile('talk.mp3')
 * ```
 *
 * An http(s) URL is fetched from here; with a job, and without `input`, the service fetches an https URL itself.
 * @returns rejects with SttError, the signal's AbortError, the source's own error, or TypeError and RangeError for
 * what is wrong with source or options
 */
export async function transcribeFile(
  source: AudioSource,
  options: TranscribeFileOptions = {},
): Promise<Transcript> {
  const resolved = resolveFileOptions(options)
  const { signal } = resolved
  // One signal may end thousands of calls: at the eleventh Node would warn of a leak that is none.
  if (signal) setMaxListeners(0, signal)
  const local = resolved.local ? await acquireLocalServer() : undefined
  try {
    const client = new RestClient({ ...resolved.client, ...(local && { baseUrl: local.httpUrl }) })
    return await untilAborted(signal, stop => transcribeBy(client, source, resolved, stop))
  } catch (error) {
    throw signal?.aborted ? abortError(signal.reason) : error
  } finally {
    local?.release()
  }
}

async function transcribeBy(
  client: RestClient,
  source: AudioSource,
  resolved: ResolvedFileOptions,
  signal: AbortSignal,
): Promise<Transcript> {
  const { transcribeConfig, job, speakerLabels, pollIntervalMs, jobTimeoutMs } = resolved
  const audio = await open(source, resolved, signal)
  const directly = !(audio instanceof URL) && (job === false || (job === 'auto' && !needsJob(audio)))
  return transcriptOfFile(
    directly
      ? await transcribeDirectly(client, transcribeConfig, audio, signal)
      : await transcribeAsJob(client, transcribeConfig, audio, { pollIntervalMs, jobTimeoutMs, signal }),
  )

  function needsJob({ size }: Blob): boolean {
    return speakerLabels || size > MAX_DIRECT_BYTES
  }
}

/** The audio, or the address where the service fetches it itself. */
async function open(
  source: AudioSource,
  { job, input, sourceTimeoutMs }: ResolvedFileOptions,
  signal: AbortSignal,
): Promise<Blob | URL> {
  const url = httpUrlOf(source)
  if (url?.protocol === 'https:' && job !== false && !input) return url
  const maxBytes = job === false ? MAX_DIRECT_BYTES : MAX_JOB_BYTES
  const limits = { maxBytes, tooLarge: () => tooLarge(job), sourceTimeoutMs, signal }
  const audio = await collect(source, { ...limits, input })
  return input ? wavFile(input, audio) : audio
}

/** Raw samples are refused by the service, whatever it is told of them. */
function wavFile(input: PcmFormat, samples: Blob): Blob {
  // A chunk of an odd number of bytes is padded.
  return new Blob([wavHeader(input, samples.size), samples, new Uint8Array(samples.size % 2)])
}

function tooLarge(job: ResolvedFileOptions['job']): SttError {
  const remedy =
    "use transcribe(), which streams a file of any size, or job: 'auto', which takes up to 512 MB"
  return new SttError(
    'STT_ERR_FILE_TOO_LARGE',
    job === false
      ? `The file is larger than the ${MAX_DIRECT_BYTES} bytes that one request may hold: ${remedy}`
      : `The file is larger than the ${MAX_JOB_BYTES} bytes that a job may hold: use transcribe(), which streams it`,
  )
}

async function acquireLocalServer() {
  const shared = await import('./local/shared-server.js')
  return shared.acquireLocalServer()
}

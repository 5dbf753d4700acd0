import { readdir, readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode } from '#dist/audio/decode.js'
import { PCM_ENCODINGS, type PcmFormat } from '#dist/audio/pcm-format.js'
import { SttError } from '#dist/errors.js'

/** What the specimens can at most become, in bytes: a flipped bit may change a rate, not make hours of a second. */
const MAX_AUDIO_BYTES = 16 * 1024 * 1024

/** Far beyond what any of them takes, and below ffmpeg's stall timeout: what hangs is told from what is slow. */
const DEADLINE_MS = 20_000

/** As `ffmpegPath`: what the bytes have become is none of the formats that are read in process. */
export const NO_FFMPEG = '/nonexistent/ffmpeg'

/** How a decoding ended: the bytes of audio that came, and the error's code where one followed. */
export interface Outcome {
  readonly audioBytes: number
  readonly format?: PcmFormat
  readonly code?: string
}

/**
 * Decodes what may be anything.
 * @param chunks empty where `options.path` names the file
 * @throws where it ends in another way than as audio or as a typed error of the input, or does not end
 */
export async function outcomeOf(chunks: Buffer[], options: DecodeOptions = {}): Promise<Outcome> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const decoder = decode({ ...options, signal })
  if (options.path === undefined) Readable.from(chunks, { objectMode: true }).pipe(decoder)
  let audioBytes = 0
  try {
    for await (const chunk of decoder) audioBytes += (chunk as Buffer).length
  } catch (error) {
    if (signal.aborted) throw new Error(`hangs after ${audioBytes} bytes of audio`)
    const code = codeOfInputError(error, options)
    return { audioBytes, code }
  }
  const { format } = decoder
  if (audioBytes > MAX_AUDIO_BYTES) throw new Error(`made ${audioBytes} bytes of audio`)
  if (audioBytes > 0 && !isFormat(format)) throw new Error(`made audio of format ${JSON.stringify(format)}`)
  return format ? { audioBytes, format } : { audioBytes }
}

function codeOfInputError(error: unknown, { ffmpegPath }: DecodeOptions): string {
  if (!(error instanceof SttError)) throw new Error('not an SttError', { cause: error })
  const { code } = error
  if (code.startsWith('STT_ERR_DECODE') || code === 'STT_ERR_UNSUPPORTED_AUDIO') return code
  if (code === 'STT_ERR_FFMPEG_NOT_FOUND' && ffmpegPath === NO_FFMPEG) return code
  throw new Error('not an error of the input', { cause: error })
}

function isFormat(format: PcmFormat | undefined): boolean {
  if (!format) return false
  const { encoding, sampleRateHertz, channels } = format
  const isRate = Number.isInteger(sampleRateHertz) && sampleRateHertz >= 4_000 && sampleRateHertz <= 384_000
  return (
    PCM_ENCODINGS.includes(encoding) && isRate && Number.isInteger(channels) && channels >= 1 && channels <= 8
  )
}

/** The child processes of this one, as Linux tells them; none elsewhere. */
export async function childProcesses(): Promise<number[]> {
  const threads = await readdir('/proc/self/task').catch((): string[] => [])
  const lists = await Promise.all(
    threads.map(thread => readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => '')),
  )
  return lists.flatMap(list => list.split(' ').filter(Boolean).map(Number))
}

setFlagsFromString('--expose-gc')
/** What the tests themselves have left lying about is no growth of the decoder's. */
export const collectGarbage = runInNewContext('gc') as () => void

/** The most memory that this process has had resident so far, in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024
}

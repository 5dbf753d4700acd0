import { CodecDecoding } from './codec-decoding.js'
import { hasCodec } from './codecs.js'
import type { CheckedDecodeOptions } from './decode-options.js'
import type { Route } from './decode-route.js'
import type { Decoding, DecodingSink } from './decoding.js'
import { BRIEF_ANALYSIS_MS, liveAnalysisMs, seekMs } from './ffmpeg-arguments.js'
import { FfmpegDecoding } from './ffmpeg-decoding.js'
import { findFfmpeg } from './ffmpeg-find.js'
import { PcmDecoding } from './pcm-decoding.js'
import type { Container } from './sniff.js'
import { SpooledDecoding } from './spooled-decoding.js'

/** What a decoder was given, and who reads it. */
export interface DecodedSource {
  /** What the first bytes say; `raw` where `input` says it. */
  readonly container: Container | 'raw'
  /** `reader`: the samples stood in the file as they are. `codec`: a decoder in process. `ffmpeg`: a child process. */
  readonly decodedBy: 'reader' | 'codec' | 'ffmpeg'
}

/** A route that leads to samples. */
export type DecodingRoute = Exclude<Route, { kind: 'skip' }>

export interface OpenedDecoding {
  readonly decoding: Decoding
  readonly source: DecodedSource
  /** It opens the option `path` by itself: nothing is to be written. */
  readonly opensPath: boolean
  /** How much of the beginning it leaves out, in ms. */
  readonly skippedMs: number
}

/**
 * @param head the bytes by which the route was chosen
 * @param pathIsFile whether ffmpeg may open the option `path`
 * @throws SttError STT_ERR_FFMPEG_NOT_FOUND
 */
export function openDecoding(
  route: DecodingRoute,
  head: Buffer,
  pathIsFile: boolean,
  options: CheckedDecodeOptions,
  sink: DecodingSink,
): OpenedDecoding {
  const { kind, container } = route
  const decodedBy = chooseDecoder(route, pathIsFile, options)
  const opened = (decoding: Decoding, skippedMs?: number): OpenedDecoding => {
    const opensPath = decodedBy === 'ffmpeg' && pathIsFile
    return { decoding, source: { container, decodedBy }, opensPath, skippedMs: skippedMs ?? 0 }
  }
  if (kind === 'pcm' && decodedBy === 'reader') return opened(new PcmDecoding(route.header, sink))
  if (kind === 'codec' && decodedBy === 'codec')
    return opened(new CodecDecoding(route, options.ffmpegStallTimeoutMs, sink))
  const encoding = kind === 'ffmpeg' ? route.encoding : undefined
  if (pathIsFile) {
    const skippedMs = seekMs(container, options.startMs)
    const source = { path: options.path, seekMs: skippedMs, encoding }
    return opened(new FfmpegDecoding(source, options, sink), skippedMs)
  }
  if (kind === 'spool') return opened(new SpooledDecoding(options, sink))
  const isElementary = container === 'mp3' || container === 'aac'
  const analysisMs = options.live ? liveAnalysisMs(head) : isElementary ? BRIEF_ANALYSIS_MS : undefined
  return opened(new FfmpegDecoding({ analysisMs, encoding }, options, sink))
}

/**
 * A file by its path is decoded by ffmpeg where there is one: it works beside this process, and nothing hangs on
 * its first sample. What is written is live, or one of many: a thread starts sooner and weighs less.
 */
function chooseDecoder(
  route: DecodingRoute,
  pathIsFile: boolean,
  { decoder, track, ffmpegPath }: CheckedDecodeOptions,
): DecodedSource['decodedBy'] {
  if (route.container === 'raw') return 'reader'
  // What is read in process has one track; of any other, ffmpeg says that there is none.
  if (decoder === 'ffmpeg' || track) return 'ffmpeg'
  if (route.kind === 'pcm') return 'reader'
  if (route.kind !== 'codec' || !hasCodec(route.codec)) return 'ffmpeg'
  return pathIsFile && canRunFfmpeg(ffmpegPath) ? 'ffmpeg' : 'codec'
}

function canRunFfmpeg(ffmpegPath: string | undefined): boolean {
  try {
    findFfmpeg(ffmpegPath)
    return true
  } catch {
    return false
  }
}

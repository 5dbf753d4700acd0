import type { Container } from './sniff.js'

/** What of a run shows in its command line. */
export interface FfmpegInput {
  /** The file to decode. Neither this nor `isFile`: the bytes come through a pipe. */
  readonly path?: string | undefined
  /** The file to decode is the standard input; it can be sought. */
  readonly isFile?: boolean
  /** How far it may look ahead at the input before it decodes, in ms of audio. Default: its own, 5 s and 5 MB. */
  readonly analysisMs?: number | undefined
  /** The audio track to decode, counted from 0. Default: ffmpeg's choice. */
  readonly track?: number | undefined
  /** Where to begin, in ms; for a file that can be sought. */
  readonly seekMs?: number | undefined
  /** What the samples are to be. Default `f32le`: it holds 24 bits. */
  readonly encoding?: 's16le' | undefined
}

/** Opens the file that is there already; on Linux anew, with a position of its own. */
const STANDARD_INPUT = process.platform === 'linux' ? '/proc/self/fd/0' : '/dev/fd/0'

/** Right for every elementary stream, where each frame carries its parameters. */
export const BRIEF_ANALYSIS_MS = 100
/** Programme tables and the first packets of each track come with a second or more between them. */
const TRANSPORT_STREAM_ANALYSIS_MS = 2_000
/** A transport stream's packets begin with this byte, or have it behind a time stamp of four bytes. */
const SYNC_BYTE = 0x47

/**
 * Where ffmpeg finds a position to the sample, which was tried. In WAV and ASF it misses by up to seconds, in Matroska by
 * some ms, and in Ogg Vorbis now and then.
 */
const SEEKS_EXACTLY: readonly (Container | 'raw')[] = ['flac', 'mp3', 'mp4', 'ogg-opus']
/** Decoders need some audio before they give what they would have given from the start. */
const PREROLL_MS = 1_000

/**
 * Where in a file ffmpeg should begin so that `startMs` can be cut to the sample behind it, in ms.
 * @returns undefined for the beginning
 */
export function seekMs(container: Container | 'raw', startMs = 0): number | undefined {
  if (!SEEKS_EXACTLY.includes(container) || startMs < 2 * PREROLL_MS) return undefined
  // Whole seconds are whole samples at every rate.
  return Math.floor((startMs - PREROLL_MS) / 1_000) * 1_000
}

/**
 * How far ffmpeg should look ahead at a live source, in ms, told from its first bytes. By default it takes up to 5 s of
 * audio in before the first sample comes out, although every format that was tried needs a frame or two.
 */
export function liveAnalysisMs(head: Buffer): number {
  const isTransportStream = head[0] === SYNC_BYTE || head[4] === SYNC_BYTE
  return isTransportStream ? TRANSPORT_STREAM_ANALYSIS_MS : BRIEF_ANALYSIS_MS
}

/**
 * Any audio in, a WAV file out on stdout, a log with levels on stderr.
 *
 * Of the protocols, a pipe opens nothing else: a playlist sent by a stranger must not make ffmpeg read local files.
 * -bitexact and -map_metadata keep the tags of the source out of the WAV header.
 * Not -xerror: it throws away good audio around one bad byte. Not -fflags nobuffer: it drops what was looked at while
 * the input was analysed, in every format that was tried.
 */
export function ffmpegArguments(input: FfmpegInput): string[] {
  const { path, isFile, analysisMs, track, seekMs, encoding = 'f32le' } = input
  const file = path ?? (isFile ? STANDARD_INPUT : undefined)
  return [
    ...['-nostdin', '-hide_banner', '-nostats', '-loglevel', 'level+info'],
    ...(analysisMs === undefined ? [] : ['-analyzeduration', String(analysisMs * 1_000)]),
    ...(seekMs === undefined ? [] : ['-ss', `${seekMs / 1_000}`]),
    ...['-protocol_whitelist', file === undefined ? 'pipe' : 'file'],
    ...['-i', file === undefined ? 'pipe:0' : `file:${file}`],
    ...(track === undefined ? [] : ['-map', `0:a:${track}`]),
    ...['-vn', '-map_metadata', '-1', '-bitexact', '-c:a', `pcm_${encoding}`, '-f', 'wav'],
    // Nobody waits for the next packet of a file: larger writes save a tenth of the time.
    ...(file === undefined ? [] : ['-flush_packets', '0', '-blocksize', '262144']),
    'pipe:1',
  ]
}

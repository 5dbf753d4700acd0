import { SttError } from '../errors.js'
import { readAiffHeader } from './aiff.js'
import { readAuHeader } from './au.js'
import { readCafHeader } from './caf.js'
import type { Codec } from './codecs.js'
import { flacBits } from './flac.js'
import { HEAD_LIMIT_BYTES } from './head.js'
import { mp4Layout } from './mp4-layout.js'
import { mpegAudio } from './mpeg-audio.js'
import { notMedia } from './not-media.js'
import { opusMappingFamily } from './ogg-pages.js'
import type { PcmFormat } from './pcm-format.js'
import type { PcmHeader } from './pcm-reader.js'
import { id3Bytes, sniff, sniffHeader, type Container } from './sniff.js'
import { readW64Header } from './w64.js'
import { readWavHeader } from './wav.js'

/** Which way a stream takes through the decoder, and what it was recognised as. */
export type Route = { readonly container: Container | 'raw' } & (
  | { readonly kind: 'pcm'; readonly header: PcmHeader }
  /** A decoder in process where it is installed, else ffmpeg. */
  | { readonly kind: 'codec'; readonly codec: Codec; readonly channels?: number }
  /** `encoding`: what its samples are, where fewer bytes than floats take hold them whole. */
  | { readonly kind: 'ffmpeg'; readonly encoding?: 's16le' }
  | { readonly kind: 'spool' }
  /** Tags of so many bytes: what the stream is begins behind them. */
  | { readonly kind: 'skip'; readonly bytes: number }
)

/**
 * Chooses from the first bytes of a stream.
 * @param ended whether `head` is the whole stream
 * @returns undefined while more bytes are needed
 * @throws SttError where the header of an uncompressed file is broken or cut off, or where the bytes are no media
 */
export function chooseRoute(head: Buffer, ended: boolean): Route | undefined {
  const container = sniff(head, ended)
  const inProcess = (header: PcmHeader | 'foreign' | undefined): Route | undefined => {
    if (header === 'foreign') return { kind: 'ffmpeg', container: container! }
    if (header) return { kind: 'pcm', container: container!, header }
    if (ended)
      throw new SttError(
        'STT_ERR_DECODE_TRUNCATED',
        `the header of this file is cut off after ${head.length} bytes`,
      )
    // Too much before the samples to be held in memory: ffmpeg skips it.
    return head.length >= HEAD_LIMIT_BYTES ? { kind: 'ffmpeg', container: container! } : undefined
  }
  switch (container) {
    case undefined:
      return undefined
    case 'wav':
    case 'rf64':
    case 'bw64':
      return inProcess(readWavHeader(head, ended))
    case 'w64':
      return inProcess(readW64Header(head))
    case 'aiff':
      return inProcess(readAiffHeader(head))
    case 'au':
      return inProcess(readAuHeader(head))
    case 'caf':
      return cafRoute(inProcess(readCafHeader(head)))
    case 'mp3':
      return mp3Route(head)
    case 'ogg-opus':
      // Families above 1 are no loudspeakers in the order of Vorbis, which the decoder in process puts right.
      return (opusMappingFamily(head) ?? 0) > 1
        ? { kind: 'ffmpeg', container }
        : { kind: 'codec', container, codec: 'opus' }
    case 'flac':
      return flacRoute(head, ended)
    case 'mp4':
      return mp4Route(head, ended)
    case 'id3':
      return id3Route(head, ended)
    case 'other':
      return unknownRoute(head, ended)
    default:
      return { kind: 'ffmpeg', container }
  }
}

function mp3Route(head: Buffer): Route {
  const audio = mpegAudio(head)
  const known = typeof audio === 'object' ? audio : undefined
  // ffmpeg does not know it at all; mpg123-decoder makes noise of it, at rates that change.
  if (known?.isFreeFormat)
    throw new SttError(
      'STT_ERR_DECODE_UNSUPPORTED_CODEC',
      'this is MPEG audio in free format: its headers tell no bit rate, and no decoder here reads it; ' +
        'expected one of the bit rates of the standard',
    )
  return { kind: 'codec', container: 'mp3', codec: 'mp3', ...(known && { channels: known.channels }) }
}

function flacRoute(head: Buffer, ended: boolean): Route | undefined {
  const container = 'flac'
  const bits = flacBits(head)
  if (bits === undefined && !ended) return undefined
  return bits !== undefined && bits <= 16
    ? { kind: 'ffmpeg', container, encoding: 's16le' }
    : { kind: 'ffmpeg', container }
}

/** What a codec needs to know stands behind its data. */
function cafRoute(route: Route | undefined): Route | undefined {
  return route?.kind === 'ffmpeg' ? { kind: 'spool', container: 'caf' } : route
}

/**
 * The way of what was declared raw.
 * @param ended whether `head` is the whole stream
 * @returns undefined while more bytes are needed
 * @throws SttError STT_ERR_UNEXPECTED_HEADER where it begins like a file
 */
export function rawRoute(head: Buffer, ended: boolean, format: PcmFormat): Route | undefined {
  const header = sniffHeader(head)
  if (header === 'other' || (ended && header === undefined))
    return { kind: 'pcm', container: 'raw', header: { format, dataOffset: 0, dataBytes: Infinity } }
  if (header === undefined) return undefined
  const declared = `${format.encoding}, ${format.sampleRateHertz} Hz, ${format.channels} channels`
  throw new SttError(
    'STT_ERR_UNEXPECTED_HEADER',
    `expected raw samples (${declared}), as input declares; got a file with a header (${header}): ` +
      "leave input out, or set it to 'auto'",
  )
}

function mp4Route(head: Buffer, ended: boolean): Route | undefined {
  const container = 'mp4'
  const layout = mp4Layout(head)
  if (layout === 'streamable') return { kind: 'ffmpeg', container }
  // A file does for every mp4, so it is the answer where there is none.
  return layout === 'seek-only' || ended || head.length >= HEAD_LIMIT_BYTES
    ? { kind: 'spool', container }
    : undefined
}

function unknownRoute(head: Buffer, ended: boolean): Route | undefined {
  const container = 'other'
  const stranger = notMedia(head, ended)
  if (stranger) throw new SttError('STT_ERR_DECODE_NOT_MEDIA', `this is ${stranger}, not audio`)
  return stranger === undefined ? undefined : { kind: 'ffmpeg', container }
}

function id3Route(head: Buffer, ended: boolean): Route | undefined {
  const container = 'id3'
  const bytes = id3Bytes(head)
  if (bytes !== undefined) return { kind: 'skip', container, bytes }
  const isTag = head.length < 10 && !ended
  return isTag ? undefined : { kind: 'ffmpeg', container: 'other' }
}

import { SttError } from '../errors.js'
import { readAuHeader } from './au.js'
import { HEAD_LIMIT_BYTES } from './head.js'
import { mp4Layout } from './mp4-layout.js'
import type { PcmHeader } from './pcm-reader.js'
import { sniff } from './sniff.js'
import { readWavHeader } from './wav.js'

/** Which way a stream takes through the decoder: its samples as they stand, through ffmpeg, or by way of a file. */
export type Route =
  | { readonly kind: 'pcm'; readonly header: PcmHeader }
  | { readonly kind: 'ffmpeg'; readonly briefAnalysis: boolean }
  | { readonly kind: 'spool' }

const FFMPEG: Route = { kind: 'ffmpeg', briefAnalysis: false }

/**
 * Chooses from the first bytes of a stream.
 * @param ended whether `head` is the whole stream
 * @returns undefined while more bytes are needed
 * @throws SttError where the header of a WAV or AU file is broken or cut off
 */
export function chooseRoute(head: Buffer, ended: boolean): Route | undefined {
  const container = sniff(head)
  switch (container) {
    case 'wav':
    case 'rf64':
      return inProcess(readWavHeader(head, ended), head, ended)
    case 'au':
      return inProcess(readAuHeader(head), head, ended)
    case 'mpeg':
      return { kind: 'ffmpeg', briefAnalysis: true }
    case 'mp4':
      return mp4Route(head, ended)
    case 'other':
      return FFMPEG
    case undefined:
      return ended ? FFMPEG : undefined
  }
}

function inProcess(
  header: PcmHeader | 'foreign' | undefined,
  head: Buffer,
  ended: boolean,
): Route | undefined {
  if (header === 'foreign') return FFMPEG
  if (header) return { kind: 'pcm', header }
  if (ended)
    throw new SttError('STT_ERR_DECODE', `the header of this file is cut off after ${head.length} bytes`)
  // Too much before the samples to be held in memory: ffmpeg skips it.
  return head.length >= HEAD_LIMIT_BYTES ? FFMPEG : undefined
}

function mp4Route(head: Buffer, ended: boolean): Route | undefined {
  const layout = mp4Layout(head)
  if (layout === 'streamable') return FFMPEG
  // A file does for every mp4, so it is the answer where there is none.
  return layout === 'seek-only' || ended || head.length >= HEAD_LIMIT_BYTES ? { kind: 'spool' } : undefined
}

import { findFfmpeg } from '../../audio/ffmpeg-find.js'
import type { Finding } from './finding.js'
import { runTool } from './run-tool.js'

/** What people bring, and the decoders of ffmpeg of which one reads it. */
const WANTED: Readonly<Record<string, readonly string[]>> = {
  mp3: ['mp3', 'mp3float'],
  aac: ['aac', 'libfdk_aac'],
  opus: ['opus', 'libopus'],
  vorbis: ['vorbis', 'libvorbis'],
  flac: ['flac'],
  alac: ['alac'],
  wma: ['wmav2'],
  ac3: ['ac3'],
  'amr-nb': ['amrnb', 'libopencore_amrnb'],
  'amr-wb': ['amrwb', 'libopencore_amrwb'],
  gsm: ['gsm', 'libgsm'],
  speex: ['speex', 'libspeex'],
}

/** What was learnt of an ffmpeg; an answer is undefined where there was none. */
export interface FfmpegFacts {
  readonly command: string
  /** Whether FFMPEG_PATH names it, or a search found it. */
  readonly isNamed: boolean
  /** The answers to `-version` and `-decoders`. */
  readonly version?: string | undefined
  readonly decoders?: string | undefined
}

export async function checkFfmpeg(signal: AbortSignal): Promise<Finding[]> {
  const [ffmpeg, ffprobe] = await Promise.all([
    ffmpegFinding(signal),
    runTool('ffprobe', ['-version'], signal).then(judgeFfprobe),
  ])
  return [...ffmpeg, ffprobe]
}

async function ffmpegFinding(signal: AbortSignal): Promise<Finding[]> {
  let command: string
  try {
    command = findFfmpeg()
  } catch {
    return [notFound('none was found')]
  }
  const [version, decoders] = await Promise.all([
    runTool(command, ['-version'], signal),
    runTool(command, ['-hide_banner', '-decoders'], signal),
  ])
  return judgeFfmpeg({ command, isNamed: Boolean(process.env['FFMPEG_PATH']), version, decoders })
}

export function judgeFfmpeg({ command, isNamed, version, decoders }: FfmpegFacts): Finding[] {
  const where = isNamed ? `${command}, as FFMPEG_PATH says` : command
  const [, number] = /^ffmpeg version (\S+)/.exec(version ?? '') ?? []
  if (number === undefined) return [notFound(`${where}, cannot be run`)]
  // ` A....D mp3float  …`: what it decodes, six flags, the name.
  const has = new Set(Array.from((decoders ?? '').matchAll(/^ A\S{5} (\S+)/gm), ([, name]) => name))
  const missing = Object.keys(WANTED).filter(kind => !WANTED[kind]?.some(name => has.has(name)))
  const found: Finding = { check: 'ffmpeg', state: 'ok', detail: `${number} (${where})` }
  if (missing.length === 0) return [found]
  return [
    {
      ...found,
      state: 'warning',
      detail: `${found.detail} does not decode ${missing.join(', ')}`,
      remedy: 'use the ffmpeg of your distribution, or a build with more decoders, by FFMPEG_PATH',
    },
  ]
}

export function judgeFfprobe(version: string | undefined): Finding {
  const [, number] = /^ffprobe version (\S+)/.exec(version ?? '') ?? []
  if (number !== undefined) return { check: 'ffprobe', state: 'ok', detail: number }
  return {
    check: 'ffprobe',
    state: 'warning',
    detail: 'not found; progress is shown without an end',
    remedy: 'it comes with ffmpeg: put both in the PATH',
  }
}

function notFound(detail: string): Finding {
  return {
    check: 'ffmpeg',
    state: 'missing',
    detail: `${detail}; without it no microphone, and no file but those that are decoded in process`,
    remedy: 'Debian: apt install ffmpeg; Fedora: dnf install ffmpeg-free; macOS: brew install ffmpeg',
  }
}

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { randomBytes } from '../fixtures/audio.js'
import {
  adtsFrames,
  aiffChunks,
  asfObjects,
  auWords,
  cafChunks,
  ebmlElements,
  equalFrames,
  flacBlocks,
  mp3Frames,
  mp4Boxes,
  oggPages,
  riffChunks,
  wave64Chunks,
  type Boundaries,
} from './boundaries.js'

/** A short, sound file of one kind, to be damaged. */
export interface Specimen {
  readonly name: string
  readonly file: Buffer
  /** Where its parts begin and end, in bytes; never 0 nor its length. */
  readonly boundaries: readonly number[]
  /** Whether no child process is needed for it. */
  readonly isInProcess: boolean
}

/** Name, what ffmpeg is told, where its parts begin. */
const READ_IN_PROCESS: [name: string, args: string[], Boundaries][] = [
  ['pcm.wav', ['-c:a', 'pcm_s16le'], riffChunks],
  ['extensible.wav', ['-c:a', 'pcm_s24le', '-ac', '2'], riffChunks],
  ['mulaw.wav', ['-c:a', 'pcm_mulaw'], riffChunks],
  ['rf64.wav', ['-c:a', 'pcm_f32le', '-rf64', 'always'], riffChunks],
  ['pcm.w64', ['-c:a', 'pcm_s16le'], wave64Chunks],
  ['pcm.aiff', ['-c:a', 'pcm_s16be'], aiffChunks],
  ['float.aiff', ['-c:a', 'pcm_f32be'], aiffChunks],
  ['pcm.au', ['-c:a', 'pcm_s16be'], auWords],
  ['pcm.caf', ['-c:a', 'pcm_s24le'], cafChunks],
]

const READ_BY_DECODERS: [name: string, args: string[], Boundaries][] = [
  ['adpcm.wav', ['-c:a', 'adpcm_ms'], riffChunks],
  ['gsm.wav', ['-c:a', 'libgsm_ms', '-ar', '8000'], riffChunks],
  ['stream.flac', ['-c:a', 'flac'], flacBlocks],
  [
    'tagged.mp3',
    ['-c:a', 'libmp3lame', '-id3v2_version', '3', '-metadata', `comment=${'large '.repeat(2_000)}`],
    mp3Frames,
  ],
  ['bare.mp3', ['-c:a', 'libmp3lame', '-id3v2_version', '0', '-write_xing', '0'], mp3Frames],
  ['stream.aac', ['-c:a', 'aac'], adtsFrames],
  ['moov-last.m4a', ['-c:a', 'aac'], mp4Boxes],
  ['moov-first.m4a', ['-c:a', 'aac', '-movflags', '+faststart'], mp4Boxes],
  [
    'fragments.mp4',
    ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov', '-frag_duration', '100000'],
    mp4Boxes,
  ],
  ['alac.mov', ['-c:a', 'alac', '-movflags', '+faststart'], mp4Boxes],
  ['opus.ogg', ['-c:a', 'libopus', '-page_duration', '60000'], oggPages],
  ['vorbis.ogg', ['-c:a', 'libvorbis', '-page_duration', '60000'], oggPages],
  ['flac.ogg', ['-c:a', 'flac', '-page_duration', '60000'], oggPages],
  ['speex.ogg', ['-c:a', 'libspeex', '-page_duration', '60000'], oggPages],
  ['opus.webm', ['-c:a', 'libopus'], ebmlElements],
  ['vorbis.mka', ['-c:a', 'libvorbis'], ebmlElements],
  ['wma.wma', ['-c:a', 'wmav2'], asfObjects],
  // It has no magic word: ffmpeg wants more of it than of the others to know it.
  ['frames.gsm', ['-af', 'apad=whole_dur=1', '-c:a', 'libgsm', '-ar', '8000'], equalFrames(0, 33)],
]

const SECONDS = 0.3
const SOURCE = `aevalsrc=0.4*sin(2*PI*(300+2000*t)*t):s=16000:d=${SECONDS}`

/** All of them, by one run of ffmpeg. */
export async function makeSpecimens(directory: string): Promise<Specimen[]> {
  const kinds = [...READ_IN_PROCESS, ...READ_BY_DECODERS]
  const outputs = kinds.flatMap(([name, args]) => ['-ac', '1', ...args, '-y', join(directory, name)])
  await promisify(execFile)('ffmpeg', [
    '-nostdin',
    '-loglevel',
    'error',
    '-f',
    'lavfi',
    '-i',
    SOURCE,
    ...outputs,
  ])
  await writeFile(join(directory, 'frames.amr'), amrFile())
  return Promise.all(
    [...kinds, ['frames.amr', [], equalFrames(6, 32)] as const].map(async ([name, , boundaries], i) => {
      const file = await readFile(join(directory, name))
      return { name, file, boundaries: boundaries(file), isInProcess: i < READ_IN_PROCESS.length }
    }),
  )
}

/** Debian's ffmpeg has no encoder for it: frames of 12.2 kbit/s with arbitrary parameters of speech. */
function amrFile(): Buffer {
  const frames = Array.from({ length: SECONDS * 50 }, (_, i) => [Buffer.from([0x3c]), randomBytes(31, i)])
  return Buffer.concat([Buffer.from('#!AMR\n'), ...frames.flat()])
}

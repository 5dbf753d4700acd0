import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import prism from 'prism-media'
import { SttError } from '../errors.js'

const REMEDY =
  'install it (Debian: apt install ffmpeg; Fedora: dnf install ffmpeg-free; macOS: brew install ffmpeg), ' +
  'or name it with the environment variable FFMPEG_PATH or, in a program, with the option ffmpegPath'
const EXECUTABLE = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'

/** Of the package ffmpeg-static; null where it is not installed. */
let bundled: string | null | undefined
/** Why prism-media's search failed. */
let failure: unknown

/**
 * The ffmpeg to run: `ffmpegPath`, else the environment variable FFMPEG_PATH, else the one that prism-media would find:
 * that of the package ffmpeg-static, then the first in PATH. prism-media runs what it finds, and nothing else of the
 * process goes on meanwhile, for 0.1 s and more; so it is asked only where there is none in these two places, and once.
 * @throws SttError STT_ERR_FFMPEG_NOT_FOUND
 */
export function findFfmpeg(ffmpegPath?: string): string {
  const named = ffmpegPath ?? process.env['FFMPEG_PATH']
  return outsideAsar(named || (bundledFfmpeg() ?? ffmpegInPath() ?? searchEverywhere()))
}

/** What failed, and how to get an ffmpeg. */
export function ffmpegNotFound(what: string, cause: unknown): SttError {
  return new SttError('STT_ERR_FFMPEG_NOT_FOUND', `${what}: ${REMEDY}`, { cause })
}

function bundledFfmpeg(): string | undefined {
  if (bundled === undefined) {
    try {
      const path: unknown = createRequire(import.meta.url)('ffmpeg-static')
      // Null where it knows no build for this machine; a path without a file where its download failed.
      bundled = typeof path === 'string' && isExecutable(outsideAsar(path)) ? path : null
    } catch {
      bundled = null
    }
  }
  return bundled ?? undefined
}

function ffmpegInPath(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  return directories.map(directory => join(directory, EXECUTABLE)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** @throws SttError */
function searchEverywhere(): string {
  try {
    if (failure === undefined) return prism.FFmpeg.getInfo().command
  } catch (cause) {
    failure = cause
  }
  throw ffmpegNotFound('no ffmpeg was found', failure)
}

/** Electron packs an app into an archive; its executables lie unpacked beside it, for no archive can be run. */
function outsideAsar(path: string): string {
  return path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked')
}

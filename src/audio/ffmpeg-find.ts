import prism from 'prism-media'
import { SttError } from '../errors.js'

const REMEDY =
  'install it (Debian: apt install ffmpeg; Fedora: dnf install ffmpeg-free; macOS: brew install ffmpeg), ' +
  'or name it with the option ffmpegPath or the environment variable FFMPEG_PATH'

/**
 * The ffmpeg to run: `ffmpegPath`, else the environment variable FFMPEG_PATH, else the one that prism-media
 * finds (the package ffmpeg-static, then PATH). The search runs ffmpeg once, synchronously, for about 100 ms;
 * prism-media remembers what it found.
 * @throws SttError STT_ERR_FFMPEG_NOT_FOUND
 */
export function findFfmpeg(ffmpegPath?: string): string {
  const named = ffmpegPath ?? process.env['FFMPEG_PATH']
  if (named) return outsideAsar(named)
  try {
    return outsideAsar(prism.FFmpeg.getInfo().command)
  } catch (cause) {
    throw ffmpegNotFound('no ffmpeg was found', cause)
  }
}

/** What failed, and how to get an ffmpeg. */
export function ffmpegNotFound(what: string, cause: unknown): SttError {
  return new SttError('STT_ERR_FFMPEG_NOT_FOUND', `${what}: ${REMEDY}`, { cause })
}

/** Electron packs an app into an archive; its executables lie unpacked beside it, for no archive can be run. */
function outsideAsar(path: string): string {
  return path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked')
}

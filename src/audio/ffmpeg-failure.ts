import { SttError, type SttErrorCode } from '../errors.js'
import { ffmpegNotFound } from './ffmpeg-find.js'
import type { FfmpegSaid } from './ffmpeg-log.js'

/** How the process ended, as Node tells it: by a signal, else with an exit code. */
export interface FfmpegEnd {
  readonly code: number | null
  readonly signal?: NodeJS.Signals | null
}

type DecodeErrorCode = Extract<SttErrorCode, `STT_ERR_DECODE${string}`>

const MEANING: Record<Exclude<DecodeErrorCode, 'STT_ERR_DECODE'>, string> = {
  STT_ERR_DECODE_ENCRYPTED: 'the audio is encrypted',
  STT_ERR_DECODE_UNSUPPORTED_CODEC: 'this ffmpeg has no decoder for the audio',
  STT_ERR_DECODE_NOT_MEDIA: 'this is no audio or video that ffmpeg knows',
  STT_ERR_DECODE_NO_AUDIO: 'there is no audio in it',
  STT_ERR_DECODE_TRUNCATED: 'the file is cut off',
}

/** The machine is at its limits, for now. */
const SHORTAGES = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']

/** Why it could not be started. */
export function startFailure(command: string, cause: NodeJS.ErrnoException): SttError {
  const what = `cannot run ${command} (${cause.code ?? cause.message})`
  if (cause.code === 'ENOENT' || cause.code === 'EACCES') return ffmpegNotFound(what, cause)
  const retryable = SHORTAGES.includes(cause.code ?? '')
  return new SttError('STT_ERR_DECODE', what, { cause, retryable })
}

/** Why ffmpeg failed: with another exit code than 0, by a signal, or with 0 and without a sample. */
export function ffmpegFailure(said: FfmpegSaid, end: FfmpegEnd): SttError {
  const code = failureCode(said, end)
  const count = said.tracks.filter(({ kind }) => kind === 'audio').length
  // ffmpeg's own hint is of an option that nobody can give it here.
  if (code === 'STT_ERR_DECODE_NO_AUDIO' && said.signs.has('no-track') && count > 0) {
    const message = `the audio track that was asked for is not in it: it has ${count}, counted from 0`
    return new SttError(code, message)
  }
  const what = code === 'STT_ERR_DECODE' ? '' : `${MEANING[code]}${detail(code, said)}; `
  return new SttError(code, `${what}ffmpeg ${manner(end)}: ${said.complaints || 'it gave no reason'}`)
}

/** ffmpeg would decode it all the same, to noise. */
export function encryptedAudio(): SttError {
  const code = 'STT_ERR_DECODE_ENCRYPTED'
  return new SttError(code, `${MEANING[code]}, and there is no way to give its key`)
}

/** Whether what it decodes cannot be understood, so that what it makes is noise. */
export function isEncrypted({ decodes, signs }: FfmpegSaid): boolean {
  return decodes !== undefined && (decodes.isEncrypted || signs.has('encrypted'))
}

/** What it complained of although it succeeded; undefined for nothing. */
export function ffmpegWarning({ signs, complaints }: FfmpegSaid) {
  if (complaints === '') return undefined
  const code = signs.has('cut-off') ? 'STT_WARN_TRUNCATED' : 'STT_WARN_FFMPEG'
  return { code, message: `ffmpeg complained, yet succeeded: ${complaints}` } as const
}

function failureCode(said: FfmpegSaid, end: FfmpegEnd): DecodeErrorCode {
  const { signs, container, tracks } = said
  if (isEncrypted(said)) return 'STT_ERR_DECODE_ENCRYPTED'
  if (end.code === null) return 'STT_ERR_DECODE'
  if (signs.has('no-decoder')) return 'STT_ERR_DECODE_UNSUPPORTED_CODEC'
  if (signs.has('no-track')) {
    const isMedia = tracks.some(track => isSoundOrPicture(track.kind, track.codec))
    return isMedia ? 'STT_ERR_DECODE_NO_AUDIO' : 'STT_ERR_DECODE_NOT_MEDIA'
  }
  if (signs.has('cut-off')) return 'STT_ERR_DECODE_TRUNCATED'
  // What a demuxer has recognised and then found broken is damaged media.
  const isUnknown = signs.has('doubtful') || (signs.has('invalid') && !said.hasRecognised)
  if (container === undefined && isUnknown) return 'STT_ERR_DECODE_NOT_MEDIA'
  return end.code === 0 ? 'STT_ERR_DECODE_NO_AUDIO' : 'STT_ERR_DECODE'
}

/** ffmpeg takes much text for subtitles, JSON too, and draws files named .txt as pictures ("ansi"). */
function isSoundOrPicture(kind: string, codec: string): boolean {
  return kind === 'audio' || (kind === 'video' && codec !== 'ansi')
}

function detail(code: DecodeErrorCode, { tracks }: FfmpegSaid): string {
  const codecs = tracks.filter(({ kind }) => kind === 'audio').map(({ codec }) => codec)
  const known = [...new Set(codecs)].filter(codec => codec !== 'none')
  if (code === 'STT_ERR_DECODE_UNSUPPORTED_CODEC' && known.length > 0) return ` (${known.join(', ')})`
  return ''
}

function manner({ code, signal }: FfmpegEnd): string {
  if (code === 0) return 'succeeded without a sample'
  return code === null ? `was ended by ${signal ?? 'a signal'}` : `exited with code ${code}`
}

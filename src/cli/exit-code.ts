import { SttError, type SttErrorCode } from '../errors.js'

/** What the process ends with; shown by `--help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  missing: 3,
  account: 4,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const OF_CODE: Partial<Record<SttErrorCode, ExitCode>> = {
  STT_ERR_FFMPEG_NOT_FOUND: EXIT.missing,
  STT_ERR_RECOGNIZER_UNAVAILABLE: EXIT.missing,
  STT_ERR_MICROPHONE: EXIT.missing,
  STT_ERR_CREDENTIALS: EXIT.account,
  STT_ERR_AUTH: EXIT.account,
  STT_ERR_BILLING: EXIT.account,
  STT_ERR_QUOTA: EXIT.account,
}

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    a transcription failed (the others are still done)
  2    wrong usage
  3    the local recogniser, ffmpeg or the microphone is missing
  4    the service refused the key, the account or the quota
  130  interrupted: the first Ctrl-C ends the audio and shows what is there, the second aborts
       (a microphone that the first one has ended is done: 0)`

/** The library refused an option that the command line passed on. */
export class UsageError extends Error {}

/** For what a call with options of the command line throws: its misuse is the user's. */
export function toUsageError(error: unknown): unknown {
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  return isMisuse ? new UsageError(error.message, { cause: error }) : error
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage
  return error instanceof SttError ? (OF_CODE[error.code] ?? EXIT.failed) : EXIT.failed
}

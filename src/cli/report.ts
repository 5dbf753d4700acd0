import { SttError, type SttErrorCode } from '../errors.js'

/** Where the message itself does not say what helps. */
const REMEDIES: Partial<Record<SttErrorCode, string>> = {
  STT_ERR_AUTH: 'check the key (environment variable INWORLD_API_KEY or --api-key)',
  STT_ERR_CREDENTIALS: 'check the key (environment variable INWORLD_API_KEY or --api-key)',
  STT_ERR_BILLING: "check the account's credit and plan",
  STT_ERR_QUOTA: 'wait, or run fewer transcriptions at once',
  STT_ERR_SOCKET: 'check the address, the network and any proxy; --local needs none of them',
  STT_ERR_CONNECT_TIMEOUT: 'check the address, the network and any proxy; --local needs none of them',
  STT_ERR_UPGRADE: 'check the address: is it the STT channel?',
  STT_ERR_SOURCE: 'check the address: does a browser play it, without a login?',
  STT_ERR_LISTEN: 'choose another address with --port and --host',
  STT_ERR_UNSUPPORTED_AUDIO: 'for audio without a header say what it is, e.g. --raw s16le:16000:1',
  STT_ERR_DECODE_NOT_MEDIA:
    'is it the file that was meant? Audio without a header must be declared, e.g. --raw s16le:16000:1',
  STT_ERR_UNEXPECTED_HEADER: 'leave --raw out: the file tells what it is',
  STT_ERR_SPOOL_LIMIT: 'store it in a file first, and name that',
  STT_ERR_DECODE: 'see what ffprobe says of it',
}

/** The system's, by its own codes. */
const SYSTEM_REMEDIES: Record<string, string> = {
  ENOENT: 'check the name; a pattern that matches no file is taken for one',
  EISDIR: 'name the files in the directory, e.g. talks/*.mp3',
  EACCES: 'ls -l shows who may use it',
  ENOTDIR: 'check the name',
  ELOOP: 'check where the link leads',
  EEXIST: '--out-dir takes the name of a directory',
}

/** Notices and errors: always on stderr, results alone go to stdout. */
export class Reporter {
  readonly #quiet: boolean
  readonly #beforeLine: () => void
  #saidPortable = false

  /** @param beforeLine called before each line, to free the terminal's line for it */
  constructor(quiet: boolean, beforeLine: () => void = () => {}) {
    this.#quiet = quiet
    this.#beforeLine = beforeLine
  }

  /** Said unless `--quiet`. */
  notice(text: string): void {
    if (!this.#quiet) this.#say(text)
  }

  /** A warning of the stream that reads `file`. One that concerns this machine and no file is said once. */
  warning({ code, message }: { code: string; message: string }, file: string): void {
    const concernsMachine = code === 'STT_WARN_PORTABLE'
    if (concernsMachine && this.#saidPortable) return
    this.#saidPortable ||= concernsMachine
    this.notice(`${concernsMachine ? '' : `${file}: `}warning: ${message} [${code}]`)
  }

  reconnecting({ cause, delayMs }: { cause: SttError; delayMs: number }, file: string): void {
    this.notice(
      `${file}: ${cause.message} [${cause.code}]; another attempt in ${Math.ceil(delayMs / 1_000)} s`,
    )
  }

  reconnected({ lostMs }: { lostMs: number }, file: string): void {
    const lost = lostMs > 0 ? `; ${Math.round(lostMs)} ms of audio are lost` : ''
    this.notice(`${file}: connected again${lost}`)
  }

  /** Message, code and remedy; the stack only where DEBUG is set. */
  error(error: unknown, file?: string): void {
    const message = error instanceof Error ? error.message : String(error)
    const code = codeOf(error)
    const name = file === undefined ? '' : `${file}: `
    const told =
      file !== undefined && message.startsWith(`${file} `) ? message.slice(file.length + 1) : message
    this.#say(`${name}${told}${code === undefined ? '' : ` [${code}]`}`)
    const remedy = remedyOf(error)
    if (remedy !== undefined) this.#say(`  ${remedy}`)
    if (process.env['DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  }

  #say(text: string): void {
    this.#beforeLine()
    process.stderr.write(`sttstream: ${text}\n`)
  }
}

function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof SttError)) return SYSTEM_REMEDIES[codeOf(error) ?? '']
  const isUnreadable = error.code === 'STT_ERR_DECODE'
  return (isUnreadable ? SYSTEM_REMEDIES[codeOf(error.cause) ?? ''] : undefined) ?? REMEDIES[error.code]
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

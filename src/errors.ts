import type { TranscriptionEvent } from './stt/events.js'
import type { Transcript } from './transcript.js'

/** Every run-time failure of the library, one stable code each. Remedies: docs/errors.md. */
export type SttErrorCode =
  // The input
  | 'STT_ERR_DECODE'
  | 'STT_ERR_DECODE_NOT_MEDIA'
  | 'STT_ERR_DECODE_NO_AUDIO'
  | 'STT_ERR_DECODE_TRUNCATED'
  | 'STT_ERR_DECODE_UNSUPPORTED_CODEC'
  | 'STT_ERR_DECODE_ENCRYPTED'
  | 'STT_ERR_UNSUPPORTED_AUDIO'
  | 'STT_ERR_UNEXPECTED_HEADER'
  | 'STT_ERR_FFMPEG_NOT_FOUND'
  | 'STT_ERR_MICROPHONE'
  | 'STT_ERR_FFMPEG_BUSY'
  | 'STT_ERR_SPOOL_LIMIT'
  | 'STT_ERR_FILE_TOO_LARGE'
  | 'STT_ERR_SOURCE'
  // Getting a connection
  | 'STT_ERR_CREDENTIALS'
  | 'STT_ERR_CONNECT_TIMEOUT'
  | 'STT_ERR_SOCKET'
  | 'STT_ERR_AUTH'
  | 'STT_ERR_BILLING'
  | 'STT_ERR_QUOTA'
  | 'STT_ERR_UPGRADE'
  // The dialogue
  | 'STT_ERR_BAD_REQUEST'
  | 'STT_ERR_NOT_FOUND'
  | 'STT_ERR_SERVER'
  | 'STT_ERR_PROTOCOL'
  | 'STT_ERR_CLOSED'
  | 'STT_ERR_CLOSED_EARLY'
  | 'STT_ERR_PING_TIMEOUT'
  | 'STT_ERR_UNRESPONSIVE'
  | 'STT_ERR_IDLE_TIMEOUT'
  | 'STT_ERR_TURN_TIMEOUT'
  // The fleet
  | 'STT_ERR_FLEET_FULL'
  | 'STT_ERR_CIRCUIT_OPEN'
  | 'STT_ERR_DRAINED'
  // Whole files by HTTP
  | 'STT_ERR_REQUEST_TIMEOUT'
  | 'STT_ERR_JOB_TIMEOUT'
  // The local server
  | 'STT_ERR_RECOGNIZER_UNAVAILABLE'
  | 'STT_ERR_LISTEN'

/** The facts of an {@link SttError}; each is absent where it is not known. */
export interface SttErrorDetails {
  /** What it came from. */
  cause?: unknown
  /** Whether the same call may succeed later without a change by the caller. Default false. */
  retryable?: boolean
  /** HTTP status of a refused upgrade, REST call or source. */
  httpStatus?: number
  /** WebSocket close code. */
  closeCode?: number
  /** gRPC status number of an error frame. */
  grpcCode?: number
  /** The service's id of the failed request (`x-inworld-request-id`). */
  requestId?: string
  /** How long the service asked to wait before the next attempt (`Retry-After`), in ms. */
  retryAfterMs?: number
}

/**
 * A run-time failure. Match `code`; the message is for people. Neither the key nor transcript text
 * ever stands in a message. Misuse of the API is a TypeError or RangeError instead.
 */
export class SttError extends Error {
  readonly code: SttErrorCode
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean
  /** HTTP status of a refused upgrade, REST call or source. */
  declare readonly httpStatus?: number
  /** WebSocket close code. */
  declare readonly closeCode?: number
  /** gRPC status number of an error frame. */
  declare readonly grpcCode?: number
  /** The service's id of the failed request (`x-inworld-request-id`). */
  declare readonly requestId?: string
  /** How long the service asked to wait before the next attempt (`Retry-After`), in ms. */
  declare readonly retryAfterMs?: number
  /** The open turn's last interim when the stream failed. Not enumerable: logs do not show what was said. */
  declare readonly interim?: Omit<TranscriptionEvent, 'seq'>
  /** What `transcribe()` had until it failed. Not enumerable either. */
  declare readonly transcript?: Transcript

  constructor(code: SttErrorCode, message: string, details: SttErrorDetails = {}) {
    const { cause, retryable = false, ...facts } = details
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = retryable
    for (const [name, value] of Object.entries(facts) as [string, unknown][]) {
      if (value !== undefined) Object.defineProperty(this, name, { value, enumerable: true })
    }
  }

  /** Always 'SttError'. */
  override get name(): string {
    return 'SttError'
  }
}

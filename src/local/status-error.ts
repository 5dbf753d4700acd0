import { SttError, type SttErrorCode } from '../errors.js'
import { INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE, type Status } from './server-message.js'

/** A failure that the client is told as this status. */
export class StatusError extends Error {
  readonly status: Status
  /** Where HTTP has a status of its own for it. */
  readonly httpStatus: number | undefined

  constructor(status: Status, httpStatus?: number) {
    super(status.message)
    this.status = status
    this.httpStatus = httpStatus
  }

  override get name(): string {
    return 'StatusError'
  }
}

const GRPC_CODES: Partial<Record<SttErrorCode, number>> = {
  STT_ERR_QUOTA: RESOURCE_EXHAUSTED,
  STT_ERR_RECOGNIZER_UNAVAILABLE: UNAVAILABLE,
}

/** Any failure of a session as a status; our own errors explain themselves, others stay inside. */
export function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.status
  if (error instanceof SttError) return { code: GRPC_CODES[error.code] ?? INTERNAL, message: error.message }
  return { code: INTERNAL, message: 'the recognizer failed' }
}

import { SttError, type SttErrorCode } from '../errors.js'
import type { SocketEnd } from '../wire/socket.js'
import { isRecord, number, string } from './json-fields.js'

/**
 * The only place where HTTP statuses, gRPC codes, close codes and other ends of a socket become SttErrors
 * (protocol B1).
 */

/** gRPC status numbers that the service uses (B1). Only a full or failing service is worth a retry. */
const GRPC_ERRORS: Record<number, [code: SttErrorCode, name: string, retryable?: true]> = {
  3: ['STT_ERR_BAD_REQUEST', 'INVALID_ARGUMENT'],
  5: ['STT_ERR_NOT_FOUND', 'NOT_FOUND'],
  7: ['STT_ERR_AUTH', 'PERMISSION_DENIED'],
  8: ['STT_ERR_QUOTA', 'RESOURCE_EXHAUSTED', true],
  13: ['STT_ERR_SERVER', 'INTERNAL', true],
  14: ['STT_ERR_SERVER', 'UNAVAILABLE', true],
  16: ['STT_ERR_AUTH', 'UNAUTHENTICATED'],
}

export function grpcError(grpcCode: number | undefined, text: string): SttError {
  const [code, name, retryable = false] =
    GRPC_ERRORS[grpcCode ?? -1] ?? (['STT_ERR_SERVER', 'error'] as const)
  const number = grpcCode === undefined ? '' : ` ${grpcCode}`
  return new SttError(code, `The service answered ${name}${number}: ${clip(text)}`, {
    retryable,
    ...(grpcCode !== undefined && { grpcCode }),
  })
}

/** A refused upgrade or REST call, as HTTP told it. */
export interface HttpRefusal {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

const HTTP_ERRORS: Record<number, SttErrorCode> = {
  400: 'STT_ERR_BAD_REQUEST',
  401: 'STT_ERR_AUTH',
  402: 'STT_ERR_BILLING',
  403: 'STT_ERR_AUTH',
  404: 'STT_ERR_NOT_FOUND',
  413: 'STT_ERR_FILE_TOO_LARGE',
  429: 'STT_ERR_QUOTA',
}

export function httpError({ status, headers, body }: HttpRefusal, nowMs: number): SttError {
  const code = HTTP_ERRORS[status] ?? (status >= 500 ? 'STT_ERR_SERVER' : 'STT_ERR_UPGRADE')
  const requestId = headers['x-inworld-request-id']
  const retryAfterMs = readRetryAfter(headers['retry-after'], nowMs)
  const { text, grpcCode } = readBody(body)
  return new SttError(code, `The service refused the request with HTTP ${status}${text && `: ${text}`}`, {
    httpStatus: status,
    retryable: status === 429 || status >= 500,
    ...(typeof requestId === 'string' && { requestId }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(grpcCode !== undefined && { grpcCode }),
  })
}

/** `{code, message, details}` where the body is JSON; an HTML or other body says nothing worth showing. */
function readBody(body: string): { text: string; grpcCode?: number } {
  try {
    const parsed: unknown = JSON.parse(body)
    if (!isRecord(parsed)) return { text: '' }
    const fields = isRecord(parsed.error) ? parsed.error : parsed
    const grpcCode = number(fields.code)
    return { text: clip(string(fields.message) ?? ''), ...(grpcCode !== undefined && { grpcCode }) }
  } catch {
    return { text: '' }
  }
}

/** RFC 9110 §10.2.3: seconds or an HTTP date. */
function readRetryAfter(value: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const seconds = Number(value)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** Codes after which another connection may do better: going away, no close frame, failing, restarting, busy. */
const RETRYABLE_CLOSES = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014])

/** A close that is not the end which the client asked for. `heard`: whether the service had said anything. */
export function closeError(closeCode: number, heard: boolean): SttError {
  const hint = heard ? '' : ' without having said anything: check modelId and the other config fields'
  if (closeCode === 1000 || closeCode === 1005) {
    return new SttError(
      'STT_ERR_CLOSED_EARLY',
      `The service closed (code ${closeCode}) before the stream's end${hint}`,
      {
        closeCode,
        retryable: true,
      },
    )
  }
  return new SttError('STT_ERR_CLOSED', `The service closed with code ${closeCode}${hint}`, {
    closeCode,
    retryable: RETRYABLE_CLOSES.has(closeCode),
  })
}

/** How a socket ended, where that was not the end of the stream. `heard`: whether the service had said anything. */
export function socketError(
  end: Exclude<SocketEnd, { kind: 'handshake-timeout' }>,
  heard: boolean,
): SttError {
  switch (end.kind) {
    case 'closed':
      return closeError(end.code, heard)
    case 'refused':
      return httpError(end, Date.now())
    case 'ping-timeout':
      return new SttError(
        'STT_ERR_PING_TIMEOUT',
        'The service gave no sign of life after a ping: the connection is dead',
        {
          retryable: true,
        },
      )
    case 'oversized':
      return new SttError(
        'STT_ERR_PROTOCOL',
        `The service sent a message that is too large: ${end.cause.message}`,
      )
    case 'failed':
      return new SttError('STT_ERR_SOCKET', `The connection failed: ${end.cause.message}`, {
        cause: end.cause,
        retryable: true,
      })
  }
}

export function handshakeError(handshakeTimeoutMs: number): SttError {
  const message = `No connection within ${handshakeTimeoutMs} ms (handshakeTimeoutMs)`
  return new SttError('STT_ERR_CONNECT_TIMEOUT', message, { retryable: true })
}

/** The service's own words, kept short. */
function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

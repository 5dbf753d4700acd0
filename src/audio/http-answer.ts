import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { SttError } from '../errors.js'

/** The answer to a GET, whoever asked. */
export interface HttpAnswer {
  status: number
  /** The words that go with it. */
  reason: string
  headers: Headers
  /** Its bytes, unpacked. Destroying it closes the connection. */
  body: Readable
}

const RETRYABLE_STATUSES = [408, 429]
const UNPACK: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** What a log may show of a URL: credentials, and a query that is a signature, stay out. */
export function shownUrl({ origin, pathname }: URL): string {
  return origin + pathname
}

/** fetch() has unpacked it. */
export function answerOfResponse({ status, statusText, headers, body }: Response): HttpAnswer {
  const bytes = body ? Readable.fromWeb(body) : Readable.from([])
  return { status, reason: statusText, headers, body: bytes }
}

/** Undoes what was packed on its way. Audio that is cut off fails here too: a packed body tells its end. */
export function unpacked(answer: HttpAnswer): HttpAnswer {
  const unpack = UNPACK[answer.headers.get('content-encoding')?.toLowerCase() ?? '']
  return unpack ? { ...answer, body: pipeline(answer.body, unpack(), () => {}) } : answer
}

/**
 * @param name of what was asked for, in the error
 * @throws SttError STT_ERR_SOURCE where the answer does not hold it
 */
export function checkStatus(answer: HttpAnswer, name: string): HttpAnswer {
  const { status, reason, headers, body } = answer
  if (status >= 200 && status < 300) return answer
  body.destroy()
  const what = [`HTTP ${status}`, reason, headers.get('content-type')].filter(Boolean).join(', ')
  throw new SttError('STT_ERR_SOURCE', `expected audio from ${name}; got ${what}`, {
    httpStatus: status,
    retryable: status >= 500 || RETRYABLE_STATUSES.includes(status),
  })
}

import type { HttpAnswer } from './http-answer.js'

/** What the headers of an answer say about its body. */

/**
 * Whether a body is made while it is sent, as a radio station's is, rather than stored: it has the headers of
 * Icecast or SHOUTcast, or neither a length nor a version nor ranges.
 */
export function isLive(headers: Headers): boolean {
  if ([...headers.keys()].some(name => /^ic[ey]-/.test(name))) return true
  const ofStored = ['content-length', 'content-encoding', 'etag', 'last-modified']
  return !servesRanges(headers) && !ofStored.some(name => headers.has(name))
}

/** Length of the body, in bytes. Undefined where the server does not say, or it was packed on its way. */
export function bodyBytes(headers: Headers): number | undefined {
  const bytes = headers.get('content-length')
  return bytes === null || headers.has('content-encoding') ? undefined : Number(bytes)
}

/**
 * What tells the version of a body that can be continued with a range request (RFC 9110, 13.1.5 and 8.8): a strong
 * ETag, or a modification at least a second before the answer. Undefined where it must be taken whole or not at all.
 */
export function resumableVersion(headers: Headers): string | undefined {
  if (!servesRanges(headers) || headers.has('content-encoding')) return undefined
  const etag = headers.get('etag')
  if (etag !== null) return etag.startsWith('W/') ? undefined : etag
  const modified = headers.get('last-modified') ?? ''
  const settledMs = Date.parse(headers.get('date') ?? '') - Date.parse(modified)
  return settledMs >= 1_000 ? modified : undefined
}

/** Whether an answer to a range request goes on at this byte of a body that has not changed. */
export function continuesAt({ status, headers }: HttpAnswer, firstByte: number, version: string): boolean {
  const [, first] = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '') ?? []
  const named = [headers.get('etag'), headers.get('last-modified')].filter(name => name !== null)
  return status === 206 && Number(first) === firstByte && (named.length === 0 || named.includes(version))
}

function servesRanges(headers: Headers): boolean {
  return headers.get('accept-ranges')?.toLowerCase() === 'bytes'
}

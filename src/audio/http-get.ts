import { get, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { get as getSecure } from 'node:https'
import { unescape } from 'node:querystring'
import { SttError } from '../errors.js'
import { checkStatus, shownUrl, unpacked, type HttpAnswer } from './http-answer.js'
import { isShoutcast, shoutcastConnection } from './shoutcast.js'

/**
 * node:http and not fetch(), which takes a body in chunks that was cut off for a whole one where the connection was
 * to be closed anyway (undici 6, `onSocketEnd`).
 */

/** Audio is compressed already, and what a proxy packs cannot be counted or resumed. */
const HEADERS = {
  'accept-encoding': 'identity',
  // One download, one connection: nothing is left open behind it.
  connection: 'close',
  'user-agent': 'sttstream',
}
const MAX_REDIRECTS = 5
const REDIRECTS = [301, 302, 303, 307, 308]
/** Certificates, TLS and answers that are no HTTP: the next attempt would meet the same. */
const LASTING = /CERT|SIGNED|ALTNAME|SSL|TLS|EPROTO|HPE_/

/**
 * One GET. Up to 5 redirects are followed, to http and https alone; credentials stay with the server of the URL.
 * @returns rejects with STT_ERR_SOURCE for a status that is no success, and for what the network refuses
 */
export async function httpGet(
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let at = url
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const credentials = at.origin === url.origin ? credentialsOf(url) : {}
    const answer = await ask(at, { headers: { ...HEADERS, ...credentials, ...headers }, signal })
    const location = REDIRECTS.includes(answer.status) ? answer.headers.get('location') : null
    if (location === null) return unpacked(checkStatus(answer, shownUrl(url)))
    answer.body.destroy()
    at = redirected(url, at, location)
  }
  throw refused(url, `it was redirected more than ${MAX_REDIRECTS} times`)
}

async function ask(url: URL, options: RequestOptions): Promise<HttpAnswer> {
  const { hostname, port, pathname, search } = url
  const where = { hostname: hostname.replace(/^\[|\]$/g, ''), port, path: pathname + search }
  const request = (url.protocol === 'https:' ? getSecure : get)({ ...where, ...options })
  try {
    const message = await responseTo(request)
    const { statusCode = 0, statusMessage = '', rawHeaders } = message
    return { status: statusCode, reason: statusMessage, headers: headersOf(rawHeaders), body: message }
  } catch (error) {
    if (isShoutcast(error) && !options.createConnection)
      return ask(url, { ...options, createConnection: shoutcastConnection })
    const { cause, code, reason } = causeOf(error)
    throw refused(url, reason, { cause, retryable: code !== '' && !LASTING.test(code) })
  }
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', message => {
      // A body without a length would end with a lost connection as if it were whole.
      request.on('error', error => message.destroy(error))
      resolve(message)
    })
  })
}

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i] ?? '', raw[i + 1] ?? '')
  return headers
}

function redirected(url: URL, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw refused(url, 'it was redirected to what is no URL')
  const to = new URL(location, from)
  if (/^https?:$/.test(to.protocol)) return to
  throw refused(url, `it was redirected to a ${to.protocol} URL, which is not followed`)
}

function refused(url: URL, reason: string, details = {}): SttError {
  return new SttError('STT_ERR_SOURCE', `${shownUrl(url)} could not be fetched: ${reason}`, details)
}

/** What a request or a body failed with: fetch() says 'terminated', and why in the cause. */
export function causeOf(error: unknown): { cause: unknown; code: string; reason: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return { cause, code: '', reason: String(cause) }
  const code = 'code' in cause ? String(cause.code) : ''
  return { cause, code, reason: cause.message || code || cause.name }
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  // Not decodeURIComponent(), which throws at a stray percent sign.
  const credentials = `${unescape(username)}:${unescape(password)}`
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { PERMISSION_DENIED, UNAUTHENTICATED, type Status } from './server-message.js'

/** How a client showed its credentials; the credentials themselves are kept nowhere. */
export interface Authorization {
  place: 'header' | 'query' | 'subprotocol'
  scheme: 'Basic' | 'Bearer'
}

export type AuthDecision =
  { ok: true; authorization?: Authorization } | { ok: false; httpStatus: number; status: Status }

interface Credentials extends Authorization {
  token: string
}

const SUBPROTOCOL_PREFIX = 'bearer_'

/**
 * Checks a request in every variant of protocol A2. Without `apiKey` any credentials pass, and none too. The
 * local server mints no tokens, so a Bearer token is the key itself.
 */
export function authorize(request: IncomingMessage, apiKey: string | undefined): AuthDecision {
  if (apiKey === undefined) return { ok: true }
  const credentials = findCredentials(request)
  if (credentials !== undefined && equals(credentials.token, apiKey)) return { ok: true }
  // The commonest mistake: the portal's key is base64 already, and the client encoded it again.
  if (credentials !== undefined && equals(credentials.token, Buffer.from(apiKey).toString('base64'))) {
    return refuse(401, UNAUTHENTICATED)
  }
  return refuse(403, PERMISSION_DENIED)
}

/** How a request shows its credentials; undefined where it shows none that can be read. */
export function authorizationOf(request: IncomingMessage): Authorization | undefined {
  const credentials = findCredentials(request)
  return credentials && { place: credentials.place, scheme: credentials.scheme }
}

/** The subprotocol to answer with: browsers fail a connection whose offer was not taken up. */
export function selectSubprotocol(offered: Iterable<string>): string | false {
  for (const protocol of offered) if (protocol.startsWith(SUBPROTOCOL_PREFIX)) return protocol
  return false
}

function refuse(httpStatus: number, code: number): AuthDecision {
  return { ok: false, httpStatus, status: { code, message: 'Invalid authorization credentials' } }
}

function findCredentials({ headers, url = '/' }: IncomingMessage): Credentials | undefined {
  if (headers.authorization !== undefined) return parseCredentials('header', headers.authorization)
  const query = new URLSearchParams(url.split('?', 2)[1])
  const inQuery = query.get('authorization') ?? query.get('Authorization')
  if (inQuery !== null) return parseCredentials('query', inQuery)
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map(protocol => protocol.trim())
  const protocol = selectSubprotocol(offered)
  if (protocol === false) return undefined
  return { place: 'subprotocol', scheme: 'Bearer', token: protocol.slice(SUBPROTOCOL_PREFIX.length) }
}

function parseCredentials(place: Authorization['place'], value: string): Credentials | undefined {
  const [, scheme, token] = /^(basic|bearer) +(\S+)$/i.exec(value.trim()) ?? []
  if (scheme === undefined || token === undefined) return undefined
  return { place, scheme: scheme.toLowerCase() === 'basic' ? 'Basic' : 'Bearer', token }
}

/** Constant time whatever the lengths: the digests are of one length. */
function equals(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

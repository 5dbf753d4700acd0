import { randomBytes } from 'node:crypto'
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { statusBody, type Status } from './server-message.js'

/** 32 hex digits, as the service sends in `x-inworld-request-id`. */
export function newRequestId(): string {
  return randomBytes(16).toString('hex')
}

/** An answer to a request, or to an upgrade that is refused. */
export interface HttpReply {
  httpStatus: number
  /** Sent as JSON, or as it is where it is a string. */
  body: unknown
  /** Replaces or adds headers; names in lower case. */
  headers?: Readonly<Record<string, string>>
}

export function statusReply(httpStatus: number, status: Status): HttpReply {
  return { httpStatus, body: statusBody(status) }
}

export function sendReply(response: ServerResponse, reply: HttpReply): void {
  const { bytes, headers } = encodeReply(reply)
  response.writeHead(reply.httpStatus, headers).end(bytes)
}

/** Answers a refused upgrade, which has a bare socket instead of a ServerResponse, and ends it. */
export function refuseUpgrade(socket: Duplex, reply: HttpReply): void {
  const { bytes, headers } = encodeReply(reply)
  const lines = [
    `HTTP/1.1 ${reply.httpStatus} ${STATUS_CODES[reply.httpStatus] ?? 'Unknown'}`,
    ...Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]))
}

function encodeReply({ body, headers }: HttpReply): { bytes: Buffer; headers: Record<string, string> } {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    bytes,
    headers: {
      'content-type': 'application/json',
      'content-length': String(bytes.length),
      'x-inworld-request-id': newRequestId(),
      ...headers,
    },
  }
}

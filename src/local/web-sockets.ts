import { WebSocketServer } from 'ws'
import { selectSubprotocol } from './auth.js'
import type { Faults } from './faults.js'
import { newRequestId } from './http-reply.js'

/** Makes WebSockets of upgrades, for connections with these faults. It holds nothing: no port, no clients. */
export function webSocketServer(
  { deflate, pong, latency }: Faults,
  maxMessageBytes: number,
): WebSocketServer {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Below the default threshold nothing would be compressed: our messages are short.
    perMessageDeflate: deflate === 'agree' && { threshold: 0 },
    maxPayload: maxMessageBytes,
    handleProtocols: selectSubprotocol,
    // Pongs that come late, or in line with late messages, are the outbox's business.
    autoPong: pong === undefined && latency === undefined,
  })
  server.on('headers', headers => {
    headers.push(`x-inworld-request-id: ${newRequestId()}`)
    if (deflate === 'unasked') headers.push('sec-websocket-extensions: permessage-deflate')
  })
  return server
}

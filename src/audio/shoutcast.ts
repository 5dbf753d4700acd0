import type { ClientRequestArgs } from 'node:http'
import { connect } from 'node:net'
import { Duplex, pipeline, Transform } from 'node:stream'

/** How the first line of an answer by SHOUTcast 1 begins, and how that of one by HTTP does. */
const ICY = Buffer.from('ICY ')
const HTTP = Buffer.from('HTTP/1.0 ')

/** Whether a request has failed because the answer is SHOUTcast 1's, which no parser of HTTP takes. */
export function isShoutcast(error: unknown): boolean {
  const packet: unknown = error instanceof Error && 'rawPacket' in error ? error.rawPacket : undefined
  return Buffer.isBuffer(packet) && packet.subarray(0, ICY.length).equals(ICY)
}

/** A connection on which "ICY 200 OK" reads "HTTP/1.0 200 OK"; the rest of the dialogue is HTTP's. */
export function shoutcastConnection({ host, port }: ClientRequestArgs): Duplex {
  const socket = connect(Number(port), host ?? undefined)
  let begun = false
  const answer = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      callback(null, begun ? chunk : Buffer.concat([HTTP, chunk.subarray(ICY.length)]))
      begun = true
    },
  })
  return Duplex.from({ writable: socket, readable: pipeline(socket, answer, () => {}) })
}

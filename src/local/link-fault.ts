import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Timers } from './timer.js'

/** What becomes of the TCP connection under the WebSocket. */
export interface LinkFault {
  /**
   * 52: it breaks, by a reset (default) or a close, with no WebSocket close frame. Who has not read yet what came
   * before a reset may see a close; a close while more is coming in is a reset.
   */
  cut?: LinkPoint & { how?: 'reset' | 'close' }
  /**
   * 53: half-open: from then on packets vanish in both directions, and nobody is told. Only when the client gives
   * the connection up is it gone here too.
   */
  halfOpen?: LinkPoint
}

/**
 * Once so many bytes have passed, and not one more: from the client, counted behind its upgrade request, or to
 * it, counted from the first byte of the answer to the upgrade; or so long after the upgrade, in ms.
 */
export type LinkPoint =
  | { afterBytesReceived: number; afterBytesSent?: never; afterMs?: never }
  | { afterBytesSent: number; afterBytesReceived?: never; afterMs?: never }
  | { afterMs: number; afterBytesReceived?: never; afterBytesSent?: never }

/** The socket as the WebSocket sees it: the real one until the fault strikes. */
export function faultyLink(socket: Duplex, fault: LinkFault | undefined, timers: Timers): Duplex {
  return fault?.cut || fault?.halfOpen ? new FaultyLink(socket, fault, timers) : socket
}

class FaultyLink extends Duplex {
  readonly #socket: Duplex
  readonly #fault: LinkFault
  readonly #cancelTimers: (() => void)[] = []
  #received = 0
  #sent = 0
  #halfOpen = false

  constructor(socket: Duplex, fault: LinkFault, timers: Timers) {
    super()
    this.#socket = socket
    this.#fault = fault
    const { cut, halfOpen } = fault
    if (cut?.afterMs !== undefined) this.#cancelTimers.push(timers.start(() => this.#cut(), cut.afterMs))
    if (halfOpen?.afterMs !== undefined) {
      this.#cancelTimers.push(timers.start(() => (this.#halfOpen = true), halfOpen.afterMs))
    }
    if (socket instanceof Socket) socket.setNoDelay()
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => (this.#halfOpen ? this.destroy() : this.push(null)))
    socket.on('close', () => this.destroy())
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const { cut, halfOpen } = this.#fault
    const from = this.#sent
    this.#sent += chunk.length
    const cutBytes = bytesUntil(cut?.afterBytesSent, from, chunk)
    const openBytes = this.#halfOpen ? 0 : bytesUntil(halfOpen?.afterBytesSent, from, chunk)
    const passing = chunk.subarray(0, Math.min(cutBytes, openBytes))
    if (openBytes < Infinity) this.#halfOpen = true
    if (cutBytes === Infinity) this.#pass(passing, callback)
    // What passes has to be the kernel's before the connection breaks.
    else this.#pass(passing, () => this.#cut())
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#halfOpen) callback()
    else this.#socket.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    for (const cancel of this.#cancelTimers) cancel()
    this.#socket.destroy()
    callback(error)
  }

  #receive(chunk: Buffer): void {
    const { cut, halfOpen } = this.#fault
    const from = this.#received
    this.#received += chunk.length
    const cutBytes = bytesUntil(cut?.afterBytesReceived, from, chunk)
    const openBytes = this.#halfOpen ? 0 : bytesUntil(halfOpen?.afterBytesReceived, from, chunk)
    const passing = chunk.subarray(0, Math.min(cutBytes, openBytes))
    if (openBytes < Infinity) this.#halfOpen = true
    if (passing.length > 0 && !this.push(passing)) this.#socket.pause()
    if (cutBytes < Infinity) this.#cut()
  }

  #pass(bytes: Buffer, callback: (error?: Error | null) => void): void {
    if (bytes.length === 0 || this.#socket.destroyed) callback()
    else this.#socket.write(bytes, callback)
  }

  #cut(): void {
    const { how = 'reset' } = this.#fault.cut ?? {}
    if (how === 'reset' && this.#socket instanceof Socket) this.#socket.resetAndDestroy()
    this.destroy()
  }
}

/** How many bytes of the chunk still pass; Infinity while the point is not reached. */
function bytesUntil(point: number | undefined, from: number, chunk: Buffer): number {
  if (point === undefined || from + chunk.length < point) return Infinity
  return Math.max(0, point - from)
}

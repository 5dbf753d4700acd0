import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { UpgradeFault } from './faults.js'
import { refuseUpgrade } from './http-reply.js'
import { statusBody } from './server-message.js'
import type { Timers } from './timer.js'

/** Lets an upgrade go on, later or at once, or does to it what the fault says. */
export function strikeUpgrade(fault: UpgradeFault, socket: Duplex, timers: Timers, goOn: () => void): void {
  if (fault.never) return
  if (fault.delayMs === undefined) strike(fault, socket, goOn)
  else timers.start(() => strike(fault, socket, goOn), fault.delayMs)
}

function strike({ drop, status, body, headers }: UpgradeFault, socket: Duplex, goOn: () => void): void {
  if (socket.destroyed) return
  if (drop === 'reset' && socket instanceof Socket) socket.resetAndDestroy()
  else if (drop !== undefined) socket.destroy()
  else if (status === undefined) goOn()
  else refuseUpgrade(socket, { httpStatus: status, body: body ?? defaultBody(status), headers })
}

const GRPC_CODES: Record<number, number> = { 400: 3, 401: 16, 402: 8, 403: 7, 404: 5, 429: 8, 503: 14 }

function defaultBody(httpStatus: number) {
  return statusBody({ code: GRPC_CODES[httpStatus] ?? 13, message: `refused with HTTP ${httpStatus}` })
}

import type { WebSocket } from 'ws'
import { lastMessages } from './end-fault.js'
import { spellError, type ErrorFault } from './error-fault.js'
import { ResultSpelling } from './fault-results.js'
import type { Faults } from './faults.js'
import { Line } from './latency.js'
import type { ServerMessage, Status } from './server-message.js'
import type { SessionRecord } from './session-record.js'
import { strayFrame, type StrayFrame } from './stray-frame.js'
import { Timers, type StartTimer } from './timer.js'

export interface OutboxOptions {
  faults: Faults
  record: SessionRecord
  startTimer: StartTimer
}

/** Every frame that leaves a connection, in the spelling and at the time that its faults ask for. */
export class Outbox {
  readonly #socket: WebSocket
  readonly #faults: Faults
  readonly #record: SessionRecord
  readonly #spelling: ResultSpelling
  /** These outlive the session's own: an error and a close may still be under way. */
  readonly #timers: Timers
  readonly #line: Line
  #streamClosed = false
  #muted = false

  constructor(socket: WebSocket, { faults, record, startTimer }: OutboxOptions) {
    this.#socket = socket
    this.#faults = faults
    this.#record = record
    this.#spelling = new ResultSpelling(faults.results, faults.usage)
    this.#timers = new Timers(startTimer)
    this.#line = new Line(faults.latency, this.#timers)
    socket.on('close', () => this.#timers.cancelAll())
    const { pong, latency } = faults
    // Without these faults ws answers pings itself.
    if (pong !== undefined || latency !== undefined) socket.on('ping', data => this.#onPing(data))
  }

  /** Resolves once the kernel has the frames: a client that does not read holds up its own session only. */
  async send(message: ServerMessage): Promise<void> {
    const sent = this.#streamClosed ? lastMessages(message, this.#faults.end ?? {}) : [message]
    for (const each of sent) {
      for (const spelled of this.#spelling.spell(each)) await this.#write(spelled)
    }
  }

  /** From now on the faults of the end count. */
  closeStream(): void {
    this.#streamClosed = true
  }

  /** Fault 55: pings are answered, and nothing else leaves any more. */
  mute(): void {
    this.#muted = true
  }

  async sendStray(kind: StrayFrame): Promise<void> {
    const { data, binary } = strayFrame(kind)
    if (!this.#muted) await this.#line.post(() => this.#transmit(data, binary))
  }

  /** An error ends the stream, and the close code is 1000 all the same (protocol B1). */
  async sendError(status: Status, { shape, racingClose = false }: Partial<ErrorFault> = {}): Promise<void> {
    const written = this.#write(spellError(status, shape))
    this.close(1000)
    await written
    if (racingClose) await this.#line.post(() => this.#socket.terminate())
  }

  /** 1006 is no code that may be sent: it stands for a connection that was cut. */
  close(code: number): void {
    // A paused socket would never read the close frame of the other side.
    this.#socket.resume()
    if (this.#muted) return
    void this.#line.post(() => {
      if (code === 1006) this.#socket.terminate()
      else this.#socket.close(code)
    })
  }

  async #write(message: unknown): Promise<void> {
    if (this.#muted) return
    this.#record.addSent(message)
    await this.#line.post(() => this.#transmit(Buffer.from(JSON.stringify(message)), false))
  }

  async #transmit(data: Buffer, binary: boolean): Promise<void> {
    const fragments = Math.min(this.#faults.results?.fragments ?? 1, data.length)
    const length = Math.ceil(data.length / fragments)
    const writes: Promise<void>[] = []
    for (let at = 0; at < data.length; at += length) {
      const fin = at + length >= data.length
      // A failed write is followed by 'close', which ends the session.
      writes.push(
        new Promise(resolve =>
          this.#socket.send(data.subarray(at, at + length), { fin, binary }, () => resolve()),
        ),
      )
    }
    await Promise.all(writes)
  }

  #onPing(data: Buffer): void {
    const { pong } = this.#faults
    if (pong === 'never') return
    const answer = () => void this.#line.post(() => this.#socket.pong(data, false, () => {}))
    if (pong === undefined) answer()
    else this.#timers.start(answer, pong.delayMs)
  }
}

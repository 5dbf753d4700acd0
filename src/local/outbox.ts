import type { WebSocket } from 'ws'
import { ResultSpelling } from './fault-results.js'
import { spellError, type ErrorFault, type Faults } from './faults.js'
import type { ServerMessage, Status } from './server-message.js'
import type { SessionRecord } from './session-record.js'

/** Every frame that leaves a connection, in the spelling that its faults ask for. */
export class Outbox {
  readonly #socket: WebSocket
  readonly #record: SessionRecord
  readonly #spelling: ResultSpelling
  #finalsDemoted = false

  constructor(socket: WebSocket, { faults, record }: { faults: Faults; record: SessionRecord }) {
    this.#socket = socket
    this.#record = record
    this.#spelling = new ResultSpelling(faults.results, faults.usage)
  }

  /** Resolves once the kernel has the frames: a client that does not read holds up its own session only. */
  async send(message: ServerMessage): Promise<void> {
    const sent = this.#finalsDemoted ? asInterim(message) : message
    for (const spelled of this.#spelling.spell(sent)) await this.#write(spelled)
  }

  /** Fault 47: from now on what would be a final is sent as an interim. */
  demoteFinals(): void {
    this.#finalsDemoted = true
  }

  /** An error ends the stream, and the close code is 1000 all the same (protocol B1). */
  async sendError(status: Status, { shape, racingClose = false }: Partial<ErrorFault> = {}): Promise<void> {
    const written = this.#write(spellError(status, shape))
    this.close(1000)
    await written
    if (racingClose) this.#socket.terminate()
  }

  /** 1006 is no code that may be sent: it stands for a connection that was cut. */
  close(code: number): void {
    // A paused socket would never read the close frame of the other side.
    this.#socket.resume()
    if (code === 1006) this.#socket.terminate()
    else this.#socket.close(code)
  }

  #write(message: unknown): Promise<void> {
    this.#record.addSent(message)
    return new Promise(resolve => {
      // A failed write is followed by 'close', which ends the session.
      this.#socket.send(JSON.stringify(message), () => resolve())
    })
  }
}

function asInterim(message: ServerMessage): ServerMessage {
  if (!('transcription' in message)) return message
  return { transcription: { ...message.transcription, isFinal: false, wordTimestamps: [] } }
}

import type { RawData, WebSocket } from 'ws'
import { acceptsDuration, chunkDurationMs, isRiffHeader } from './audio-chunk.js'
import { audioInput, type AudioInput } from './audio-input.js'
import { parseClientMessage, type ClientMessage } from './client-message.js'
import { endpointerOptions } from './endpointer.js'
import type { ErrorFault } from './error-fault.js'
import { FaultSchedule } from './fault-schedule.js'
import type { Faults } from './faults.js'
import type { JsonObject } from './json-object.js'
import { openTranscriber } from './open-transcriber.js'
import { Outbox } from './outbox.js'
import type { Recognizer, RecognizerSession } from './recognizer.js'
import type { ServerLimits } from './server-options.js'
import { invalidArgument, type Status } from './server-message.js'
import type { SessionRecord } from './session-record.js'
import { statusOf } from './status-error.js'
import { Timers, type StartTimer } from './timer.js'
import type { Transcriber } from './transcriber.js'
import {
  checkStreamingRequest,
  chunkFormat,
  unknownModel,
  type TranscribeRequest,
} from './transcribe-request.js'
import { WorkQueue } from './work-queue.js'

/** Between signs of life while the socket rests, in ms. */
const BEAT_MS = 2_000

export interface SttChannelOptions {
  recognizer: Recognizer
  faults: Faults
  limits: ServerLimits
  startTimer: StartTimer
  record: SessionRecord
}

/**
 * One STT connection as the service behaves (protocol A3, B1, B8). Messages are judged as they arrive, and what they
 * ask for is done one after the other in a queue: results keep the order of the audio, and an error comes after the
 * results of what was sent before it.
 *
 *     awaiting config ──► streaming ──► finishing ──► ended
 *                            closeStream    usage, close
 *
 * Any error and any close lead to `ended` at once; what is still queued is then dropped.
 */
export class SttChannel {
  /** Resolves when the socket is closed and the decoder given back. */
  readonly ended: Promise<void>
  readonly #socket: WebSocket
  readonly #options: SttChannelOptions
  readonly #record: SessionRecord
  readonly #outbox: Outbox
  readonly #timers: Timers
  readonly #queue: WorkQueue
  readonly #schedule: FaultSchedule
  #state: 'awaiting config' | 'streaming' | 'finishing' | 'ended' = 'awaiting config'
  #readingStopped = false
  #request: TranscribeRequest | undefined
  #input: AudioInput | undefined
  #session: RecognizerSession | undefined
  #transcriber: Transcriber | undefined
  /** A RIFF header came in the audio: the service hears nothing from then on, and says nothing (protocol B1). */
  #deaf = false
  /** No audio came after the last `endTurn`. */
  #endTurnLast = false
  #cancelInactivity: (() => void) | undefined
  #cancelBeat: (() => void) | undefined

  constructor(socket: WebSocket, options: SttChannelOptions) {
    this.#socket = socket
    this.#options = options
    this.#record = options.record
    this.#outbox = new Outbox(socket, options)
    this.#timers = new Timers(options.startTimer)
    this.#queue = new WorkQueue({
      backlogMs: options.limits.backlogMs,
      // While too much waits to be decoded the socket is not read, and TCP holds the client back.
      onFull: () => {
        socket.pause()
        this.#beat()
      },
      onRoom: () => {
        this.#cancelBeat?.()
        if (!this.#readingStopped) socket.resume()
      },
      onError: error => this.#failNow(statusOf(error)),
    })
    this.#schedule = new FaultSchedule(options.faults, {
      sendStray: frame => this.#queue.push(() => this.#outbox.sendStray(frame)),
      fail: error => this.#fail(error, error),
      close: code => this.#queue.push(() => this.#close(code)),
      finish: () => this.#finish(),
      stopReading: () => this.#stopReading(),
      mute: () => this.#queue.push(() => this.#outbox.mute()),
    })
    this.ended = new Promise(resolve => {
      socket.on('close', code => {
        this.#record.closeCode = code
        this.#release().then(resolve, resolve)
      })
    })
    // What is wrong with a frame (too long, bad UTF-8) ws answers itself with a close code; 'close' follows.
    socket.on('error', () => {})
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary))
    this.#begin()
  }

  #begin(): void {
    const { faults, limits } = this.#options
    if (faults.closeAtOnce) {
      this.#close(1000)
      return
    }
    this.#timers.start(() => {
      if (this.#state === 'awaiting config') this.#close(1000)
    }, limits.configTimeoutMs)
    if (limits.sessionMs !== Infinity) this.#timers.start(() => this.#finish(), limits.sessionMs)
    this.#schedule.reach('open')
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#state === 'ended') return
    if (isBinary) {
      this.#record.addMessage({ kind: 'binary' })
      return
    }
    // ws hands text over as one Buffer ('nodebuffer' is its default binaryType).
    const message = parseClientMessage((data as Buffer).toString())
    this.#recordMessage(message)
    if (this.#state === 'awaiting config') this.#onFirstMessage(message)
    else if (this.#state === 'streaming') this.#onStreamingMessage(message)
  }

  #recordMessage(message: ClientMessage): void {
    const { kind } = message
    if (kind === 'transcribeConfig') this.#record.config ??= message.config
    if (kind === 'audioChunk' && this.#request) {
      this.#record.addMessage({ kind, durationMs: chunkDurationMs(this.#request, message.audio) })
    } else {
      this.#record.addMessage({ kind })
    }
  }

  #onFirstMessage(message: ClientMessage): void {
    const { faults } = this.#options
    if (message.kind === 'transcribeConfig') {
      if (faults.rejectConfig) this.#close(1000)
      else this.#configure(message.config)
    } else if (faults.messageBeforeConfig === 'error') {
      this.#fail(invalidArgument('the first message must be transcribe_config'))
    } else {
      this.#close(1000)
    }
  }

  #configure(config: JsonObject): void {
    const checked = checkStreamingRequest(config)
    if (!checked.ok) {
      this.#fail(checked.status)
      return
    }
    const request = checked.value
    const { faults } = this.#options
    if (faults.unknownModel) {
      this.#fail(unknownModel(request.modelId))
      return
    }
    this.#request = request
    this.#input = audioInput(chunkFormat(request))
    this.#state = 'streaming'
    this.#queue.push(() => this.#openTranscriber(request))
    this.#schedule.reach('config')
    this.#restartInactivity()
  }

  async #openTranscriber(request: TranscribeRequest): Promise<void> {
    const { recognizer, faults } = this.#options
    const emit = this.#outbox.send.bind(this.#outbox)
    const { session, transcriber } = await openTranscriber(recognizer, request, emit, faults.longTurn)
    this.#session = session
    this.#transcriber = transcriber
    session.onError = error => this.#failNow(statusOf(error))
    // The client may have left while a decoder was being made ready.
    if (this.#state === 'ended') await session.close()
  }

  #onStreamingMessage(message: ClientMessage): void {
    switch (message.kind) {
      case 'audioChunk':
        this.#onAudio(message.audio)
        break
      case 'endTurn':
        this.#onEndTurn()
        break
      case 'closeStream':
        this.#finish()
        break
      case 'transcribeConfig':
        this.#onSecondConfig()
        break
      case 'invalid':
        this.#fail(message.status)
        break
      case 'unknown':
    }
  }

  #onAudio(audio: Buffer): void {
    const { faults } = this.#options
    if (this.#request === undefined) return
    const chunkMs = chunkDurationMs(this.#request, audio)
    if (isRiffHeader(audio)) this.#deaf = true
    if (!this.#deaf && !acceptsDuration(this.#request, chunkMs, faults)) {
      this.#fail(invalidArgument('invalid audio chunk duration'))
      return
    }
    this.#record.addAudio(audio)
    this.#endTurnLast = false
    this.#restartInactivity()
    const deaf = this.#deaf
    this.#queue.push(async () => {
      if (!deaf && this.#input) await this.#transcriber?.push(await this.#input.push(audio))
    }, chunkMs)
    this.#schedule.reachAudio(this.#record.audioMs)
  }

  #onEndTurn(): void {
    this.#endTurnLast = true
    if (this.#deaf) return
    this.#queue.push(() => this.#transcriber?.endTurn())
  }

  #onSecondConfig(): void {
    const { secondConfig = 'error' } = this.#options.faults
    if (secondConfig === 'error') this.#fail(invalidArgument('transcribe_config may be sent only once'))
    if (secondConfig === 'close') this.#close(1000)
  }

  /** What is pending gets its final, then come usage and close 1000. */
  #finish(): void {
    if (this.#state !== 'streaming') return
    this.#state = 'finishing'
    this.#cancelInactivity?.()
    this.#schedule.reach('closeStream')
    const { end = {}, close } = this.#options.faults
    const endedByClient = this.#endTurnLast && this.#request && !endpointerOptions(this.#request).manual
    const hallucination = endedByClient ? end.hallucinatedFinal : undefined
    const transcribedAudioMs = Math.round(this.#record.audioMs)
    const modelId = this.#request?.modelId ?? ''
    this.#queue.push(async () => {
      if (end.finalDelayMs !== undefined) await this.#timers.delay(end.finalDelayMs)
      this.#outbox.closeStream()
      if (!this.#deaf && this.#input) {
        await this.#transcriber?.push(await this.#input.end())
        await this.#transcriber?.finish()
      }
      if (hallucination !== undefined) await this.#hallucinate(hallucination)
      await this.#outbox.send({ usage: { transcribedAudioMs, modelId } })
      if (!end.neverClose) this.#close(close?.afterFinals ? close.code : 1000)
    })
  }

  /** Seen where `endTurn` comes right before `closeStream` although turns end by themselves (protocol B8). */
  async #hallucinate(transcript: string): Promise<void> {
    await this.#outbox.send({
      transcription: { transcript, isFinal: true, wordTimestamps: [], voiceProfile: null },
    })
  }

  /** A client's ping waits unread behind its audio: while the socket rests, our own tell it that we live. */
  #beat(): void {
    this.#cancelBeat = this.#timers.start(() => {
      this.#socket.ping()
      this.#beat()
    }, BEAT_MS)
  }

  #stopReading(): void {
    this.#readingStopped = true
    this.#socket.pause()
  }

  /** Sends an error once everything before it has been answered; nothing after it is. */
  #fail(status: Status, fault?: ErrorFault): void {
    if (this.#state === 'ended') return
    this.#state = 'finishing'
    this.#queue.push(() => this.#failNow(status, fault))
  }

  #failNow(status: Status, fault?: ErrorFault): void {
    if (this.#state === 'ended') return
    this.#end()
    this.#record.error = { code: status.code, message: status.message }
    void this.#outbox.sendError(status, fault)
  }

  #close(code: number): void {
    if (this.#state === 'ended') return
    this.#end()
    this.#outbox.close(code)
  }

  /** Nothing more is done or said; the socket may still be closing. */
  #end(): void {
    this.#state = 'ended'
    this.#queue.stop()
    this.#timers.cancelAll()
    this.#input?.close()
    // Others may be waiting for the decoder; a client that never answers the close must not keep it.
    void this.#session?.close().catch(() => {})
  }

  #restartInactivity(): void {
    this.#cancelInactivity?.()
    const seconds = this.#request?.inactivityTimeoutSeconds ?? 0
    if (seconds === 0) return
    this.#cancelInactivity = this.#timers.start(() => {
      // The client is not silent while it is us who do not read.
      if (this.#socket.isPaused) this.#restartInactivity()
      else this.#finish()
    }, seconds * 1000)
  }

  async #release(): Promise<void> {
    this.#end()
    await this.#session?.close()
  }
}

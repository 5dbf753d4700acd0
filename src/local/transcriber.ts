import { Endpointer, endpointerOptions, type EndpointerEvent } from './endpointer.js'
import type { RecognizedUtterance, RecognizerSession, VoiceActivity, VoiceProfile } from './recognizer.js'
import { invalidArgument, type ServerMessage, type TranscriptionMessage } from './server-message.js'
import { StatusError } from './status-error.js'
import type { TranscribeRequest } from './transcribe-request.js'

/**
 * Audio in, messages of the service out: voice activity and endpointer cut the audio into utterances, the
 * recogniser gives each its text. All positions are samples since the connection's first one:
 *
 *     kept from ── utterance start ── fed ── heard ── received
 *
 * `heard` is what voice activity has judged, in whole hops; `fed` is what the recogniser has got. In manual mode
 * nobody judges: an utterance is what lies between two `endTurn`s.
 *
 * Calls must not overlap: the caller waits for one before the next.
 */
export class Transcriber {
  readonly #session: RecognizerSession
  readonly #emit: (message: ServerMessage) => Promise<void>
  readonly #request: TranscribeRequest
  readonly #voiceActivity: VoiceActivity
  readonly #endpointer: Endpointer
  readonly #manual: boolean
  readonly #longTurn: 'split' | 'error'
  #audio = new Int16Array(0)
  #keptFrom = 0
  #heard = 0
  #fed = 0
  #utteranceStart: number | undefined
  #interim = ''

  constructor({ session, voiceActivity, request, emit, longTurn = 'split' }: TranscriberOptions) {
    this.#session = session
    this.#voiceActivity = voiceActivity
    this.#request = request
    this.#emit = emit
    this.#longTurn = longTurn
    const { manual, ...detection } = endpointerOptions(request)
    this.#manual = manual
    this.#endpointer = new Endpointer(detection)
  }

  async push(pcm: Int16Array): Promise<void> {
    this.#keep(pcm)
    if (this.#manual) {
      await this.#feedManual()
    } else {
      for (const probability of this.#voiceActivity.process(pcm)) {
        this.#heard += HOP_SAMPLES
        await this.#onEvents(this.#endpointer.push(probability))
      }
      if (this.#utteranceStart !== undefined) await this.#feed(this.#heard)
    }
    this.#forget()
  }

  /** Ends the turn where the client says so; with none open it yields one empty final, as the service does. */
  async endTurn(): Promise<void> {
    if (this.#utteranceStart === undefined) await this.#emitFinal({ text: '', words: [] }, this.#fed)
    else await this.finish()
  }

  /** Ends the audio: what is pending gets its final. */
  async finish(): Promise<void> {
    if (this.#utteranceStart !== undefined) await this.#feed(this.#received)
    if (!this.#manual) await this.#onEvents(this.#endpointer.finish())
    if (this.#utteranceStart !== undefined) await this.#endUtterance()
  }

  get #received(): number {
    return this.#keptFrom + this.#audio.length
  }

  async #onEvents(events: readonly EndpointerEvent[]): Promise<void> {
    for (const event of events) await this.#onEvent(event)
  }

  async #onEvent(event: EndpointerEvent): Promise<void> {
    switch (event.type) {
      case 'speechStarted':
        if (this.#utteranceStart === undefined) this.#beginUtterance(event.turnStartMs * SAMPLES_PER_MS)
        await this.#emit({ speechStarted: { startTimeMs: event.startMs, confidence: event.confidence } })
        return
      case 'speechStopped':
        // What was said before the silence is told before the silence is.
        if (this.#utteranceStart !== undefined) await this.#feed(this.#heard)
        await this.#emit({ speechStopped: { silenceDurationMs: event.silenceDurationMs } })
        return
      case 'endOfTurn':
        if (this.#utteranceStart === undefined) return
        await this.#feed(this.#heard)
        await this.#endUtterance()
    }
  }

  async #feedManual(): Promise<void> {
    this.#heard = this.#received
    if (this.#fed === this.#received) return
    if (this.#utteranceStart === undefined) this.#beginUtterance(this.#fed)
    await this.#feed(this.#received)
  }

  /** Hands the recogniser the audio up to `end`, and starts the next utterance where one gets too long. */
  async #feed(end: number): Promise<void> {
    const maxSamples = this.#manual ? MAX_MANUAL_TURN_SAMPLES : MAX_AUTOMATIC_TURN_SAMPLES
    while (this.#fed < end) {
      const limit = (this.#utteranceStart ?? this.#fed) + maxSamples
      const stop = Math.min(end, limit)
      const text = await this.#session.push(this.#samples(this.#fed, stop))
      this.#fed = stop
      await this.#emitInterim(text)
      if (stop < limit) continue
      if (this.#manual && this.#longTurn === 'error') {
        throw new StatusError(invalidArgument('the turn exceeds the maximum length of 30 s'))
      }
      await this.#endUtterance()
      this.#beginUtterance(stop)
    }
  }

  /** Never reaches back into audio that an earlier utterance has had, nor beyond what is kept. */
  #beginUtterance(wanted: number): void {
    const start = Math.max(wanted, this.#fed, this.#keptFrom)
    this.#utteranceStart = start
    this.#fed = start
    this.#interim = ''
    this.#session.start(start / SAMPLES_PER_MS)
  }

  async #endUtterance(): Promise<void> {
    const start = this.#utteranceStart ?? this.#fed
    this.#utteranceStart = undefined
    await this.#emitFinal(await this.#session.finish(), start)
  }

  async #emitInterim(text: string): Promise<void> {
    if (text === '' || text === this.#interim) return
    this.#interim = text
    await this.#emit(this.#transcription(text, false, []))
  }

  async #emitFinal(utterance: RecognizedUtterance, start: number): Promise<void> {
    const startMs = start / SAMPLES_PER_MS
    const wordTimestamps = utterance.words.map(({ word, confidence, startMs: from, endMs: to }) => ({
      word,
      confidence,
      startTimeMs: Math.round(startMs + from),
      endTimeMs: Math.round(startMs + to),
    }))
    const wanted = this.#request.includeWordTimestamps
    await this.#emit(this.#transcription(utterance.text, true, wanted ? wordTimestamps : [], utterance))
  }

  #transcription(
    transcript: string,
    isFinal: boolean,
    wordTimestamps: TranscriptionMessage['transcription']['wordTimestamps'],
    { voiceProfile, language }: Partial<RecognizedUtterance> = {},
  ): TranscriptionMessage {
    const transcription = { transcript, isFinal, wordTimestamps, ...(language && { language }) }
    const { enableVoiceProfile, topN } = this.#request.voiceProfileConfig ?? {}
    if (enableVoiceProfile === false) return { transcription }
    const profile = enableVoiceProfile && voiceProfile ? likeliest(voiceProfile, topN) : null
    return { transcription: { ...transcription, voiceProfile: profile } }
  }

  #keep(pcm: Int16Array): void {
    const joined = new Int16Array(this.#audio.length + pcm.length)
    joined.set(this.#audio)
    joined.set(pcm, this.#audio.length)
    this.#audio = joined
  }

  #samples(from: number, to: number): Int16Array {
    // A copy: a recogniser may hold on to it while `#audio` moves on.
    return this.#audio.slice(from - this.#keptFrom, to - this.#keptFrom)
  }

  #forget(): void {
    const needed = this.#utteranceStart === undefined ? this.#heard - KEPT_SAMPLES : this.#fed
    const keepFrom = Math.max(this.#keptFrom, Math.min(needed, this.#heard))
    this.#audio = this.#audio.slice(keepFrom - this.#keptFrom)
    this.#keptFrom = keepFrom
  }
}

export interface TranscriberOptions {
  session: RecognizerSession
  voiceActivity: VoiceActivity
  request: TranscribeRequest
  /** Called for one message at a time; audio waits until it resolves. */
  emit: (message: ServerMessage) => Promise<void>
  /** What happens to a manual turn at 30 s. Default 'split'. */
  longTurn?: 'split' | 'error'
}

function likeliest(profile: VoiceProfile, topN = DEFAULT_TOP_N): VoiceProfile {
  return Object.fromEntries(Object.entries(profile).map(([name, labels]) => [name, labels.slice(0, topN)]))
}

/** The service's default (protocol A3.3). */
const DEFAULT_TOP_N = 10

const SAMPLES_PER_MS = 16
const HOP_SAMPLES = 160

/** More than the endpointer ever reaches back: its pre-roll and the window that decides on a start. */
const KEPT_SAMPLES = 1000 * SAMPLES_PER_MS

const MAX_MANUAL_TURN_SAMPLES = 30_000 * SAMPLES_PER_MS

/** The service states none; without any, a speaker who never pauses would fill the decoder's memory. */
const MAX_AUTOMATIC_TURN_SAMPLES = 120_000 * SAMPLES_PER_MS

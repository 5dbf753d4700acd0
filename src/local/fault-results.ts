import type { ResultFaults, UsageFault } from './faults.js'
import { isJsonObject, snakeCaseKey, type JsonObject } from './json-object.js'
import type { ServerMessage, TranscriptionMessage, WireWord } from './server-message.js'

/**
 * Turns each message of the service into the JSON objects that go over the wire. Without faults that is the
 * message in its `result`, and nothing else. With faults it works in two steps: first which messages there are
 * and in which order, then how each is spelled.
 */
export class ResultSpelling {
  readonly #faults: ResultFaults
  readonly #usage: UsageFault
  /** Between the first transcription of a turn and its final. */
  #turnOpen = false
  /** Between speechStarted and the final that follows it. */
  #speaking = false
  #held: ServerMessage[] = []

  constructor(faults: ResultFaults = {}, usage: UsageFault = 'number') {
    this.#faults = faults
    this.#usage = usage
  }

  spell(message: ServerMessage): unknown[] {
    return this.#arrange(message).flatMap(arranged => {
      const spelled =
        'usage' in arranged ? this.#spellUsage(arranged) : [this.#wrap(this.#spellFields(arranged))]
      return this.#faults.unknownKinds ? [this.#wrap({ aurora: { hue: 'green' } }), ...spelled] : spelled
    })
  }

  /** Decides what is sent now: dropped, held back, repeated or joined. */
  #arrange(message: ServerMessage): JsonObject[] {
    const { noSpeechEvents, severalKinds, lateSpeechStopped } = this.#faults
    if ('speechStarted' in message || 'speechStopped' in message) {
      if ('speechStarted' in message) this.#speaking = true
      if (noSpeechEvents) return []
      if (severalKinds || (lateSpeechStopped && 'speechStopped' in message && this.#speaking)) {
        this.#held.push(message)
        return []
      }
      return [{ ...message }]
    }
    const messages: JsonObject[] =
      'transcription' in message ? this.#arrangeTranscription(message) : [{ ...message }]
    const isBoundary = 'usage' in message || message.transcription.isFinal
    if (isBoundary) this.#speaking = false
    if (severalKinds) {
      const joined = Object.assign({}, ...this.#takeHeld()) as JsonObject
      return messages.map((each, index) => (index === 0 ? { ...joined, ...each } : each))
    }
    if (!isBoundary) return messages
    const held = this.#takeHeld().map(each => ({ ...each }))
    return 'usage' in message ? [...held, ...messages] : [...messages, ...held]
  }

  #arrangeTranscription(message: TranscriptionMessage): JsonObject[] {
    const { emptyFinalFirst, rewriteFinal, repeatInterims, shrinkInterims, repeatFinals } = this.#faults
    const { transcription } = message
    const opensTurn = !this.#turnOpen && transcription.transcript !== ''
    this.#turnOpen = !transcription.isFinal
    const sent: TranscriptionMessage[] = []
    if (emptyFinalFirst && opensTurn) {
      sent.push({ transcription: { ...transcription, transcript: '', isFinal: true, wordTimestamps: [] } })
    }
    if (transcription.isFinal) {
      const final = {
        transcription: { ...transcription, transcript: rewrite(transcription.transcript, rewriteFinal) },
      }
      sent.push(final)
      if (repeatFinals) sent.push(final)
    } else {
      sent.push(message)
      if (repeatInterims) sent.push(message)
      const shorter = transcription.transcript.replace(/\s*\S+\s*$/, '')
      if (shrinkInterims && shorter !== '')
        sent.push({ transcription: { ...transcription, transcript: shorter } })
    }
    return sent.map(each => ({ ...each }))
  }

  #takeHeld(): ServerMessage[] {
    const held = this.#held
    this.#held = []
    return held
  }

  #spellUsage(message: JsonObject): unknown[] {
    const { usage, ...others } = message as { usage: { transcribedAudioMs: number; modelId: string } }
    const totalMs = usage.transcribedAudioMs
    const wrapped = (transcribedAudioMs: number | string, more: JsonObject = {}) =>
      this.#wrap(this.#spellFields({ ...more, usage: { ...usage, transcribedAudioMs } }))
    switch (this.#usage) {
      case 'number':
        return [wrapped(totalMs, others)]
      case 'string':
        return [wrapped(String(totalMs), others)]
      case 'twice':
        return [wrapped(Math.floor(totalMs / 2), others), wrapped(Math.ceil(totalMs / 2))]
      case 'missing':
        return Object.keys(others).length > 0 ? [this.#wrap(this.#spellFields(others))] : []
      case 'topLevel':
        return [this.#spellFields({ ...others, usage })]
      case 'durationSeconds':
        return [this.#spellFields({ ...others, usage: { durationSeconds: totalMs / 1000 } })]
    }
  }

  #spellFields(message: JsonObject): JsonObject {
    const { unknownFields, omitZeros, snakeCase } = this.#faults
    let spelled = this.#placeProfile(this.#spellWords(message))
    if (unknownFields) {
      spelled = {
        ...mapValues(spelled, payload => ({ ...(payload as JsonObject), novelty: { level: 1 } })),
        traceparent: 'x',
      }
    }
    if (omitZeros) spelled = mapValues(spelled, withoutZeros)
    return snakeCase ? (withSnakeCaseKeys(spelled) as JsonObject) : spelled
  }

  #spellWords(message: JsonObject): JsonObject {
    const { wordTimes = 'startTimeMs', speaker } = this.#faults
    const { transcription } = message as Partial<TranscriptionMessage>
    if (transcription === undefined || (wordTimes === 'startTimeMs' && speaker === undefined)) return message
    const wordTimestamps = transcription.wordTimestamps.map(word => ({
      ...spellWord(word, wordTimes),
      ...(speaker === undefined ? {} : { speaker }),
    }))
    return { ...message, transcription: { ...transcription, wordTimestamps } }
  }

  #placeProfile(message: JsonObject): JsonObject {
    const { voiceProfile: place = 'nested' } = this.#faults
    const { transcription, ...others } = message as Partial<TranscriptionMessage>
    if (transcription === undefined || place === 'nested') return message
    const { voiceProfile, ...rest } = transcription
    switch (place) {
      case 'beside':
        return { ...others, transcription: rest, voiceProfile }
      case 'null':
        return { ...others, transcription: { ...rest, voiceProfile: null } }
      case 'absent':
        return { ...others, transcription: rest }
      case 'extraClasses':
        return voiceProfile
          ? { ...others, transcription: { ...rest, voiceProfile: { ...voiceProfile, ...EXTRA_CLASSES } } }
          : message
    }
  }

  #wrap(payload: JsonObject): JsonObject {
    return this.#faults.bare ? payload : { result: payload }
  }
}

/** Classes that no document names, one of them in another shape. */
const EXTRA_CLASSES = { gender: [{ label: 'unclear', confidence: 0.5 }], aura: 'green' }

function rewrite(transcript: string, by: ResultFaults['rewriteFinal']): string {
  if (by === undefined || transcript === '') return transcript
  return typeof by === 'function' ? by(transcript) : by
}

function spellWord(word: WireWord, spelling: NonNullable<ResultFaults['wordTimes']>): JsonObject {
  const { startTimeMs, endTimeMs, ...rest } = word
  switch (spelling) {
    case 'startTimeMs':
      return { ...word }
    case 'startTime':
      return { ...rest, startTime: startTimeMs / 1000, endTime: endTimeMs / 1000 }
    case 'startTimeSeconds':
      return { ...rest, startTimeSeconds: startTimeMs / 1000, endTimeSeconds: endTimeMs / 1000 }
  }
}

function mapValues(object: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros)
  if (!isJsonObject(value)) return value
  const kept = Object.entries(value).filter(([, field]) => !isZero(field))
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutZeros(field)]))
}

function isZero(value: unknown): boolean {
  return (
    value === null ||
    value === 0 ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  )
}

function withSnakeCaseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSnakeCaseKeys)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [snakeCaseKey(key), withSnakeCaseKeys(field)]),
  )
}

import type { ServerMessage } from './server-message.js'

/** How the end of a stream goes wrong. Numbers are the fault catalogue's. */
export interface EndFault {
  /** 36: where `endTurn` stands right before `closeStream` in automatic mode, a second final follows that says this. */
  hallucinatedFinal?: string
  /** 43: never closes (45: together with `usage: 'missing'`). 44 is `usage: 'missing'` alone. */
  neverClose?: boolean
  /** 46: the last finals come this long after closeStream, in ms. */
  finalDelayMs?: number
  /** 47: what would be the last finals are sent as interims. */
  interimOnly?: boolean
  /** 48: what is pending comes as several finals, one for each word. */
  splitFinals?: boolean
}

/** What is said in place of a message after `closeStream`. */
export function lastMessages(
  message: ServerMessage,
  { interimOnly, splitFinals }: EndFault,
): ServerMessage[] {
  if (!('transcription' in message) || !message.transcription.isFinal) return [message]
  const { transcription } = message
  const { transcript, wordTimestamps } = transcription
  if (interimOnly) return [{ transcription: { ...transcription, isFinal: false, wordTimestamps: [] } }]
  const words = transcript.split(/\s+/)
  if (!splitFinals || words.length < 2) return [message]
  return words.map((word, index) => ({
    transcription: {
      ...transcription,
      transcript: word,
      // A rewritten final may have more words, or fewer, than there are times.
      wordTimestamps: wordTimestamps.slice(index, index === words.length - 1 ? undefined : index + 1),
    },
  }))
}

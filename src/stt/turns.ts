import type { TranscriptionEvent } from './events.js'
import type { TranscriptionMessage } from './protocol.js'

/**
 * Interims and finals → turns: `turnId` holds from the first interim to the final, each turn has exactly one
 * final, an interim that is left over becomes a promoted one. Pure; `seq` is given where results are delivered.
 */
export type UnnumberedTranscription = Omit<TranscriptionEvent, 'seq'>

export class Turns {
  readonly #nextTurnId: () => number
  /** Of the open turn. */
  #turnId: number | undefined
  #interim: UnnumberedTranscription | undefined

  /** @param nextTurnId gives a turn its number when it opens; default: counts from 1 */
  constructor(nextTurnId: () => number = counter()) {
    this.#nextTurnId = nextTurnId
  }

  /** The open turn's newest interim. */
  get interim(): UnnumberedTranscription | undefined {
    return this.#interim
  }

  /**
   * Places one transcription, its times on the source's clock. Undefined for an empty result: the service sends
   * empty finals at false starts; they are no turn. An empty final after interims still ends its turn, with the
   * last interim's text withdrawn.
   */
  accept(message: TranscriptionMessage, overlapMs?: number): UnnumberedTranscription | undefined {
    const { transcript, isFinal, words: wordTimestamps } = message
    if (transcript === '' && !this.#interim) return undefined
    const first = wordTimestamps[0]
    const last = wordTimestamps.at(-1)
    const event: UnnumberedTranscription = {
      type: 'transcription',
      transcript,
      isFinal,
      turnId: (this.#turnId ??= this.#nextTurnId()),
      ...(first && last && { startMs: first.startMs, endMs: last.endMs }),
      wordTimestamps,
      ...(message.voiceProfile && { voiceProfile: message.voiceProfile }),
      ...(message.language !== undefined && { language: message.language }),
      ...(overlapMs !== undefined && { overlapMs }),
    }
    if (isFinal) this.#close()
    else this.#interim = event
    return event
  }

  /** Ends the open turn with its last interim, flagged, when the service will say no more. */
  promote(): UnnumberedTranscription | undefined {
    const interim = this.#interim
    if (!interim) return undefined
    this.#close()
    return { ...interim, isFinal: true, promoted: true }
  }

  #close(): void {
    this.#turnId = undefined
    this.#interim = undefined
  }
}

function counter(): () => number {
  let count = 0
  return () => ++count
}

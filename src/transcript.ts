import type { TranscriptionEvent } from './stt/events.js'

/** What was said in one whole source. */
export interface Transcript {
  /** The texts of all turns, joined by a space. */
  text: string
  /** The finals that have text, in order: what `cuesOf()` makes captions of. */
  turns: TranscriptionEvent[]
  /** Length of the source's audio, in ms; absent where the service alone read it and did not say. */
  durationMs?: number
  /** Audio that was sent and may not have been heard before a connection broke, in ms: above 0 there may be a hole. */
  lostMs: number
  /** What the service counts; absent where it told nothing. */
  usage?: { transcribedAudioMs: number; modelId?: string }
  /** Of the first turn that names one, as the service spells it; each turn has its own. */
  language?: string
  /** What was odd but not fatal: the stream's `warning` events. */
  warnings: { code: string; message: string }[]
}

/** @param rest what is known beside the finals; its `text`, where it has one, stands before their joined texts */
export function transcriptOf(
  finals: readonly TranscriptionEvent[],
  rest: Partial<Omit<Transcript, 'turns'>>,
): Transcript {
  const turns = finals.filter(({ transcript }) => transcript !== '')
  const language = turns.find(turn => turn.language !== undefined)?.language
  return {
    text: turns.map(({ transcript }) => transcript).join(' '),
    turns,
    ...(language !== undefined && { language }),
    lostMs: 0,
    warnings: [],
    ...rest,
  }
}

/**
 * Lets the caller of what failed half-way get at what had been transcribed: `error.transcript`, not enumerable, so
 * that a logged error does not show what was said. An error that is frozen stays as it is.
 */
export function attachTranscript(error: unknown, transcript: Transcript): void {
  if (error instanceof Error)
    Reflect.defineProperty(error, 'transcript', { value: transcript, configurable: true })
}

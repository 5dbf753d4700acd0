import type { TranscriptionEvent, UsageEvent } from '../stt/events.js'
import type { TranscriptionMessage } from '../stt/protocol.js'
import { transcriptOf, type Transcript } from '../transcript.js'

/** What the service made of a whole file. */
export interface FileResult {
  /** The service's own joining of all segments, where it gave one: not every script puts spaces between words. */
  text?: string
  segments: (TranscriptionMessage & { startMs?: number; endMs?: number })[]
  language?: string
  usage?: Omit<UsageEvent, 'type'>
}

/** Segments become turns, as if they had come from a stream. */
export function transcriptOfFile({ text, segments, language, usage }: FileResult): Transcript {
  const spoken = segments.filter(({ transcript }) => transcript !== '')
  const turns = spoken.map((segment, index): TranscriptionEvent => {
    const { transcript, words, voiceProfile } = segment
    const startMs = segment.startMs ?? words[0]?.startMs
    const endMs = segment.endMs ?? words.at(-1)?.endMs
    return {
      type: 'transcription',
      transcript,
      isFinal: true,
      turnId: index + 1,
      seq: index + 1,
      ...(startMs !== undefined && { startMs }),
      ...(endMs !== undefined && { endMs }),
      wordTimestamps: words,
      ...(voiceProfile && { voiceProfile }),
      ...(segment.language !== undefined && { language: segment.language }),
    }
  })
  const durationMs = usage?.transcribedAudioMs
  return transcriptOf(turns, {
    ...(text && { text }),
    ...(durationMs !== undefined && { durationMs }),
    ...(usage && {
      usage: {
        transcribedAudioMs: usage.transcribedAudioMs,
        ...(usage.modelId && { modelId: usage.modelId }),
      },
    }),
    ...(language !== undefined && { language }),
  })
}

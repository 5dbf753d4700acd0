import { durationMs } from '../audio/pcm-format.js'
import type { Faults } from './faults.js'
import { chunkFormat, type TranscribeRequest } from './transcribe-request.js'

/** How long a client's chunk plays, in ms. */
export function chunkDurationMs(request: TranscribeRequest, audio: Buffer): number {
  return durationMs(chunkFormat(request), audio.length)
}

/** The service refuses chunks that are too short or too long (protocol B3). */
export function acceptsDuration({ modelId }: TranscribeRequest, chunkMs: number, { chunkMs: limit }: Faults) {
  // 50 ms is AssemblyAI's own lower bound behind the service.
  const { min, max } = limit ?? { min: modelId.startsWith('assemblyai/') ? 50 : 20, max: 1000 }
  return chunkMs >= min && chunkMs <= max
}

export function isRiffHeader(audio: Buffer): boolean {
  return audio.toString('latin1', 0, 4) === 'RIFF' && audio.toString('latin1', 8, 12) === 'WAVE'
}

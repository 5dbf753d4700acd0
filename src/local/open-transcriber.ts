import { VoiceActivityDetector } from '../audio/portable/voice-activity.js'
import type { Recognizer, RecognizerSession } from './recognizer.js'
import { biasingTerms, type TranscribeRequest } from './transcribe-request.js'
import { Transcriber, type TranscriberOptions } from './transcriber.js'

/** Takes a decoder for one stream or one file and puts voice activity and endpointing in front of it. */
export async function openTranscriber(
  recognizer: Recognizer,
  request: TranscribeRequest,
  emit: TranscriberOptions['emit'],
  longTurn?: TranscriberOptions['longTurn'],
): Promise<{ session: RecognizerSession; transcriber: Transcriber }> {
  const { language, modelId } = request
  const session = await recognizer.open({ language, modelId, prompts: biasingTerms(request) })
  const voiceActivity = session.voiceActivity?.() ?? new VoiceActivityDetector()
  return { session, transcriber: new Transcriber({ session, voiceActivity, request, emit, longTurn }) }
}

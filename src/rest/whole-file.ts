import { SttError } from '../errors.js'
import { parseServerMessage, type TranscriptionMessage } from '../stt/protocol.js'
import type { RestClient } from './client.js'
import type { FileResult } from './file-result.js'

const PATH = '/stt/v1/transcribe'
/** Word times of eighteen minutes take about 0.5 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** `POST /stt/v1/transcribe` (protocol B6): the audio in base64, the answer on the same connection. */
export async function transcribeDirectly(
  client: RestClient,
  transcribeConfig: object,
  audio: Blob,
  signal: AbortSignal | undefined,
): Promise<FileResult> {
  const content = Buffer.from(await audio.arrayBuffer()).toString('base64')
  const body = new Blob([JSON.stringify({ transcribeConfig, audioData: { content } })], {
    type: 'application/json',
  })
  const answer = await client.call({ to: PATH, body, maxAnswerBytes: MAX_ANSWER_BYTES, signal })
  return readAnswer(answer)
}

function readAnswer(text: string): FileResult {
  const messages = parseServerMessage(text)
  const failure = messages.find(({ kind }) => kind === 'error')
  if (failure?.kind === 'error') throw failure.error
  const segments = messages.filter(({ kind }) => kind === 'transcription') as TranscriptionMessage[]
  if (segments.length === 0)
    throw new SttError('STT_ERR_PROTOCOL', "Expected 'transcription' in the service's answer; it has none")
  const usage = messages.find(message => message.kind === 'usage')
  return { segments, ...(usage?.kind === 'usage' && { usage }) }
}

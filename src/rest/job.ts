import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SttError } from '../errors.js'
import { fieldsOf, fieldsOfEach, milliseconds, number, string, type Fields } from '../stt/json-fields.js'
import { parseAnswer, readTranscription, readUsage } from '../stt/protocol.js'
import { grpcError } from '../stt/service-errors.js'
import type { RestClient } from './client.js'
import { withDeadline } from './deadline.js'
import type { FileResult } from './file-result.js'

/**
 * The service's asynchronous jobs (protocol B6): the audio is handed over, the operation that comes back is polled
 * until it is done, and names a file with the transcript.
 */

const SUBMIT_PATH = '/stt/v1/transcribe:async'
const POLL_PATH = '/lro/v1alpha/'
/** The wait between polls grows by half each time, up to ten times the first. */
const POLL_GROWTH = 1.5
const MAX_POLL_GROWTH = 10
const MAX_OPERATION_BYTES = 1024 * 1024
/** Word times of twenty hours of speech. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024

export interface JobOptions {
  /** The wait before the first poll, in ms. */
  pollIntervalMs: number
  /** From the first byte of the upload to the transcript, in ms. */
  jobTimeoutMs: number
  signal: AbortSignal | undefined
}

/** @param audio the file, or the https address where the service fetches it itself */
export function transcribeAsJob(
  client: RestClient,
  transcribeConfig: object,
  audio: Blob | URL,
  { pollIntervalMs, jobTimeoutMs, signal: caller }: JobOptions,
): Promise<FileResult> {
  let name = ''
  const timeoutError = () => {
    const what = name === '' ? 'The job could not be handed over' : `The job ${name} was not done`
    return new SttError('STT_ERR_JOB_TIMEOUT', `${what} within ${jobTimeoutMs} ms (jobTimeoutMs)`)
  }
  return withDeadline(jobTimeoutMs, timeoutError, caller, async signal => {
    // However long the upload takes, and the service's own download: the job's deadline is theirs.
    const handOver = {
      to: SUBMIT_PATH,
      body: submission(transcribeConfig, audio),
      maxAnswerBytes: MAX_OPERATION_BYTES,
      timeoutMs: jobTimeoutMs,
      signal,
    }
    let operation = parseAnswer(await client.call(handOver))
    name = operationName(operation)
    for (let waitMs = pollIntervalMs; operation.done !== true; waitMs *= POLL_GROWTH) {
      await delay(Math.min(waitMs, pollIntervalMs * MAX_POLL_GROWTH), undefined, { signal })
      operation = parseAnswer(
        await client.call({ to: POLL_PATH + name, maxAnswerBytes: MAX_OPERATION_BYTES, signal }),
      )
    }
    const to = resultUrl(operation)
    return readResult(await client.call({ to, maxAnswerBytes: MAX_RESULT_BYTES, signal }))
  })
}

/**
 * A form, written as one Blob: the bytes of a file stay on disk until they are sent, and again for a second attempt.
 * FormData would name the config's part a file.
 */
function submission(transcribeConfig: object, audio: Blob | URL): Blob {
  if (audio instanceof URL) {
    return new Blob([JSON.stringify({ transcribeConfig, audioUri: audio.href })], {
      type: 'application/json',
    })
  }
  // In lower case, as the type of a Blob is.
  const boundary = `sttstream-${randomBytes(16).toString('hex')}`
  const part = (name: string, type: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name=${name}\r\nContent-Type: ${type}\r\n\r\n`
  const parts = [
    // The service reads the form as it comes: the config must stand before the audio.
    part('"transcribeConfig"', 'application/json'),
    JSON.stringify(transcribeConfig),
    `\r\n${part('"file"; filename="audio"', 'application/octet-stream')}`,
    audio,
    `\r\n--${boundary}--\r\n`,
  ]
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` })
}

/** Slashes in it are those of the path. */
function operationName(operation: Fields): string {
  const name = string(operation.name) ?? ''
  if (!/^[\w-][\w.~-]*(\/[\w-][\w.~-]*)*$/.test(name))
    throw new SttError('STT_ERR_PROTOCOL', "Expected the 'name' of an operation from the service; got none")
  return name
}

function resultUrl(operation: Fields): URL {
  const error = fieldsOf(operation.error)
  if (error) throw grpcError(number(error.code), string(error.message) ?? 'the job failed')
  const uri = string(fieldsOf(operation.response)?.resultUri)
  if (uri === undefined || !URL.canParse(uri) || !/^https?:$/.test(new URL(uri).protocol))
    throw new SttError('STT_ERR_PROTOCOL', "Expected an http 'resultUri' of the job that is done; got none")
  return new URL(uri)
}

function readResult(text: string): FileResult {
  const document = parseAnswer(text)
  const listed = fieldsOfEach(document.segments)
  const segments = (listed.length > 0 ? listed : [document]).map(fields => {
    const endMs = milliseconds(fields, 'endTime')
    return {
      ...readTranscription([fields]),
      // A zero start is left out, as protobuf JSON does with zeros.
      ...(endMs !== undefined && { startMs: milliseconds(fields, 'startTime') ?? 0, endMs }),
    }
  })
  const language = string(document.language)
  const usages = fieldsOfEach(document.usage)
  return {
    text: string(document.transcript),
    segments,
    ...(language && { language }),
    ...(usages.length > 0 && { usage: readUsage(usages) }),
  }
}

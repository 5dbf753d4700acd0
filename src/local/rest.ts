import type { IncomingMessage } from 'node:http'
import { failureStatus, transcribeAudio, type FileTranscription } from './file-transcription.js'
import { readFileRequest } from './file-request.js'
import { readUpload, type FileUpload } from './file-upload.js'
import { statusReply, type HttpReply } from './http-reply.js'
import { JobStore } from './job-store.js'
import type { Recognizer } from './recognizer.js'
import { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE } from './server-message.js'
import type { ServerLimits } from './server-options.js'
import { StatusError } from './status-error.js'
import type { TranscribeRequest } from './transcribe-request.js'

const DIRECT_PATH = '/stt/v1/transcribe'
const JOB_PATH = '/stt/v1/transcribe:async'
const OPERATION_PATH = '/lro/v1alpha/'
const RESULT_PATH = '/stt/v1/transcribe:result/'

/** One address of the REST calls. */
export interface RestRoute {
  method: 'GET' | 'POST'
  /** Asks for no credentials: who knows the address has been given it. */
  open?: true
  answer: (request: IncomingMessage, signal: AbortSignal) => HttpReply | Promise<HttpReply>
}

export interface RestOptions {
  recognizer: Recognizer
  limits: ServerLimits
}

/** The REST calls (protocol B6): a whole file in, its whole transcript out, at once or as a job. */
export class RestApi {
  readonly #recognizer: Recognizer
  readonly #limits: ServerLimits
  readonly #jobs: JobStore

  constructor({ recognizer, limits }: RestOptions) {
    this.#recognizer = recognizer
    this.#limits = limits
    this.#jobs = new JobStore({ ...limits, toStatus: failureStatus })
  }

  /** What answers at this path; undefined where nothing does. */
  route(path: string): RestRoute | undefined {
    if (path === DIRECT_PATH) return { method: 'POST', answer: (...call) => this.#transcribe(...call) }
    if (path === JOB_PATH) return { method: 'POST', answer: request => this.#submit(request) }
    if (path.startsWith(OPERATION_PATH)) {
      const name = path.slice(OPERATION_PATH.length)
      return { method: 'GET', answer: request => this.#operation(name, request) }
    }
    if (path.startsWith(RESULT_PATH)) {
      const key = path.slice(RESULT_PATH.length)
      return { method: 'GET', open: true, answer: () => this.#result(key) }
    }
    return undefined
  }

  /** Ends all jobs. */
  close(): Promise<void> {
    return this.#jobs.close()
  }

  async #transcribe(request: IncomingMessage, signal: AbortSignal): Promise<HttpReply> {
    try {
      const { audio, config } = await readFileRequest(request, this.#limits.maxBodyBytes)
      const { finals, audioMs } = await transcribeAudio(audio, config, this.#recognizer, signal)
      const transcription = {
        transcript: textOf(finals),
        isFinal: true,
        wordTimestamps: finals.flatMap(({ wordTimestamps }) => wordTimestamps),
        voiceProfile: null,
        silenceDurationMs: 0,
      }
      const usage = { transcribedAudioMs: Math.round(audioMs), modelId: config.modelId }
      return { httpStatus: 200, body: { transcription, usage } }
    } catch (error) {
      return failureReply(error)
    }
  }

  async #submit(request: IncomingMessage): Promise<HttpReply> {
    let upload: FileUpload | undefined
    try {
      const { config, path, remove } = (upload = await readUpload(request, this.#limits))
      const { name } = this.#jobs.add(async signal => {
        try {
          signal.throwIfAborted()
          // Segments have times whether or not words are asked for.
          const timed = { ...config, includeWordTimestamps: true }
          return resultDocument(await transcribeAudio(path, timed, this.#recognizer, signal), config)
        } finally {
          await remove()
        }
      })
      return { httpStatus: 200, body: { name, done: false } }
    } catch (error) {
      await upload?.remove()
      return failureReply(error)
    }
  }

  #operation(name: string, { headers }: IncomingMessage): HttpReply {
    const job = this.#jobs.find(name)
    if (!job) return statusReply(404, { code: NOT_FOUND, message: 'Operation not found' })
    const { outcome, resultKey } = job
    if (!outcome) return { httpStatus: 200, body: { name, done: false } }
    if ('error' in outcome) return { httpStatus: 200, body: { name, done: true, error: outcome.error } }
    // The address by which this client reaches the server.
    const resultUri = `http://${headers.host ?? 'localhost'}${RESULT_PATH}${resultKey}`
    const response = { resultUri, expireTime: new Date(outcome.expiresAtMs).toISOString() }
    return { httpStatus: 200, body: { name, done: true, response } }
  }

  #result(key: string): HttpReply {
    const body = this.#jobs.document(key)
    return body ? { httpStatus: 200, body } : statusReply(404, { code: NOT_FOUND, message: 'Not Found' })
  }
}

/** As the service writes it: milliseconds are strings, zeros are left out, the language is a name. */
function resultDocument({ finals, audioMs }: FileTranscription, config: TranscribeRequest): object {
  const ms = (value: number | undefined) => (value ? String(Math.round(value)) : undefined)
  return {
    transcript: textOf(finals),
    segments: finals
      .filter(({ transcript }) => transcript !== '')
      .map(({ transcript, wordTimestamps }) => ({
        startTimeMs: ms(wordTimestamps[0]?.startTimeMs),
        endTimeMs: ms(wordTimestamps.at(-1)?.endTimeMs),
        transcript,
        wordTimestamps: wordTimestamps
          .filter(() => config.includeWordTimestamps)
          .map(({ startTimeMs, endTimeMs, ...word }) => ({
            ...word,
            startTimeMs: ms(startTimeMs),
            endTimeMs: ms(endTimeMs),
          })),
      })),
    language: 'English',
    usage: { transcribedAudioMs: ms(audioMs), modelId: config.modelId },
  }
}

function textOf(finals: FileTranscription['finals']): string {
  return finals
    .map(({ transcript }) => transcript)
    .filter(transcript => transcript !== '')
    .join(' ')
}

const HTTP_STATUS: Record<number, number> = {
  [INVALID_ARGUMENT]: 400,
  [RESOURCE_EXHAUSTED]: 429,
  [UNAVAILABLE]: 503,
}

function failureReply(error: unknown): HttpReply {
  const status = failureStatus(error)
  const httpStatus = (error instanceof StatusError && error.httpStatus) || (HTTP_STATUS[status.code] ?? 500)
  const reply = statusReply(httpStatus, status)
  // The rest of a body that is too long is not read.
  return httpStatus === 413 ? { ...reply, headers: { connection: 'close' } } : reply
}

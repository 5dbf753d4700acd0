import { SttError } from '../../errors.js'
import type { RecognizedUtterance, RecognizerSession } from '../recognizer.js'
import type { FromChild } from './pocketsphinx-messages.js'
import type { PocketsphinxProcess } from './pocketsphinx-process.js'

/** A request that the child has not answered yet. */
interface Pending {
  type: 'text' | 'utterance' | 'prepared'
  samples: number
  resolve(answer: FromChild): void
  reject(error: Error): void
}

const SAMPLES_PER_MS = 16
/** Undecoded audio that may wait in the child's queue. */
const MAX_PENDING_MS = 30_000
/** Audio of one message. */
const MAX_PART_SAMPLES = 1_000 * SAMPLES_PER_MS
/**
 * A second of audio takes 0.2 s, a late restart or the end of a long utterance a few, on a busy machine many times
 * that; longer is a hang.
 */
const ANSWER_TIMEOUT_MS = 60_000

/** One connection's use of one child. */
export class PocketsphinxSession implements RecognizerSession {
  onError: ((error: Error) => void) | undefined
  readonly #process: PocketsphinxProcess
  readonly #release: (child: PocketsphinxProcess) => void
  readonly #pending: Pending[] = []
  #pendingSamples = 0
  #inUtterance = false
  /** Why nothing works any more: closed, or the child died. */
  #ended: SttError | undefined
  #deadline: NodeJS.Timeout | undefined

  /** @param release takes the living child back when the session is closed */
  constructor(child: PocketsphinxProcess, release: (child: PocketsphinxProcess) => void) {
    this.#process = child
    this.#release = release
    child.onMessage = message => this.#onMessage(message)
    child.onDeath = reason => this.#onDeath(reason)
  }

  /** Readies the decoder for the connection's prompts. */
  async prepare(prompts: readonly string[]): Promise<void> {
    const answer = this.#request('prepared', 0)
    this.#process.send({ type: 'prepare', prompts })
    await answer
  }

  start(): void {
    if (this.#ended) throw this.#ended
    if (this.#inUtterance) throw new TypeError('start() must follow finish(); got it within an utterance')
    this.#inUtterance = true
    this.#process.send({ type: 'start' })
  }

  async push(pcm: Int16Array): Promise<string> {
    this.#checkInUtterance('push()')
    if (this.#pendingSamples + pcm.length > MAX_PENDING_MS * SAMPLES_PER_MS) {
      throw new SttError(
        'STT_ERR_QUOTA',
        `the decoder is more than ${MAX_PENDING_MS} ms of audio behind; this audio was not taken`,
        { retryable: true },
      )
    }
    // In parts, so that the deadline of an answer does not depend on the size of the caller's chunks.
    const answers: Promise<FromChild>[] = []
    for (let at = 0; at === 0 || at < pcm.length; at += MAX_PART_SAMPLES) {
      const part = pcm.subarray(at, at + MAX_PART_SAMPLES)
      answers.push(this.#request('text', part.length))
      this.#process.send({ type: 'push', pcm: part })
    }
    const last = (await Promise.all(answers)).at(-1)
    return last?.type === 'text' ? last.text : ''
  }

  async finish(): Promise<RecognizedUtterance> {
    this.#checkInUtterance('finish()')
    this.#inUtterance = false
    const answer = this.#request('utterance', 0)
    this.#process.send({ type: 'finish' })
    const message = await answer
    return message.type === 'utterance' ? message.utterance : { text: '', words: [] }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface lets others wait; here nothing does
  async close(): Promise<void> {
    if (this.#ended) return
    this.#end(new SttError('STT_ERR_CLOSED', 'the recogniser session is closed'))
    this.#release(this.#process)
  }

  #onMessage(message: FromChild): void {
    const pending = this.#pending[0]
    if (pending?.type !== message.type) return
    this.#pending.shift()
    this.#pendingSamples -= pending.samples
    if (this.#pending.length === 0) clearTimeout(this.#deadline)
    else this.#deadline?.refresh()
    pending.resolve(message)
  }

  #onDeath(reason: string): void {
    if (this.#ended) return
    const error = new SttError('STT_ERR_SERVER', `the pocketsphinx decoder failed: ${reason}`, {
      retryable: true,
    })
    this.#end(error)
    this.onError?.(error)
  }

  #checkInUtterance(call: string): void {
    if (this.#ended) throw this.#ended
    if (!this.#inUtterance) throw new TypeError(`${call} must follow start(); got it outside an utterance`)
  }

  #request(type: Pending['type'], samples: number): Promise<FromChild> {
    if (this.#pending.length === 0) {
      // Not unref'd: somebody waits for the answer, and the child itself keeps no process alive.
      this.#deadline = setTimeout(() => {
        void this.#process.kill(`no answer within ${ANSWER_TIMEOUT_MS} ms`)
      }, ANSWER_TIMEOUT_MS)
    }
    this.#pendingSamples += samples
    return new Promise((resolve, reject) => this.#pending.push({ type, samples, resolve, reject }))
  }

  #end(error: SttError): void {
    this.#ended = error
    this.#process.onMessage = undefined
    this.#process.onDeath = undefined
    clearTimeout(this.#deadline)
    for (const pending of this.#pending.splice(0)) pending.reject(error)
  }
}

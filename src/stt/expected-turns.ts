import type { EndTurnMark } from '../audio/frame.js'
import { SttError } from '../errors.js'
import type { TranscriptionEvent } from './events.js'

type Final = TranscriptionEvent | undefined

interface ExpectedTurn {
  resolve(final: Final): void
  reject(error: Error): void
  timer?: NodeJS.Timeout
  /** What may be the answer, if no better one comes. */
  perhaps?: Final
}

export interface ExpectedTurnsOptions {
  /** How long a mark that was sent may stay unanswered, in ms. */
  timeoutMs: number
  /** No answer can be seen yet: it may wait unread, or the mark is to be sent again. */
  isPostponed: (mark: EndTurnMark) => boolean
  /** What was perhaps the answer to the mark was. */
  onPerhaps: (mark: EndTurnMark) => void
  /** Nothing came: what comes later answers another mark. */
  onTimeout: (mark: EndTurnMark) => void
}

/** After what may be the answer, so long for a better one to follow, in ms. */
const BETTER_ANSWER_MS = 500

/** The promises of `endTurn()`: each belongs to one mark in the audio, whichever connection carries it. */
export class ExpectedTurns {
  readonly #options: ExpectedTurnsOptions
  /** Asked for, their marks still on the way through the framer. */
  readonly #unwritten: ExpectedTurn[] = []
  readonly #byMark = new Map<EndTurnMark, ExpectedTurn>()

  constructor(options: ExpectedTurnsOptions) {
    this.#options = options
  }

  /** Marks that wait for an answer. */
  get size(): number {
    return this.#byMark.size
  }

  /** The final of the turn that the next mark to be written ends. */
  expect(): Promise<Final> {
    const promise = new Promise<Final>((resolve, reject) => this.#unwritten.push({ resolve, reject }))
    // Who does not wait for the final does not want its failure either; the stream reports that itself.
    promise.catch(() => {})
    return promise
  }

  /** The mark has reached the session. */
  written(mark: EndTurnMark): void {
    const expected = this.#unwritten.shift()
    if (expected) this.#byMark.set(mark, expected)
  }

  /** The mark has gone out: from now on the service owes an answer. */
  sent(mark: EndTurnMark): void {
    const expected = this.#byMark.get(mark)
    if (expected) this.#start(expected, mark)
  }

  /** The connection is gone, and with it what it owed. A mark that is not sent again waits in vain, but not for ever. */
  lostConnection(): void {
    for (const [mark, expected] of this.#byMark) if (expected.timer) this.#start(expected, mark)
  }

  /** @param final without one, what was perhaps the answer is */
  answered(mark: EndTurnMark, final: Final): void {
    const expected = this.#byMark.get(mark)
    this.#byMark.delete(mark)
    clearTimeout(expected?.timer)
    expected?.resolve(final ?? expected.perhaps)
  }

  /** Unless a better one follows soon, this is the answer. */
  answeredPerhaps(mark: EndTurnMark, final: Final): void {
    const expected = this.#byMark.get(mark)
    const settle = () => {
      this.#options.onPerhaps(mark)
      this.answered(mark, final)
    }
    if (!expected) {
      settle()
      return
    }
    clearTimeout(expected.timer)
    expected.perhaps = final
    expected.timer = setTimeout(settle, BETTER_ANSWER_MS)
  }

  /** What is left of the last turn answers the oldest mark. */
  settleFirst(final: Final): void {
    const [mark] = this.#byMark.keys()
    if (mark && final) this.answered(mark, final)
  }

  /** No result will come any more. */
  settleAll(): void {
    for (const expected of this.#takeAll()) expected.resolve(undefined)
  }

  rejectAll(reason: Error): void {
    for (const expected of this.#takeAll()) expected.reject(reason)
  }

  #start(expected: ExpectedTurn, mark: EndTurnMark): void {
    const { timeoutMs, isPostponed } = this.#options
    clearTimeout(expected.timer)
    expected.timer = setTimeout(() => {
      if (isPostponed(mark)) {
        expected.timer?.refresh()
        return
      }
      this.#byMark.delete(mark)
      this.#options.onTimeout(mark)
      const message = `The service answered endTurn with no final for ${timeoutMs} ms (finishTimeoutMs)`
      expected.reject(new SttError('STT_ERR_TURN_TIMEOUT', message))
    }, timeoutMs)
  }

  #takeAll(): ExpectedTurn[] {
    const all = [...this.#byMark.values(), ...this.#unwritten.splice(0)]
    this.#byMark.clear()
    for (const { timer } of all) clearTimeout(timer)
    return all
  }
}

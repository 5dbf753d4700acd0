import type { RecognizedWord } from '../recognizer.js'
import { firstEndingAfter, type TimedUtterance } from './script.js'
import type { SourceSpan } from './source-clock.js'

/** What may be missing where a piece of audio begins or goes on: a hop on each side of a cut through stamps. */
const TORN_MS = 20

/** What has been heard of one utterance in this turn; times in ms of the connection. */
export interface HeardUtterance {
  utterance: TimedUtterance
  words: readonly RecognizedWord[]
  /** How much of it has passed: 0 at its start, 1 at its end, more after it. */
  share: number
}

/**
 * Follows the source through one connection. A word is heard when its audio has come in one piece: where the
 * source jumps, forth or back, a word that had begun is lost, and one that comes again is heard again. Silence that
 * somebody puts between is no jump.
 */
export class ScriptedHearing {
  readonly #utterances: readonly TimedUtterance[]
  /** All words in order, and of each the number of its utterance. */
  readonly #words: readonly RecognizedWord[]
  readonly #utteranceOf: readonly number[]
  /** The piece of the source that is being heard; its end is where the source stands. */
  #pieceStartMs = 0
  #pieceEndMs = 0
  /** Where the words that have begun began on the connection. */
  readonly #begunMs = new Map<number, number>()
  /** Numbers of the utterances that sounded in this turn, and the words heard in it. */
  readonly #sounded = new Set<number>()
  #heard: { of: number; word: RecognizedWord }[] = []

  constructor(utterances: readonly TimedUtterance[]) {
    this.#utterances = utterances
    this.#words = utterances.flatMap(({ words }) => words)
    this.#utteranceOf = utterances.flatMap(({ words }, of) => words.map(() => of))
  }

  beginTurn(): void {
    this.#sounded.clear()
    this.#heard = []
  }

  /** What this turn has heard, in the order of hearing. */
  get utterances(): HeardUtterance[] {
    return [...this.#sounded].map(of => {
      const utterance = this.#utterances[of]!
      const { startMs, endMs } = utterance
      const words = this.#heard.filter(heard => heard.of === of).map(({ word }) => word)
      return { utterance, words, share: (this.#pieceEndMs - startMs) / (endMs - startMs) }
    })
  }

  take({ sourceMs, connectionMs, durationMs }: SourceSpan): void {
    if (Math.abs(sourceMs - this.#pieceEndMs) > TORN_MS) this.#beginPiece(sourceMs)
    const heardUntilMs = this.#pieceEndMs
    this.#pieceEndMs = Math.max(heardUntilMs, sourceMs + durationMs)
    const delayMs = connectionMs - sourceMs
    for (const index of this.#sounding(this.#utterances, heardUntilMs)) this.#sounded.add(index)
    for (const index of this.#sounding(this.#words, heardUntilMs)) this.#hear(index, delayMs)
  }

  #beginPiece(sourceMs: number): void {
    this.#pieceStartMs = sourceMs
    this.#pieceEndMs = sourceMs
    this.#begunMs.clear()
  }

  /** Numbers of those that sound between a moment and the end of the piece. */
  *#sounding(spans: readonly { startMs: number; endMs: number }[], fromMs: number): Iterable<number> {
    for (let i = firstEndingAfter(spans, fromMs); i < spans.length; i++) {
      if (spans[i]!.startMs >= this.#pieceEndMs) return
      yield i
    }
  }

  #hear(index: number, delayMs: number): void {
    const word = this.#words[index]!
    const startMs = this.#begunMs.get(index) ?? word.startMs + delayMs
    this.#begunMs.set(index, startMs)
    if (word.endMs > this.#pieceEndMs) return
    this.#begunMs.delete(index)
    if (word.startMs < this.#pieceStartMs - TORN_MS) return
    const endMs = word.endMs + delayMs
    this.#heard.push({ of: this.#utteranceOf[index]!, word: { ...word, startMs, endMs } })
  }
}

import type {
  RecognizedUtterance,
  RecognizedWord,
  Recognizer,
  RecognizerSession,
  VoiceActivity,
} from '../recognizer.js'

/** What is said, and when: times in ms of the connection's audio. */
export interface ScriptedUtterance {
  startMs: number
  endMs: number
  /** May be empty: voice activity without a word. */
  text: string
  /** Times of the words. Default: the words of `text`, each with an equal share of the utterance. */
  words?: readonly ScriptedWord[]
  /** Of each word, 0 to 1. Default 0.9. */
  confidence?: number
  /** The final says this instead of `text`; word times stay. */
  final?: string
  /**
   * What the interims say. Default: one more word each time one has passed. Given ones come at equal shares of the
   * utterance, the last at its end.
   */
  interims?: readonly string[]
}

export interface ScriptedWord {
  word: string
  startMs: number
  endMs: number
  /** Default: the utterance's. */
  confidence?: number
}

export type Script = readonly ScriptedUtterance[]

/**
 * A recogniser that hears whatever the script says, in any audio, silence included: its own voice activity is 1
 * inside the scripted utterances and 0 outside, so endpointing, order and times are the real ones.
 * @param script of every session, or of each by its number, 0 for the first
 * @throws TypeError, RangeError for a script that is not in order
 */
export function scriptedRecognizer(script: Script | ((index: number) => Script)): Recognizer {
  let opened = 0
  if (typeof script !== 'function') checkScript(script)
  return {
    name: 'scripted',
    open: () => {
      const utterances = typeof script === 'function' ? checkScript(script(opened)) : script
      opened++
      return Promise.resolve(new ScriptedSession(utterances))
    },
    close: () => Promise.resolve(),
  }
}

class ScriptedSession implements RecognizerSession {
  onError: ((error: Error) => void) | undefined
  readonly #utterances: readonly TimedUtterance[]
  #startMs = 0
  #positionMs = 0

  constructor(script: Script) {
    this.#utterances = script.map(withWordTimes)
  }

  voiceActivity(): VoiceActivity {
    return new ScriptedVoiceActivity(this.#utterances)
  }

  /** Without `startMs` the utterance follows on the audio so far. */
  start(startMs = this.#positionMs): void {
    this.#startMs = startMs
    this.#positionMs = startMs
  }

  push(pcm: Int16Array): Promise<string> {
    this.#positionMs += pcm.length / SAMPLES_PER_MS
    return Promise.resolve(this.#join(utterance => this.#interimOf(utterance)))
  }

  finish(): Promise<RecognizedUtterance> {
    const words = this.#utterances.flatMap(utterance => this.#heardWords(utterance))
    const text = this.#join(utterance => {
      const heard = this.#heardWords(utterance)
      const whole = heard.length === utterance.words.length && heard.length > 0
      return whole ? (utterance.final ?? utterance.text) : joinWords(heard)
    })
    const relative = (ms: number) => ms - this.#startMs
    return Promise.resolve({
      text,
      words: words.map(word => ({ ...word, startMs: relative(word.startMs), endMs: relative(word.endMs) })),
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #join(textOf: (utterance: TimedUtterance) => string): string {
    return this.#utterances
      .map(textOf)
      .filter(text => text !== '')
      .join(' ')
  }

  #interimOf(utterance: TimedUtterance): string {
    const heard = this.#heardWords(utterance)
    const { interims, startMs, endMs } = utterance
    if (interims === undefined)
      return heard.length === utterance.words.length ? utterance.text : joinWords(heard)
    if (endMs <= this.#startMs) return ''
    const share = Math.min(1, (this.#positionMs - startMs) / (endMs - startMs))
    return interims[Math.floor(share * interims.length) - 1] ?? ''
  }

  /** A word belongs to the turn in which it ends. */
  #heardWords({ words }: TimedUtterance): readonly RecognizedWord[] {
    return words.filter(({ endMs }) => endMs > this.#startMs && endMs <= this.#positionMs)
  }
}

class ScriptedVoiceActivity implements VoiceActivity {
  readonly #utterances: readonly TimedUtterance[]
  #samples = 0

  constructor(utterances: readonly TimedUtterance[]) {
    this.#utterances = utterances
  }

  process(pcm: Int16Array): Float32Array {
    const firstHop = Math.floor(this.#samples / HOP_SAMPLES)
    this.#samples += pcm.length
    const hops = Math.floor(this.#samples / HOP_SAMPLES) - firstHop
    return Float32Array.from({ length: hops }, (_, index) => this.#probability((firstHop + index) * HOP_MS))
  }

  #probability(atMs: number): number {
    return this.#utterances.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) ? 1 : 0
  }
}

type TimedUtterance = Omit<ScriptedUtterance, 'words'> & { words: readonly RecognizedWord[] }

function withWordTimes(utterance: ScriptedUtterance): TimedUtterance {
  const { startMs, endMs, text, confidence = 0.9, words } = utterance
  if (words !== undefined)
    return {
      ...utterance,
      words: words.map(word => ({ ...word, confidence: word.confidence ?? confidence })),
    }
  const spoken = text.split(/\s+/).filter(word => word !== '')
  const boundary = (index: number) => Math.round(startMs + ((endMs - startMs) * index) / spoken.length)
  return {
    ...utterance,
    words: spoken.map((word, index) => ({
      word,
      startMs: boundary(index),
      endMs: boundary(index + 1),
      confidence,
    })),
  }
}

function checkScript(script: Script): Script {
  let earliestMs = 0
  for (const [index, { startMs, endMs, text }] of script.entries()) {
    const name = `script[${index}]`
    if (typeof text !== 'string') throw new TypeError(`${name}.text must be a string; got ${typeof text}`)
    if (!(startMs >= earliestMs && endMs > startMs)) {
      throw new RangeError(
        `${name} must begin at ${earliestMs} ms or later and end after it begins; got ${startMs} to ${endMs}`,
      )
    }
    earliestMs = endMs
  }
  return script
}

function joinWords(words: readonly RecognizedWord[]): string {
  return words.map(({ word }) => word).join(' ')
}

const SAMPLES_PER_MS = 16
const HOP_MS = 10
const HOP_SAMPLES = HOP_MS * SAMPLES_PER_MS

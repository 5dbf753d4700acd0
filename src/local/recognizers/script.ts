import type { RecognizedWord, VoiceProfile } from '../recognizer.js'

/** What is said, and when: times in ms of the connection's audio, or of the source where its audio is stamped. */
export interface ScriptedUtterance {
  startMs: number
  endMs: number
  /** May be empty: voice activity without a word. */
  text: string
  /** Times of the words, in order. Default: the words of `text`, each with an equal share of the utterance. */
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
  /** How the speaker sounds: sent with the final to a client that asks for it. */
  voiceProfile?: VoiceProfile
  /** The language that was heard, BCP-47: sent with the final. */
  language?: string
}

/** One word of a {@link ScriptedUtterance}, and when it is said. */
export interface ScriptedWord {
  word: string
  startMs: number
  endMs: number
  /** Default: the utterance's. */
  confidence?: number
}

/** What is said, in order of time. */
export type Script = readonly ScriptedUtterance[]

export type TimedUtterance = Omit<ScriptedUtterance, 'words'> & { words: readonly RecognizedWord[] }

/** @throws TypeError, RangeError for a script that is not in order */
export function checkScript(script: Script): Script {
  let earliestMs = 0
  for (const [index, { startMs, endMs, text, words }] of script.entries()) {
    const name = `script[${index}]`
    if (typeof text !== 'string') throw new TypeError(`${name}.text must be a string; got ${typeof text}`)
    if (!(startMs >= earliestMs && endMs > startMs)) {
      throw new RangeError(
        `${name} must begin at ${earliestMs} ms or later and end after it begins; got ${startMs} to ${endMs}`,
      )
    }
    checkWords(name, words)
    earliestMs = endMs
  }
  return script
}

function checkWords(name: string, words: ScriptedUtterance['words'] = []): void {
  let earliestMs = 0
  for (const [index, { startMs, endMs }] of words.entries()) {
    if (!(startMs >= earliestMs && endMs > startMs)) {
      throw new RangeError(
        `${name}.words[${index}] must begin at ${earliestMs} ms or later and end after it begins; got ${startMs} to ${endMs}`,
      )
    }
    earliestMs = endMs
  }
}

/** Whether this moment lies inside an utterance. */
export function isSpoken(script: readonly { startMs: number; endMs: number }[], atMs: number): boolean {
  const next = script[firstEndingAfter(script, atMs)]
  return next !== undefined && next.startMs <= atMs
}

/** Index of the first of these, in order, that ends after the moment: a script of hours is asked 100 times a second. */
export function firstEndingAfter(spans: readonly { endMs: number }[], atMs: number): number {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle]!.endMs > atMs) high = middle
    else low = middle + 1
  }
  return low
}

export function withWordTimes(utterance: ScriptedUtterance): TimedUtterance {
  const { startMs, endMs, text, confidence = 0.9, words } = utterance
  if (words !== undefined) {
    return {
      ...utterance,
      words: words.map(word => ({ ...word, confidence: word.confidence ?? confidence })),
    }
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

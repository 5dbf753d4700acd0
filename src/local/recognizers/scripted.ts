import type { RecognizedUtterance, Recognizer, RecognizerSession, VoiceActivity } from '../recognizer.js'
import { STAMP_HOP_SAMPLES } from '../stamp.js'
import { checkScript, isSpoken, withWordTimes, type Script, type TimedUtterance } from './script.js'
import { ScriptedHearing, type HeardUtterance } from './scripted-hearing.js'
import { ConnectionClock, StampClock, type SourceClock } from './source-clock.js'

/** Options of {@link scriptedRecognizer}. */
export interface ScriptedRecognizerOptions {
  /**
   * What the times of the script are. 'connection': ms since the first sample of each connection, in any audio,
   * silence included. 'stamps': ms of the source, as `stampedAudio()` wrote them into the audio; what a
   * connection never got is not heard, and what has no stamp is silence. Default 'connection'.
   */
  clock?: 'connection' | 'stamps'
}

/**
 * A recogniser that hears what the script says: its own voice activity is 1 inside the scripted utterances and 0
 * outside, so endpointing, order and times are the real ones. Word times are the connection's, as a real
 * recogniser's are.
 * @param script of every session, or of each by its number, 0 for the first
 * @throws TypeError, RangeError for a script that is not in order, or another clock
 */
export function scriptedRecognizer(
  script: Script | ((index: number) => Script),
  { clock = 'connection' }: ScriptedRecognizerOptions = {},
): Recognizer {
  if (!Object.hasOwn(CLOCKS, clock)) {
    throw new TypeError(`clock must be 'connection' or 'stamps'; got ${clock}`)
  }
  const Clock = CLOCKS[clock]
  let opened = 0
  const shared = typeof script === 'function' ? undefined : timed(script)
  return {
    name: 'scripted',
    open: () => {
      const index = opened++
      const utterances = shared ?? timed((script as (index: number) => Script)(index))
      return Promise.resolve(new ScriptedSession(utterances, () => new Clock()))
    },
    close: () => Promise.resolve(),
  }
}

const CLOCKS = { connection: ConnectionClock, stamps: StampClock }

function timed(script: Script): readonly TimedUtterance[] {
  return checkScript(script).map(withWordTimes)
}

class ScriptedSession implements RecognizerSession {
  onError: ((error: Error) => void) | undefined
  readonly #utterances: readonly TimedUtterance[]
  readonly #newClock: () => SourceClock
  readonly #clock: SourceClock
  readonly #hearing: ScriptedHearing
  #startMs = 0

  constructor(utterances: readonly TimedUtterance[], newClock: () => SourceClock) {
    this.#utterances = utterances
    this.#newClock = newClock
    this.#clock = newClock()
    this.#hearing = new ScriptedHearing(utterances)
  }

  voiceActivity(): VoiceActivity {
    return new ScriptedVoiceActivity(this.#utterances, this.#newClock())
  }

  /** Without `startMs` the utterance follows on the audio so far. */
  start(startMs = this.#clock.connectionMs): void {
    this.#startMs = startMs
    this.#clock.seek(startMs)
    this.#hearing.beginTurn()
  }

  push(pcm: Int16Array): Promise<string> {
    for (const span of this.#clock.push(pcm)) this.#hearing.take(span)
    return Promise.resolve(joinTexts(this.#hearing.utterances.map(interimOf)))
  }

  finish(): Promise<RecognizedUtterance> {
    const heard = this.#hearing.utterances
    const words = heard.flatMap(({ words: ofOne }) => ofOne)
    const last = heard.at(-1)?.utterance
    return Promise.resolve({
      text: joinTexts(heard.map(finalOf)),
      words: words.map(word => ({
        ...word,
        startMs: word.startMs - this.#startMs,
        endMs: word.endMs - this.#startMs,
      })),
      ...(last?.voiceProfile && { voiceProfile: last.voiceProfile }),
      ...(last?.language && { language: last.language }),
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

class ScriptedVoiceActivity implements VoiceActivity {
  readonly #utterances: readonly TimedUtterance[]
  readonly #clock: SourceClock
  /** Of the hop that has begun: its samples so far, and where in the source the first piece found in it stands. */
  #samples = 0
  #sourceMs: number | undefined

  constructor(utterances: readonly TimedUtterance[], clock: SourceClock) {
    this.#utterances = utterances
    this.#clock = clock
  }

  process(pcm: Int16Array): Float32Array {
    const hops = Math.floor((this.#samples + pcm.length) / STAMP_HOP_SAMPLES)
    const probabilities = new Float32Array(hops)
    let read = 0
    for (let hop = 0; hop < hops; hop++) {
      read = this.#read(pcm, read, STAMP_HOP_SAMPLES - this.#samples)
      const isSpeech = this.#sourceMs !== undefined && isSpoken(this.#utterances, this.#sourceMs)
      probabilities[hop] = isSpeech ? 1 : 0
      this.#samples = 0
      this.#sourceMs = undefined
    }
    this.#read(pcm, read, pcm.length - read)
    return probabilities
  }

  #read(pcm: Int16Array, from: number, count: number): number {
    const [first] = this.#clock.push(pcm.subarray(from, from + count))
    this.#sourceMs ??= first?.sourceMs
    this.#samples += count
    return from + count
  }
}

function interimOf({ utterance, words, share }: HeardUtterance): string {
  const { interims, text } = utterance
  if (interims === undefined) return words.length === utterance.words.length ? text : joinWords(words)
  return interims[Math.floor(Math.min(1, share) * interims.length) - 1] ?? ''
}

function finalOf({ utterance, words }: HeardUtterance): string {
  const isWhole = words.length === utterance.words.length && words.length > 0
  return isWhole ? (utterance.final ?? utterance.text) : joinWords(words)
}

function joinWords(words: HeardUtterance['words']): string {
  return joinTexts(words.map(({ word }) => word))
}

function joinTexts(texts: readonly string[]): string {
  return texts.filter(text => text !== '').join(' ')
}

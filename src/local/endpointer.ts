import type { TranscribeConfigOptions } from '../stt/transcribe-config.js'

/**
 * Speech probabilities in, starts and ends of speech and of turns out. Pure: its clock is the number of hops.
 *
 * Speech starts when 7 of 10 hops reach the threshold and goes on while single hops reach a lower one (a vowel
 * fades, a closure is silent). A pause has two consequences. After `speechStopMs` it is reported, no more: the
 * turn stays open and speech may start again in it. After `minSilenceMs` the turn ends. Flickers between the two
 * thresholds (breath, a chair) break such a pause but do not make speech: a turn ends anyway once
 * `maxTurnSilenceMs` have passed without a start's worth of speech.
 */
export interface EndpointerOptions {
  /** Probability from which a hop counts as speech, above 0 to 1. Default 0.5. */
  vadThreshold?: number
  /** Silence that ends a turn, in ms. Default 1000, as the service does: shorter pauses are part of a sentence. */
  minSilenceMs?: number
  /** Time without clear speech that ends a turn even if hops flicker, in ms; at least `minSilenceMs`. Default 2000. */
  maxTurnSilenceMs?: number
  /** Silence after which `speechStopped` is reported, in ms; at most `minSilenceMs`. Default 300. */
  speechStopMs?: number
  /** Speech that starts a turn, in ms, within a window 10/7 as long. Default 70. */
  minSpeechMs?: number
}

/** Times in ms since the first hop. */
export type EndpointerEvent =
  | {
      type: 'speechStarted'
      /** The first hop of the window that decided. */
      startMs: number
      /** Where the turn's audio begins: up to 300 ms before its first speech, so that no onset is lost. */
      turnStartMs: number
      /** Mean probability of that window, 0 to 1. */
      confidence: number
    }
  | { type: 'speechStopped'; atMs: number; silenceDurationMs: number }
  /** The turn's audio is `turnStartMs` to `atMs`, its speech `startMs` to `endMs`. */
  | { type: 'endOfTurn'; turnStartMs: number; startMs: number; endMs: number; atMs: number }

/** One hop of the voice activity detector, in ms. */
const HOP_MS = 10
/** Share of the start window that must be speech: 7 of 10 hops. */
const START_SHARE = 0.7
/** Speech goes on down to this share of the threshold: 0.35 for the default. */
const STAY_SHARE = 0.7
const PRE_ROLL_MS = 300
/** More is no turn detection any more. */
const MAX_SILENCE_MS = 60_000
const DEFAULT_MIN_SILENCE_MS = 1000
const DEFAULT_MAX_SILENCE_MS = 2000
/** The service's default of `endOfTurnConfidenceThreshold`. */
const DEFAULT_CONFIDENCE = 0.5

interface Turn {
  turnStartMs: number
  startMs: number
}

export class Endpointer {
  readonly #threshold: number
  readonly #minSilenceMs: number
  readonly #maxTurnSilenceMs: number
  readonly #speechStopMs: number
  readonly #startHops: number
  /** Probabilities of the last hops, oldest first, since the last start or stop of speech. */
  readonly #window: number[] = []
  readonly #windowHops: number
  #nowMs = 0
  #turn: Turn | undefined
  #speaking = false
  /** End of the last hop above the lower threshold, and of the last start window full of speech. */
  #voicedEndMs = 0
  #clearSpeechEndMs = 0
  /** Where the last turn was closed: its audio belongs to nobody else. */
  #closedMs = 0

  /** @throws TypeError or RangeError that names the option */
  constructor(options: EndpointerOptions = {}) {
    const { vadThreshold = 0.5, minSilenceMs = DEFAULT_MIN_SILENCE_MS, minSpeechMs = 70 } = options
    const {
      speechStopMs = Math.min(300, minSilenceMs),
      maxTurnSilenceMs = Math.max(DEFAULT_MAX_SILENCE_MS, minSilenceMs),
    } = options
    check('vadThreshold', vadThreshold, Number.MIN_VALUE, 1)
    check('minSilenceMs', minSilenceMs, HOP_MS, MAX_SILENCE_MS)
    check('maxTurnSilenceMs', maxTurnSilenceMs, minSilenceMs, MAX_SILENCE_MS)
    check('speechStopMs', speechStopMs, HOP_MS, minSilenceMs)
    check('minSpeechMs', minSpeechMs, HOP_MS, 1000)
    this.#threshold = vadThreshold
    this.#minSilenceMs = minSilenceMs
    this.#maxTurnSilenceMs = maxTurnSilenceMs
    this.#speechStopMs = speechStopMs
    this.#startHops = Math.ceil(minSpeechMs / HOP_MS)
    this.#windowHops = Math.ceil(this.#startHops / START_SHARE)
  }

  /** The open turn, if any. */
  get turn(): Readonly<Turn> | undefined {
    return this.#turn
  }

  /** Takes the probability of the next 10 ms hop. */
  push(probability: number): EndpointerEvent[] {
    this.#nowMs += HOP_MS
    this.#window.push(probability)
    if (this.#window.length > this.#windowHops) this.#window.shift()

    const events: EndpointerEvent[] = []
    const clear = this.#window.filter(p => p >= this.#threshold).length >= this.#startHops
    if (clear) this.#clearSpeechEndMs = this.#nowMs
    if (!this.#speaking && clear) events.push(this.#startSpeech())
    else if (this.#speaking && probability >= this.#threshold * STAY_SHARE) this.#voicedEndMs = this.#nowMs

    const silenceMs = this.#nowMs - this.#voicedEndMs
    const unclearMs = this.#nowMs - this.#clearSpeechEndMs
    const turnEnds = this.#turn && (silenceMs >= this.#minSilenceMs || unclearMs >= this.#maxTurnSilenceMs)
    if (this.#speaking && (silenceMs >= this.#speechStopMs || turnEnds)) events.push(this.#stopSpeech())
    if (this.#turn && turnEnds) events.push(this.#endTurn(this.#turn))
    return events
  }

  /** Closes the open turn now: the stream ends, or the client says so. Hops may follow; they begin anew. */
  finish(): EndpointerEvent[] {
    const events: EndpointerEvent[] = []
    if (this.#speaking) events.push(this.#stopSpeech())
    if (this.#turn) events.push(this.#endTurn(this.#turn))
    this.#closedMs = this.#nowMs
    this.#window.length = 0
    return events
  }

  #startSpeech(): EndpointerEvent {
    const first = this.#window.findIndex(p => p >= this.#threshold)
    const spoken = this.#window.slice(first)
    const startMs = this.#nowMs - spoken.length * HOP_MS
    this.#speaking = true
    this.#voicedEndMs = this.#nowMs
    this.#turn ??= { startMs, turnStartMs: Math.max(this.#closedMs, startMs - PRE_ROLL_MS) }
    const confidence = spoken.reduce((sum, p) => sum + p, 0) / spoken.length
    return { type: 'speechStarted', startMs, turnStartMs: this.#turn.turnStartMs, confidence }
  }

  #stopSpeech(): EndpointerEvent {
    this.#speaking = false
    this.#window.length = 0
    return { type: 'speechStopped', atMs: this.#nowMs, silenceDurationMs: this.#nowMs - this.#voicedEndMs }
  }

  #endTurn({ turnStartMs, startMs }: Turn): EndpointerEvent {
    this.#turn = undefined
    this.#window.length = 0
    this.#closedMs = this.#nowMs
    return { type: 'endOfTurn', turnStartMs, startMs, endMs: this.#voicedEndMs, atMs: this.#nowMs }
  }
}

/** The parts of a transcribe config that say how turns end. */
export type TurnConfig = Pick<
  TranscribeConfigOptions,
  'endOfTurnConfidenceThreshold' | 'inworldSttV1Config' | 'assemblyaiConfig' | 'sonioxConfig'
>

export interface TurnDetection extends EndpointerOptions {
  /** The client ends turns (`vadThreshold: 0`): the endpointer still tells speech, its turn ends do not count. */
  manual: boolean
}

/**
 * Turn detection as the wire config asks for it (protocol A3.3, A3.5). The block of the model's provider counts:
 * `inworldSttV1Config`, `assemblyaiConfig` or `sonioxConfig`, whichever is there.
 *
 * The service ends a turn after `minEndOfTurnSilenceWhenConfident` when its language model is confident that the
 * speaker has finished, after `maxTurnSilence` whatever it thinks. Here silence itself is the only evidence, so
 * `endOfTurnConfidenceThreshold` says how far from the one to the other it must go on: up to the service's
 * default of 0.5 the minimum is enough, at 1 it takes the maximum, linear in between.
 *
 * `maxEndpointDelayMs` of Soniox is a maximum; the default minimum shrinks to fit under it. Silences are
 * kept within 10 ms and 60 s.
 */
export function endpointerOptions(config: TurnConfig): TurnDetection {
  const tuning = config.inworldSttV1Config ?? config.assemblyaiConfig ?? {}
  const givenMaxMs = tuning.maxTurnSilence ?? config.sonioxConfig?.maxEndpointDelayMs
  const givenMinMs = tuning.minEndOfTurnSilenceWhenConfident
  const minMs = clamp(
    givenMinMs ?? Math.min(DEFAULT_MIN_SILENCE_MS, givenMaxMs ?? Infinity),
    HOP_MS,
    MAX_SILENCE_MS,
  )
  const maxTurnSilenceMs = clamp(givenMaxMs ?? DEFAULT_MAX_SILENCE_MS, minMs, MAX_SILENCE_MS)

  const confidence = config.endOfTurnConfidenceThreshold ?? DEFAULT_CONFIDENCE
  const doubt = clamp((confidence - DEFAULT_CONFIDENCE) / (1 - DEFAULT_CONFIDENCE), 0, 1)
  const minSilenceMs = Math.round(minMs + doubt * (maxTurnSilenceMs - minMs))

  const { vadThreshold } = tuning
  const manual = vadThreshold === 0
  return { manual, minSilenceMs, maxTurnSilenceMs, vadThreshold: manual ? undefined : vadThreshold }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

function check(name: string, value: unknown, min: number, max: number): void {
  const range =
    min === Number.MIN_VALUE ? `a number above 0 and up to ${max}` : `a number from ${min} to ${max}`
  if (typeof value !== 'number') throw new TypeError(`${name} must be ${range}; got ${typeof value}`)
  if (!(value >= min && value <= max)) throw new RangeError(`${name} must be ${range}; got ${value}`)
}

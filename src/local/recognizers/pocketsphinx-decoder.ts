import { VoiceActivityDetector } from '../../audio/portable/voice-activity.js'
import type { RecognizedUtterance, RecognizedWord } from '../recognizer.js'
import type { Pointer, PocketsphinxLibrary } from './pocketsphinx-library.js'
import { mixLanguageModel } from './pocketsphinx-language-model.js'
import { phrasesToArpa, promptPhrases } from './pocketsphinx-prompts.js'
import type { PocketsphinxFiles } from './pocketsphinx-model.js'

/**
 * One decoder, used for one session. Lives in a child process: calls block while they decode.
 *
 * The decoder subtracts a mean from the cepstrum of the audio, and learns that mean only when an utterance ends:
 * the first one is decoded with the mean of another microphone. So while a session is young the utterance is
 * broken off after 0.4, 0.8, 1.6 and 3.2 s of speech and its audio decoded again with the mean heard by then,
 * which halves the word error rate of short sessions. Such audio is kept until the last restart.
 *
 * A very long utterance is decoded in segments, cut where nobody speaks, because the decoder's tables and the
 * time of its last pass grow with the length. The words of the segments are joined.
 */
export class PocketsphinxDecoder {
  readonly #library: PocketsphinxLibrary
  readonly #decoder: Pointer
  readonly #logmath: Pointer
  readonly #voiceActivity = new VoiceActivityDetector()
  /** Speech of this session, in ms: what the mean has been learnt from. */
  #speechMs = 0
  #restarts = 0
  /** Audio of the current segment, as long as it may have to be decoded again. */
  #kept: Int16Array[] = []
  #keptSamples = 0
  /** Samples decoded of the current segment, and of the segments of this utterance before it. */
  #segmentSamples = 0
  #earlierSamples = 0
  #earlierWords: RecognizedWord[] = []
  #quietMs = 0
  #unreadSamples = 0
  #interim = ''

  /** @throws Error when the library refuses the model */
  constructor(library: PocketsphinxLibrary, files: PocketsphinxFiles) {
    const config = library.parseConfig([
      ...['-hmm', files.acousticModel, '-dict', files.dictionary, '-lm', files.languageModel],
      // Both hurt: noise removal costs words on clean speech, silence removal falsifies word times.
      ...['-remove_noise', 'no', '-remove_silence', 'no'],
      // One bit of noise, always the same: in digital silence the mean would be taken from log 0.
      ...['-dither', 'yes', '-seed', '1'],
    ])
    const decoder = library.ps_init(config)
    library.cmd_ln_free_r(config)
    if (decoder === null) throw new Error('ps_init refused the model')
    this.#library = library
    this.#decoder = decoder
    this.#logmath = library.ps_get_logmath(decoder)
  }

  /**
   * Mixes a small language model of the session's prompts into the big one. Words that the dictionary lacks are
   * passed over: the library cannot spell out how they sound.
   */
  prepare(prompts: readonly string[]): void {
    const phrases = promptPhrases(prompts, word => this.#isInDictionary(word))
    if (phrases.length > 0) mixLanguageModel(this.#library, this.#decoder, phrasesToArpa(phrases))
  }

  /** Begins an utterance. */
  start(): void {
    this.#earlierWords = []
    this.#earlierSamples = 0
    this.#startSegment()
  }

  /** Decodes more of the utterance and returns its text so far. */
  push(pcm: Int16Array): string {
    // Slices keep restarts and cuts near their marks whatever the size of the caller's chunks.
    for (let at = 0; at < pcm.length; at += SLICE_SAMPLES) {
      this.#pushSlice(pcm.subarray(at, at + SLICE_SAMPLES))
    }
    if (this.#unreadSamples >= INTERIM_SAMPLES) {
      this.#unreadSamples = 0
      const hypothesis = this.#library.ps_get_hyp(this.#decoder, null) ?? ''
      this.#interim = `${textOf(this.#earlierWords)} ${hypothesis}`.trim()
    }
    return this.#interim
  }

  /** Ends the utterance. */
  finish(): RecognizedUtterance {
    const words = [...this.#earlierWords, ...this.#endSegment()]
    return { text: textOf(words), words }
  }

  /** Frees the native decoder; no other call may follow. */
  free(): void {
    this.#library.ps_free(this.#decoder)
  }

  #isInDictionary(word: string): boolean {
    const phones = this.#library.ps_lookup_word(this.#decoder, word)
    if (phones === null) return false
    this.#library.ckd_free(phones)
    return true
  }

  #startSegment(): void {
    this.#kept = []
    this.#keptSamples = 0
    this.#segmentSamples = 0
    this.#quietMs = 0
    this.#unreadSamples = 0
    this.#interim = textOf(this.#earlierWords)
    this.#beginNative()
  }

  #pushSlice(slice: Int16Array): void {
    for (const probability of this.#voiceActivity.process(slice)) {
      const voiced = probability >= SPEECH_PROBABILITY
      this.#quietMs = voiced ? 0 : this.#quietMs + HOP_MS
      if (voiced) this.#speechMs += HOP_MS
    }
    this.#feed(slice)
    this.#segmentSamples += slice.length
    this.#unreadSamples += slice.length
    this.#restartIfDue(slice)
    this.#cutIfLong()
  }

  #restartIfDue(slice: Int16Array): void {
    if (this.#restarts === RESTARTS_AT_SPEECH_MS.length) return
    this.#kept.push(slice.slice())
    this.#keptSamples += slice.length
    let due = false
    while (this.#speechMs >= (RESTARTS_AT_SPEECH_MS[this.#restarts] ?? Infinity)) {
      this.#restarts++
      due = true
    }
    // So much audio with so little speech: the mean is not worth decoding it all again.
    if (this.#keptSamples > MAX_KEPT_SAMPLES) this.#restarts = RESTARTS_AT_SPEECH_MS.length
    else if (due) this.#restart()
    if (this.#restarts === RESTARTS_AT_SPEECH_MS.length) this.#kept = []
  }

  #restart(): void {
    this.#library.ps_end_utt(this.#decoder)
    this.#beginNative()
    for (const slice of this.#kept) this.#feed(slice)
  }

  #cutIfLong(): void {
    const quiet = this.#quietMs >= CUT_QUIET_MS && this.#segmentSamples >= CUT_FROM_SAMPLES
    if (!quiet && this.#segmentSamples < CUT_AT_SAMPLES) return
    this.#earlierWords.push(...this.#endSegment())
    this.#earlierSamples += this.#segmentSamples
    this.#startSegment()
  }

  #beginNative(): void {
    // Word times count from the start of the stream, not of the utterance.
    this.#library.ps_start_stream(this.#decoder)
    if (this.#library.ps_start_utt(this.#decoder) < 0) throw new Error('ps_start_utt failed')
  }

  #feed(pcm: Int16Array): void {
    if (this.#library.ps_process_raw(this.#decoder, pcm, pcm.length, 0, 0) < 0) {
      throw new Error('ps_process_raw failed')
    }
  }

  #endSegment(): RecognizedWord[] {
    if (this.#library.ps_end_utt(this.#decoder) < 0) throw new Error('ps_end_utt failed')
    const words: RecognizedWord[] = []
    const startFrame: [number] = [0]
    const endFrame: [number] = [0]
    let segment = this.#library.ps_seg_iter(this.#decoder)
    while (segment !== null) {
      const word = spokenWord(this.#library.ps_seg_word(segment))
      if (word !== undefined) {
        this.#library.ps_seg_frames(segment, startFrame, endFrame)
        const logPosterior = this.#library.ps_seg_prob(segment, null, null, null)
        words.push({
          word,
          startMs: this.#frameMs(startFrame[0]),
          endMs: this.#frameMs(endFrame[0] + 1),
          confidence: confidence(this.#library.logmath_exp(this.#logmath, logPosterior)),
        })
      }
      segment = this.#library.ps_seg_next(segment)
    }
    return words
  }

  /** A frame's place in the utterance; the last one is padded, so it may reach beyond the audio. */
  #frameMs(frame: number): number {
    return (
      this.#earlierSamples / SAMPLES_PER_MS + Math.min(frame * HOP_MS, this.#segmentSamples / SAMPLES_PER_MS)
    )
  }
}

function textOf(words: readonly RecognizedWord[]): string {
  return words.map(({ word }) => word).join(' ')
}

/** The word of a segment, or undefined for what nobody said: `<s>`, `<sil>`, `[NOISE]`, `++UM++`. */
function spokenWord(entry: string): string | undefined {
  if (/^(<.*>|\[.*\]|\+\+.*\+\+)$/.test(entry)) return undefined
  // Other pronunciations of a word are entries of their own: `the(2)`.
  return entry.replace(/\(\d+\)$/, '')
}

/** Posteriors rank words well but are far too humble: at 0.3 still nine of ten words are right. */
function confidence(posterior: number): number {
  return 0.7 + 0.3 * Math.min(1, posterior)
}

/** One hop of voice activity, and one frame of the decoder. */
const HOP_MS = 10
const SAMPLES_PER_MS = 16
const SLICE_SAMPLES = 100 * SAMPLES_PER_MS
const SPEECH_PROBABILITY = 0.5

/** Measured best of several series on real speech; more and later ones cost time and gain nothing. */
const RESTARTS_AT_SPEECH_MS = [400, 800, 1600, 3200]
const MAX_KEPT_SAMPLES = 15_000 * SAMPLES_PER_MS

/** A text so far is looked up for this much new audio, not for every small push. */
const INTERIM_SAMPLES = 80 * SAMPLES_PER_MS

const CUT_QUIET_MS = 250
const CUT_FROM_SAMPLES = 20_000 * SAMPLES_PER_MS
const CUT_AT_SAMPLES = 40_000 * SAMPLES_PER_MS

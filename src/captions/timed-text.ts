import type { TranscriptionEvent, WordTimestamp } from '../stt/events.js'

/** A piece of transcript with its time: the smallest thing that a caption is built from. */
export interface TimedText {
  /** As it stands in the transcript, with the space that follows it. */
  text: string
  startMs: number
  endMs: number
  speaker?: string
}

/** Speaking rate assumed where a final has a start but no end, in characters per second. */
const ASSUMED_CHARS_PER_SECOND = 15

/**
 * Gives every part of a final's transcript its time. Punctuation, case and the absence of spaces (Chinese,
 * Thai) come from the transcript, times from the words. Where the words do not match the transcript, or
 * there are none, the text is spread by length over the segment; where there is no segment either, over an
 * assumed 15 characters per second from `afterMs`, the end of what came before.
 */
export function timedText(final: TranscriptionEvent, afterMs: number): TimedText[] {
  const transcript = final.transcript.trim().replace(/\s+/g, ' ')
  if (transcript === '') return []
  const words = final.wordTimestamps
  const aligned = alignWords(transcript, words) ?? pairWords(transcript, words)
  if (aligned !== undefined) return aligned
  const startMs = words[0]?.startMs ?? final.startMs ?? afterMs
  const endMs =
    words.at(-1)?.endMs ?? final.endMs ?? startMs + (transcript.length / ASSUMED_CHARS_PER_SECOND) * 1000
  return spread(transcript, startMs, Math.max(endMs, startMs))
}

/** Undefined unless every word is found, in order, with nothing but punctuation between them. */
function alignWords(transcript: string, words: readonly WordTimestamp[]): TimedText[] | undefined {
  if (words.length === 0) return undefined
  const lower = transcript.toLowerCase()
  // Some letters change their length with their case; positions would no longer be those of the transcript.
  if (lower.length !== transcript.length) return undefined
  const starts: number[] = []
  let position = 0
  for (const { word } of words) {
    const found = lower.indexOf(word.trim().toLowerCase(), position)
    if (found < 0 || /[\p{L}\p{N}]/u.test(transcript.slice(position, found))) return undefined
    starts.push(found)
    position = found + word.trim().length
  }
  if (/[\p{L}\p{N}]/u.test(transcript.slice(position))) return undefined
  // What opens before the word belongs to it: ¿ “ (. What follows up to the space belongs to the word before.
  const cuts = starts.map((start, i) => (i === 0 ? 0 : openingOf(transcript, start)))
  return words.map(({ startMs, endMs, speaker }, i) => ({
    text: transcript.slice(cuts[i], cuts[i + 1]),
    startMs,
    endMs: Math.max(endMs, startMs),
    speaker,
  }))
}

function openingOf(transcript: string, wordStart: number): number {
  const space = transcript.lastIndexOf(' ', wordStart)
  return /^ [^\p{L}\p{N}]*$/u.test(transcript.slice(space, wordStart)) ? space + 1 : wordStart
}

/** Word by word, where the transcript spells them otherwise ("ten" and "10") but has as many. */
function pairWords(transcript: string, words: readonly WordTimestamp[]): TimedText[] | undefined {
  const parts = transcript.match(/\S+ ?/g) ?? []
  if (parts.length !== words.length) return undefined
  return words.map(({ startMs, endMs, speaker }, i) => ({
    text: parts[i] ?? '',
    startMs,
    endMs: Math.max(endMs, startMs),
    speaker,
  }))
}

/** Cuts at spaces and gives each part a share of the time by its length. */
function spread(transcript: string, startMs: number, endMs: number): TimedText[] {
  const msPerChar = (endMs - startMs) / transcript.length
  const parts: TimedText[] = []
  for (const match of transcript.matchAll(/\S+ ?/g)) {
    const from = startMs + match.index * msPerChar
    parts.push({ text: match[0], startMs: from, endMs: from + match[0].trimEnd().length * msPerChar })
  }
  return parts
}

import type { TranscriptionEvent } from '../stt/events.js'
import { captionLines, columns, cutLongText } from './caption-lines.js'
import { timedText, type TimedText } from './timed-text.js'

/** One caption: what stands on the screen, and from when to when on the source's clock. */
export interface Cue {
  startMs: number
  endMs: number
  lines: string[]
  /** Where the service labelled the speakers, else the channel where each has a session; a cue never holds two. */
  speaker?: string
}

/** How captions are cut. The defaults are those of the large broadcasters' style guides. */
export interface CueRules {
  /** Columns of a line (a wide East Asian character takes two): 10 to 200. Default 42. */
  maxLineChars: number
  /** 1 to 4. Default 2. */
  maxLines: number
  /** A cue stays at least this long where the next one leaves room, in ms: 0 to `maxCueMs`. Default 1000. */
  minCueMs: number
  /** In ms: 1000 to 60 000. Default 7000. */
  maxCueMs: number
  /** Reading speed: a cue stays long enough for it where the next one leaves room. 5 to 100. Default 20. */
  maxCharsPerSecond: number
}

export const CUE_RULES: Readonly<CueRules> = {
  maxLineChars: 42,
  maxLines: 2,
  minCueMs: 1_000,
  maxCueMs: 7_000,
  maxCharsPerSecond: 20,
}

/** A silence this long inside a turn always starts a new cue: words must not be shown long before they are said. */
const MAX_PAUSE_MS = 1_000

/** What a cue costs for where it ends; its unused space costs 0 to 1. */
const BREAK_COST = { sentence: 0, clause: 0.3, pause: 0.3, word: 0.8 }
/** A pause that is heard as one, in ms. */
const NOTED_PAUSE_MS = 300

/**
 * Cuts one final into cues that last from their first word to their last. Breaks are chosen together, not one
 * after the other: of all ways to cut the final, the one with the least cost in unused space, breaks inside a
 * sentence and cues too short to read (the method by which TeX breaks a paragraph).
 */
export function cuesOfFinal(final: TranscriptionEvent, afterMs: number, rules: CueRules): Cue[] {
  const parts = timedText(final, afterMs).flatMap(part => cutLongPart(part, rules))
  // best[i] is the cheapest way to cut the first i parts.
  const best: { cost: number; from: number; cue?: Cue }[] = [{ cost: 0, from: 0 }]
  for (let end = 1; end <= parts.length; end++) {
    let choice: (typeof best)[number] = { cost: Infinity, from: end - 1 }
    for (let from = end - 1; from >= 0; from--) {
      const cue = cueOf(parts.slice(from, end), rules)
      if (cue === undefined) break
      const cost = (best[from]?.cost ?? 0) + costOf(cue, parts[end - 1], parts[end], rules)
      if (cost < choice.cost) choice = { cost, from, cue }
    }
    best.push(choice)
  }
  const cues: Cue[] = []
  for (let end = parts.length; end > 0;) {
    const choice = best[end]
    if (choice?.cue === undefined) break
    cues.unshift(choice.cue)
    if (final.channel !== undefined) choice.cue.speaker ??= `Channel ${final.channel}`
    end = choice.from
  }
  return cues
}

/**
 * Gives a cue its place between its neighbours: it begins no earlier than the one before has ended, and stays
 * as long as it takes to read, or until the next one begins.
 */
export function placeCue(cue: Cue, previousEndMs: number, nextStartMs: number, rules: CueRules): Cue {
  const startMs = Math.round(Math.max(cue.startMs, previousEndMs))
  const spokenEndMs = Math.max(cue.endMs, startMs + 1)
  const readEndMs = startMs + Math.min(readingMs(cue, rules), rules.maxCueMs)
  return { ...cue, startMs, endMs: Math.round(Math.max(spokenEndMs, Math.min(readEndMs, nextStartMs))) }
}

/** How long a cue must stand to be read. */
export function readingMs(cue: Cue, rules: CueRules): number {
  return Math.max(rules.minCueMs, (columns(cue.lines.join(' ')) / rules.maxCharsPerSecond) * 1000)
}

/** The cues of a whole stream's finals, in order. */
export function cuesOf(finals: Iterable<TranscriptionEvent>, rules: Partial<CueRules> = {}): Cue[] {
  const all = { ...CUE_RULES, ...rules }
  const cues: Cue[] = []
  for (const final of finals)
    if (final.isFinal) cues.push(...cuesOfFinal(final, cues.at(-1)?.endMs ?? 0, all))
  let previousEndMs = 0
  return cues.map((cue, i) => {
    const placed = placeCue(cue, previousEndMs, cues[i + 1]?.startMs ?? Infinity, all)
    previousEndMs = placed.endMs
    return placed
  })
}

/** A part that fills more than a line is cut, its time shared out by length; one that lasts too long is shortened. */
function cutLongPart(part: TimedText, rules: CueRules): TimedText[] {
  const endMs = Math.min(part.endMs, part.startMs + rules.maxCueMs)
  if (columns(part.text.trimEnd()) <= rules.maxLineChars) return [{ ...part, endMs }]
  const msPerChar = (endMs - part.startMs) / part.text.length
  let { startMs } = part
  return cutLongText(part.text, rules.maxLineChars).map(text => {
    const piece = { ...part, text, startMs, endMs: startMs + text.length * msPerChar }
    startMs = piece.endMs
    return piece
  })
}

/** Undefined when the parts do not belong in one cue. */
function cueOf(parts: readonly TimedText[], rules: CueRules): Cue | undefined {
  const [first, second] = parts
  const last = parts.at(-1)
  if (first === undefined || last === undefined) return undefined
  if (last.endMs - first.startMs > rules.maxCueMs) return undefined
  // The search grows a cue towards the front, so only its newest pair needs a look.
  if (second && (second.startMs - first.endMs > MAX_PAUSE_MS || second.speaker !== first.speaker))
    return undefined
  const lines = captionLines(
    parts.map(part => part.text),
    rules.maxLineChars,
    rules.maxLines,
  )
  if (lines === undefined) return undefined
  const cue: Cue = { startMs: first.startMs, endMs: last.endMs, lines }
  if (first.speaker !== undefined) cue.speaker = first.speaker
  return cue
}

function costOf(cue: Cue, last: TimedText | undefined, next: TimedText | undefined, rules: CueRules): number {
  const used = columns(cue.lines.join(' ')) / (rules.maxLineChars * rules.maxLines)
  const tooShort = Math.max(0, 1 - (cue.endMs - cue.startMs) / Math.max(rules.minCueMs, 1))
  return (1 - used) ** 2 + tooShort + breakCost(last, next)
}

function breakCost(last: TimedText | undefined, next: TimedText | undefined): number {
  if (last === undefined || next === undefined) return 0
  if (/[.!?…。！？][^\p{L}\p{N}]*$/u.test(last.text)) return BREAK_COST.sentence
  if (/[,;:—、，；：][^\p{L}\p{N}]*$/u.test(last.text)) return BREAK_COST.clause
  return next.startMs - last.endMs >= NOTED_PAUSE_MS ? BREAK_COST.pause : BREAK_COST.word
}

import { captionTime } from './caption-time.js'
import type { Cue } from './cues.js'

/** One block of a SubRip file. `number` counts from 1. The format knows no speakers and has no escapes. */
export function formatSrtCue(cue: Cue, number: number): string {
  const times = `${captionTime(cue.startMs, ',')} --> ${captionTime(cue.endMs, ',')}`
  // A reader could take an arrow in the text for a line of times.
  return `${number}\n${times}\n${cue.lines.join('\n').replaceAll('-->', '->')}\n\n`
}

/** A whole SubRip (.srt) file. */
export function formatSrt(cues: readonly Cue[]): string {
  return cues.map((cue, i) => formatSrtCue(cue, i + 1)).join('')
}

import { captionTime } from './caption-time.js'
import type { Cue } from './cues.js'

/** What every WebVTT file begins with. */
export const VTT_HEADER = 'WEBVTT\n\n'

/** One block of a WebVTT file; a labelled speaker becomes its voice (`<v Speaker>`). */
export function formatVttCue(cue: Cue): string {
  const times = `${captionTime(cue.startMs, '.')} --> ${captionTime(cue.endMs, '.')}`
  const voice = cue.speaker === undefined ? '' : `<v ${escapeVtt(cue.speaker).replace(/\s+/g, ' ')}>`
  return `${times}\n${voice}${escapeVtt(cue.lines.join('\n'))}\n\n`
}

/** A whole WebVTT (.vtt) file. */
export function formatVtt(cues: readonly Cue[]): string {
  return VTT_HEADER + cues.map(formatVttCue).join('')
}

/** Tags and references must not arise from text; with '>' escaped no arrow can stand in it either. */
function escapeVtt(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

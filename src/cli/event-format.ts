import { captions } from '../captions/captions.js'
import type { SttEvent, TranscriptionEvent } from '../stt/events.js'

export const FORMATS = ['text', 'json', 'srt', 'vtt'] as const
export type Format = (typeof FORMATS)[number]

/** Ending of the files that `--out-dir` makes. */
export const FILE_ENDINGS: Record<Format, string> = { text: 'txt', json: 'jsonl', srt: 'srt', vtt: 'vtt' }

/** Turns the events of one file into text; '' where there is nothing to write yet. */
export interface EventFormatter {
  format(event: SttEvent): string
  /** What remains at the end, also of an empty stream. */
  end(): string
}

export interface EventFormatOptions {
  format: Format
  /** Name of the input: in JSON, and before each line of text where `manyFiles`. */
  file: string
  manyFiles: boolean
  /** Word times in text too. */
  words: boolean
}

export function eventFormatter({ format, file, manyFiles, words }: EventFormatOptions): EventFormatter {
  switch (format) {
    case 'json':
      return { format: event => `${JSON.stringify({ file, ...event })}\n`, end: () => '' }
    case 'text': {
      const prefix = manyFiles ? `${file}: ` : ''
      return { format: event => (isFinal(event) ? textOf(event, prefix, words) : ''), end: () => '' }
    }
    case 'srt':
    case 'vtt':
      return captionFormatter(format)
  }
}

function textOf(final: TranscriptionEvent, prefix: string, words: boolean): string {
  const channel = final.channel === undefined ? '' : `channel ${final.channel}: `
  const lines = [
    channel + final.transcript.replace(/\s+/g, ' '),
    ...(words ? final.wordTimestamps.map(wordLine) : []),
  ]
  return lines.map(line => `${prefix}${line}\n`).join('')
}

/** Start and end in seconds, the word, and how sure the service is of it: columns for cut and awk. */
function wordLine({
  word,
  startMs,
  endMs,
  confidence,
}: TranscriptionEvent['wordTimestamps'][number]): string {
  const columns = [(startMs / 1000).toFixed(3), (endMs / 1000).toFixed(3), word, confidence?.toFixed(2) ?? '']
  return `\t${columns.join('\t')}`
}

function captionFormatter(format: 'srt' | 'vtt'): EventFormatter {
  const stream = captions({ format })
  const take = (): string => (stream.read() as string | null) ?? ''
  return {
    // The transform works at once, so what a write made can be read after it.
    format: event => {
      stream.write(event)
      return take()
    },
    end: () => {
      stream.end()
      return take()
    },
  }
}

function isFinal(event: SttEvent): event is TranscriptionEvent {
  return event.type === 'transcription' && event.isFinal
}

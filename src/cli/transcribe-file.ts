import { basename } from 'node:path'
import type { SttEvent } from '../stt/events.js'
import type { SttStream } from '../stt-stream.js'
import type { EventFormatter } from './event-format.js'
import { reportNotices } from './notices.js'
import type { Output } from './output.js'
import { Progress } from './progress.js'
import type { Reporter } from './report.js'

export interface FileRun {
  file: string
  stream: SttStream
  formatter: EventFormatter
  output: Output
  reporter: Reporter
  /** Shown while it runs; undefined = not at all. */
  progressOn?: NodeJS.WriteStream
  /** Of the audio, where it is known. */
  durationMs?: number
}

/** Takes one running transcription to its end; fails with the stream's error once what came before is written. */
export async function transcribeFile({
  file,
  stream,
  formatter,
  output,
  reporter,
  progressOn,
  durationMs,
}: FileRun): Promise<void> {
  reportNotices(stream, file, reporter)
  const progress =
    progressOn &&
    new Progress({
      stream: progressOn,
      file: basename(file),
      durationMs,
      positionMs: () => {
        const { channels = [], ...all } = stream.stats()
        const ways = channels.length > 0 ? channels : [all]
        return Math.min(...ways.map(({ sentMs, insertedMs, replayedMs }) => sentMs - insertedMs - replayedMs))
      },
    })
  const write = async (text: string): Promise<void> => {
    if (text === '') return
    progress?.clear()
    await output.write(text)
  }
  try {
    for await (const event of stream as AsyncIterable<SttEvent>) await write(formatter.format(event))
  } finally {
    progress?.stop()
    await write(formatter.end())
  }
}

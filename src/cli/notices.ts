import type { SttError } from '../errors.js'
import type { SttStream } from '../stt-stream.js'
import type { Reporter } from './report.js'

/** Tells what happens to a stream besides its results, under the name of its source. */
export function reportNotices(stream: SttStream, source: string, reporter: Reporter): void {
  stream.on('warning', (warning: { code: string; message: string }) => reporter.warning(warning, source))
  stream.on('reconnecting', (loss: { cause: SttError; delayMs: number }) =>
    reporter.reconnecting(loss, source),
  )
  stream.on('reconnected', (replay: { lostMs: number }) => reporter.reconnected(replay, source))
}

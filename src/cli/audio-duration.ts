import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { durationMs, type PcmFormat } from '../audio/pcm-format.js'
import { pathOf } from '../audio/sources.js'

const FFPROBE_TIMEOUT_MS = 5_000

/** How long a file plays, in ms, for a progress bar alone: undefined where that is not easily known. */
export async function audioDurationMs(source: string, raw?: PcmFormat): Promise<number | undefined> {
  const file = source === '-' ? undefined : pathOf(source)
  // Of standard input and of the web it is known at the end.
  if (file === undefined) return undefined
  const facts = await stat(file).catch(() => undefined)
  // A pipe can be read only once.
  if (!facts?.isFile()) return undefined
  if (raw !== undefined) return durationMs(raw, facts.size)
  const args = [
    '-v',
    'error',
    '-show_entries',
    'format=duration',
    '-of',
    'default=nokey=1:noprint_wrappers=1',
  ]
  try {
    const { stdout } = await promisify(execFile)('ffprobe', [...args, '-i', `file:${file}`], {
      timeout: FFPROBE_TIMEOUT_MS,
    })
    const seconds = Number.parseFloat(stdout)
    return seconds > 0 ? seconds * 1000 : undefined
  } catch {
    return undefined
  }
}

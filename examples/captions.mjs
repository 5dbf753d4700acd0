/**
 * Subtitles of a recording or a film, as WebVTT on stdout. `sttstream transcribe --format vtt` does the same.
 *
 *   node examples/captions.mjs film.mkv > film.vtt
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { captions, sttStream } from 'sttstream'

const [file] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'

await pipeline(
  createReadStream(file),
  // Captions are cut by the times of the words.
  sttStream({ url, includeWordTimestamps: true, interimResults: false }),
  captions({ format: 'vtt', maxLineChars: 37 }),
  process.stdout,
)

/**
 * A recording in one call, as text and as subtitles. By HTTP where the service is, so that no ffmpeg is needed and
 * nothing is paced; what one request cannot hold becomes a job. Over the stream where there is only a stream's URL.
 *
 *   node examples/whole-file.mjs meeting.mp3
 *   INWORLD_API_KEY=… STT_HTTP_URL=https://api.inworld.ai node examples/whole-file.mjs meeting.mp3
 */
import { cuesOf, formatSrt, transcribe, transcribeFile } from 'sttstream'

const [file] = process.argv.slice(2)
const { STT_HTTP_URL, STT_URL = 'local' } = process.env
const includeWordTimestamps = true

try {
  const { text, turns, lostMs } = STT_HTTP_URL
    ? await transcribeFile(file, { url: STT_HTTP_URL, job: 'auto', includeWordTimestamps })
    : await transcribe(file, { url: STT_URL, includeWordTimestamps })
  console.log(text)
  if (lostMs > 0) console.log(`(${lostMs} ms may be missing)`)
  console.log(formatSrt(cuesOf(turns)))
} catch (error) {
  console.error(`${error.code}: ${error.message}`)
  // What had been transcribed by then; transcribe() leaves it.
  if (error.transcript) console.log(error.transcript.text)
  process.exitCode = 1
}

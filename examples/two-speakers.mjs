/**
 * A call recorded in stereo, one speaker on each side: each gets a session of its own, so that nobody's words are
 * mixed with another's. The turns come in the order in which they begin.
 *
 *   node examples/two-speakers.mjs call.wav
 */
import { sttStream } from 'sttstream'

const [path] = process.argv.slice(2)
const stream = sttStream({
  url: process.env.STT_URL ?? 'local',
  path,
  channels: 'separate',
  // A file can wait for the right order as long as it takes; a live display would not.
  mergeWaitMs: false,
})
for await (const { type, isFinal, transcript, channel, startMs } of stream)
  if (type === 'transcription' && isFinal) console.log(`${startMs} ms, channel ${channel}: ${transcript}`)

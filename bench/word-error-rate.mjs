// Word error rate and real-time factor of the local recogniser through the whole pipeline.
// node bench/word-error-rate.mjs FOLDER
// FOLDER holds recordings and transcripts.tsv: a header line, then file, transcript, … separated by tabs.
import { cpus } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { sttStream } from 'sttstream'
import { countErrors, readTranscripts, wordsOf } from './word-errors.mjs'

const [folder] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node bench/word-error-rate.mjs FOLDER')
  process.exit(2)
}

const total = { words: 0, errors: 0, audioMs: 0, wallMs: 0 }
const delay = monitorEventLoopDelay({ resolution: 1 })
console.log(`node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores`)
console.log('errors/words    WER  audio s    RTF  file')
for (const { path, file, spoken } of readTranscripts(folder)) {
  const startedMs = performance.now()
  const stream = sttStream({ url: 'local', path, interimResults: false })
  stream.once('open', () => delay.enable())
  const finals = []
  for await (const event of stream) if (event.type === 'transcription') finals.push(event.transcript)
  delay.disable()
  const wallMs = performance.now() - startedMs
  const heard = wordsOf(finals.join(' '))
  const wrong = countErrors(spoken, heard)
  const audioMs = stream.stats().sentMs
  total.words += spoken.length
  total.errors += wrong
  total.audioMs += audioMs
  total.wallMs += wallMs
  print(wrong, spoken.length, audioMs, wallMs, `${file}: ${heard.join(' ')}`)
}
print(total.errors, total.words, total.audioMs, total.wallMs, 'overall')
console.log(
  `event-loop delay while decoding, client and server in one process: p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
)

function print(wrong, said, audioMs, wallMs, label) {
  const rate = `${((100 * wrong) / Math.max(1, said)).toFixed(1)} %`
  const seconds = (audioMs / 1_000).toFixed(1)
  const factor = (wallMs / audioMs).toFixed(2)
  console.log(
    `${`${wrong}/${said}`.padStart(12)} ${rate.padStart(7)} ${seconds.padStart(8)} ${factor.padStart(6)}  ${label}`,
  )
}

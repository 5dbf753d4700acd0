// Word error rate and speed of the local recogniser alone: one utterance per file, a fresh session each.
// Usage: node bench/recogniser-alone.mjs DIRECTORY
// DIRECTORY holds recordings and transcripts.tsv (file, transcript; a header line); needs ffmpeg on the PATH.
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { pocketsphinxRecognizer } from 'sttstream/testing'
import { countErrors, readTranscripts, wordsOf } from './word-errors.mjs'

const CHUNK_SAMPLES = 1_600
const SAMPLES_PER_SECOND = 16_000

function readAudio(path) {
  const format = ['-ac', '1', '-ar', '16000', '-f', 's16le', '-']
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', path, ...format], { maxBuffer: 2 ** 30 })
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

async function recognise(recogniser, pcm) {
  const session = await recogniser.open({})
  session.start()
  for (let at = 0; at < pcm.length; at += CHUNK_SAMPLES) {
    await session.push(pcm.subarray(at, at + CHUNK_SAMPLES))
  }
  const pushed = performance.now()
  const { text } = await session.finish()
  const finishMs = performance.now() - pushed
  await session.close()
  return { text, finishMs }
}

const [directory] = process.argv.slice(2)
if (!directory) throw new TypeError('usage: node bench/recogniser-alone.mjs DIRECTORY')
const started = performance.now()
const recogniser = await pocketsphinxRecognizer({ sessions: 2 })
const startMs = performance.now() - started
console.log(`${cpus()[0].model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`)
console.log(`first decoder ready after ${startMs.toFixed(0)} ms`)

const total = { errors: 0, words: 0, audioS: 0, wallS: 0 }
for (const { path, file, spoken } of readTranscripts(directory)) {
  const pcm = readAudio(path)
  const begun = performance.now()
  const { text, finishMs } = await recognise(recogniser, pcm)
  const wallS = (performance.now() - begun) / 1000
  const audioS = pcm.length / SAMPLES_PER_SECOND
  const errors = countErrors(spoken, wordsOf(text))
  total.errors += errors
  total.words += spoken.length
  total.audioS += audioS
  total.wallS += wallS
  const wer = ((100 * errors) / spoken.length).toFixed(0).padStart(3)
  const speed = `RTF ${(wallS / audioS).toFixed(2)}, final after ${finishMs.toFixed(0)} ms`
  console.log(`${wer} % (${errors}/${spoken.length})  ${file}  ${speed}  ${text}`)
}
await recogniser.close()
const { errors, words, audioS, wallS } = total
console.log(
  `WER ${((100 * errors) / words).toFixed(1)} % (${errors}/${words}), RTF ${(wallS / audioS).toFixed(2)}`,
)

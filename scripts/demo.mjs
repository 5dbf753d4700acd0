#!/usr/bin/env node
/**
 * The whole way once, with no key and no internet: recordings of human speech, one as WAV and one as mp3, through
 * sttStream to a local server with a real recogniser.
 *
 *   node scripts/demo.mjs [FILE…]     other recordings instead
 */
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SttError, sttStream } from 'sttstream'
import { startLocalServer } from 'sttstream/testing'

const SPEECH = '/usr/share/pocketsphinx/test/data/librivox'
const CHAPTER = 'sense_and_sensibility_01_austen_64kb'
const FFMPEG_TIMEOUT_MS = 30_000

/** Two sentences of a public-domain reading of "Sense and Sensibility" (LibriVox). */
function recordings(directory) {
  const wav = join(SPEECH, `${CHAPTER}-0870.wav`)
  const source = join(SPEECH, `${CHAPTER}-0930.wav`)
  if (!existsSync(wav) || !existsSync(source))
    throw new Error(`no recordings in ${SPEECH}; run: node scripts/setup.mjs`)
  const mp3 = join(directory, 'amiable.mp3')
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', source, '-b:a', '48k', mp3], {
    timeout: FFMPEG_TIMEOUT_MS,
  })
  return [
    { path: wav, spoken: transcriptOf(wav) },
    { path: mp3, spoken: transcriptOf(source) },
  ]
}

/** Its line in the list that comes with the recordings: `<s> the words </s> (name)`. */
function transcriptOf(wav) {
  const line = readFileSync(join(SPEECH, 'transcription'), 'utf8')
    .split('\n')
    .find(text => text.includes(`(${basename(wav, '.wav')})`))
  return line?.replace(/<\/?s>|\(.*\)/g, '').trim()
}

async function transcribe({ path, spoken }, url, signal) {
  const started = performance.now()
  const source = createReadStream(path)
  const stream = source.pipe(sttStream({ url, includeWordTimestamps: true, signal }))
  source.on('error', error => stream.destroy(error))
  const finals = []
  console.log(`\n${basename(path)}`)
  for await (const event of stream) {
    if (event.type !== 'transcription') continue
    if (event.isFinal) finals.push(event)
    show(event)
  }
  if (finals.length === 0) throw new Error(`${basename(path)}: nothing was recognised`)
  if (spoken !== undefined) console.log(`  spoken:  ${spoken}`)
  return {
    finals,
    audioSeconds: stream.stats().decodedMs / 1000,
    wallSeconds: (performance.now() - started) / 1000,
  }
}

/** Interims overwrite each other on a terminal. */
function show({ isFinal, transcript }) {
  const line = `  ${isFinal ? 'final: ' : 'interim:'} ${transcript}`
  if (!process.stdout.isTTY) return console.log(line)
  const shown = isFinal ? line : line.slice(0, (process.stdout.columns || 80) - 1)
  process.stdout.write(`\r\x1b[K${shown}${isFinal ? '\n' : ''}`)
}

function summarise(results) {
  const sum = key => results.reduce((total, result) => total + result[key], 0)
  const [audio, wall] = [sum('audioSeconds'), sum('wallSeconds')]
  console.log(
    `\n${audio.toFixed(1)} s of audio in ${wall.toFixed(1)} s: ${(audio / wall).toFixed(1)} times real time`,
  )
  console.log('\nwords of the last final:')
  for (const { word, startMs, endMs } of results.at(-1).finals.at(-1).wordTimestamps) {
    console.log(
      `  ${(startMs / 1000).toFixed(2).padStart(6)} ${(endMs / 1000).toFixed(2).padStart(6)}  ${word}`,
    )
  }
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
const directory = mkdtempSync(join(tmpdir(), 'sttstream-demo-'))
let server
try {
  const own = process.argv.slice(2)
  const sources = own.length > 0 ? own.map(path => ({ path })) : recordings(directory)
  server = await startLocalServer()
  console.log(`local server: ${server.url}`)
  const results = []
  for (const source of sources) results.push(await transcribe(source, server.url, stop.signal))
  summarise(results)
} catch (error) {
  process.exitCode = stop.signal.aborted ? 130 : 1
  if (!stop.signal.aborted) {
    const code = error instanceof SttError ? `${error.code}: ` : ''
    console.error(`\ndemo failed: ${code}${error.message}`)
    if (code)
      console.error('What helps is in docs/errors.md, under this code. Often it is: node scripts/setup.mjs')
  }
} finally {
  await server?.close()
  rmSync(directory, { recursive: true, force: true })
}

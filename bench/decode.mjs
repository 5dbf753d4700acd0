/**
 * Whole files through decode, resample and frame, beside the ffmpeg command that does the same with libsoxr: wall
 * time in turns, and the ratio of their medians; then how soon the first frame comes, and the memory.
 *
 *   node bench/decode.mjs [--minutes 60] [--rounds 5] [--way 'by path']
 *
 * Needs `npm run build`, and ffmpeg with libsoxr. Without --way all ways are tried.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { decode, frame, resample } from '../dist/index.js'
import { wavHeader } from '../dist/audio/wav-header.js'
import { describeMachine } from './machine.mjs'
import { median } from './statistics.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    way: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(
    "node bench/decode.mjs [--minutes 60] [--rounds 5] [--way 'by path' | written | 'written, ffmpeg']",
  )
  process.exit()
}
const minutes = Number(values.minutes)
const rounds = Number(values.rounds)
const STEREO = { encoding: 's16le', sampleRateHertz: 44_100, channels: 2 }
const FILES = {
  'a.wav': [],
  'a.flac': [],
  'a.mp3': ['-b:a', '128k'],
  'a.m4a': ['-b:a', '128k'],
  'a.opus': ['-c:a', 'libopus', '-ar', '48000'],
}
const WAYS = { 'by path': { byPath: true }, written: {}, 'written, ffmpeg': { decoder: 'ffmpeg' } }

const directory = await mkdtemp(join(tmpdir(), 'sttstream-bench-'))
try {
  console.log(machineLine(), '\n')
  await makeFiles()
  await throughput()
  await startUp()
} finally {
  await rm(directory, { recursive: true })
}

async function throughput() {
  console.log(`${minutes} minutes of 44.1 kHz stereo, seconds of wall time, median of ${rounds}, in turns`)
  console.log('file     way              ours  ffmpeg  ratio  times real time  own RSS  child RSS')
  for (const file of Object.keys(FILES)) {
    for (const [way, options] of Object.entries(WAYS)) {
      if (values.way !== undefined && way !== values.way) continue
      if (way === 'written, ffmpeg' && !['a.mp3', 'a.opus'].includes(file)) continue
      const ours = []
      const theirs = []
      let last
      for (let round = -1; round < rounds; round++) {
        const [own, reference] = [await run(file, options), await ffmpegAlone(file)]
        last = own
        if (round < 0) continue
        ours.push(own.seconds)
        theirs.push(reference)
      }
      const [own, reference] = [median(ours), median(theirs)]
      console.log(
        file.padEnd(8),
        way.padEnd(15),
        own.toFixed(2).padStart(5),
        reference.toFixed(2).padStart(7),
        (own / reference).toFixed(2).padStart(6),
        ((minutes * 60) / own).toFixed(0).padStart(16),
        `${last.ownMiB.toFixed(0)} MiB`.padStart(8),
        `${last.childMiB.toFixed(0)} MiB`.padStart(10),
      )
    }
  }
}

async function startUp() {
  console.log(
    `\nms from the first bytes to the first frame of 20 ms: first of the process, then median of 20`,
  )
  console.log('file     way              first  then')
  for (const file of Object.keys(FILES)) {
    for (const [way, options] of Object.entries(WAYS)) {
      const times = []
      for (let i = 0; i < 21; i++) times.push((await run(file, options, true)).firstMs)
      const [first, ...rest] = times
      console.log(
        file.padEnd(8),
        way.padEnd(15),
        first.toFixed(1).padStart(6),
        median(rest).toFixed(1).padStart(6),
      )
    }
  }
}

/** @param firstOnly whether to stop at the first frame */
async function run(file, { byPath = false, decoder = 'auto' }, firstOnly = false) {
  const path = join(directory, file)
  const startMs = performance.now()
  const decoding = decode({ decoder, ...(byPath && { path }) })
  let firstMs
  const aborter = new AbortController()
  const sink = new Writable({
    objectMode: true,
    write(_frame, _encoding, callback) {
      firstMs ??= performance.now() - startMs
      if (firstOnly) aborter.abort()
      callback()
    },
  })
  let childMiB = 0
  const watch = firstOnly
    ? undefined
    : setInterval(async () => (childMiB = Math.max(childMiB, await childrenMiB())), 100)
  const sources = byPath ? [] : [createReadStream(path)]
  const stages = [
    ...sources,
    decoding,
    resample({ format: decoding }),
    frame({ frameMs: firstOnly ? 20 : 100 }),
    sink,
  ]
  await pipeline(stages, { signal: aborter.signal }).catch(error => {
    if (error.name !== 'AbortError') throw error
  })
  clearInterval(watch)
  if (!decoding.closed) await new Promise(resolve => decoding.once('close', resolve))
  const ownMiB = process.memoryUsage.rss() / 2 ** 20
  return { seconds: (performance.now() - startMs) / 1000, firstMs, ownMiB, childMiB }
}

async function ffmpegAlone(file) {
  const startMs = performance.now()
  const args = ['-v', 'error', '-nostdin', '-i', join(directory, file), '-af', 'aresample=resampler=soxr']
  const child = spawn('ffmpeg', [...args, '-ar', '16000', '-ac', '1', '-f', 's16le', '-y', '/dev/null'])
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ffmpeg exited with code ${code}`)
  return (performance.now() - startMs) / 1000
}

/** The largest ffmpeg that this process has running, in MiB; 0 where there is no /proc. */
async function childrenMiB() {
  try {
    const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')
    const sizes = children
      .split(' ')
      .filter(Boolean)
      .map(async pid =>
        Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
      )
    return Math.max(0, ...(await Promise.all(sizes))) / 1024
  } catch {
    return 0
  }
}

/** Noise with the rhythm and the spectrum of speech: coders work on it as they do on speech. */
async function makeFiles() {
  const seconds = 60
  const pcm = Buffer.alloc(seconds * STEREO.sampleRateHertz * 4)
  let state = 1
  let low = 0
  for (let i = 0; i < pcm.length / 4; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    low += 0.05 * ((state / 2 ** 32 - 0.5) * 60_000 - low)
    const seconds = i / STEREO.sampleRateHertz
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 4 * seconds)) * (seconds % 5 < 4 ? 1 : 0)
    const voice =
      6_000 * Math.sin(2 * Math.PI * 130 * seconds) + 2_500 * Math.sin(2 * Math.PI * 910 * seconds)
    pcm.writeInt16LE(Math.round(syllable * (low + voice)), i * 4)
    pcm.writeInt16LE(Math.round(syllable * (0.7 * low + voice)), i * 4 + 2)
  }
  const minute = join(directory, 'minute.wav')
  await writeFile(minute, Buffer.concat([wavHeader(STEREO, pcm.length), pcm]))
  for (const [file, args] of Object.entries(FILES)) {
    const input = ['-stream_loop', String(minutes - 1), '-i', minute]
    const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', ...input, ...args, join(directory, file)])
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`ffmpeg could not make ${file}`)
  }
}

function machineLine() {
  const { cpu, cores, system, node, commit } = describeMachine()
  return `${cpu}, ${cores} cores, ${system}, Node ${node}, commit ${commit}`
}

/**
 * What inspection adds to decode → resample → frame: pairs of the same audio with it and without it, in turns, and
 * what it costs alone. Ratios of medians; a stream's fixed part is what the short ones show.
 *
 *   node bench/inspection.mjs [rounds]     default 9; needs `npm run build`
 */
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { decode } from '../dist/audio/decode.js'
import { frame } from '../dist/audio/frame.js'
import { Inspector } from '../dist/audio/inspect.js'
import { resample } from '../dist/audio/resample.js'

const CHUNK_BYTES = 65_536
const rounds = Number(process.argv[2] ?? 9)
const FORMATS = {
  '8 kHz mulaw, raw': { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 },
  '16 kHz s16le, WAV': { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
  '44.1 kHz s16le stereo, WAV': { encoding: 's16le', sampleRateHertz: 44_100, channels: 2 },
}

console.log(`Node ${process.version}; medians of ${rounds}, us of CPU per second of audio`)
for (const [name, format] of Object.entries(FORMATS)) {
  for (const seconds of [600, 60, 10]) await measure(name, format, seconds)
}

async function measure(name, format, seconds) {
  const samples = voiceLike(format, seconds)
  const isWav = name.endsWith('WAV')
  const input = isWav ? Buffer.concat([wavHeader(format, samples.length), samples]) : samples
  const costs = { without: [], with: [], alone: [] }
  // The first rounds warm up. A short piece is repeated, or the clock would be too coarse.
  const times = Math.ceil(60 / seconds)
  for (let round = -2; round < rounds; round++) {
    const pair = {
      without: await cpuOf(times, () => run(input, { ...(isWav ? {} : { input: format }), inspect: false })),
      with: await cpuOf(times, () => run(input, isWav ? {} : { input: format })),
      alone: await cpuOf(times, () => inspect(format, samples, !isWav)),
    }
    if (round >= 0) for (const [key, cost] of Object.entries(pair)) costs[key].push(cost / seconds)
  }
  const { without, alone } = Object.fromEntries(
    Object.entries(costs).map(([key, list]) => [key, median(list)]),
  )
  const added = median(costs.with.map((cost, i) => cost / costs.without[i])) - 1
  const show = value => value.toFixed(2).padStart(8)
  console.log(
    `${name}, ${seconds} s`.padEnd(36),
    `without ${show(without)}  inspection ${show(alone)} = ${show((100 * alone) / without)} %  paired ${show(100 * added)} %`,
  )
}

async function cpuOf(times, action) {
  const start = process.cpuUsage()
  for (let i = 0; i < times; i++) await action()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / times
}

async function run(bytes, options) {
  const decoder = decode(options)
  const sink = new Writable({ objectMode: true, write: (_frame, _encoding, done) => done() })
  await pipeline(
    Readable.from(chunksOf(bytes)),
    decoder,
    resample({ format: decoder }),
    frame({ frameMs: 100 }),
    sink,
  )
}

/** @param isDeclared whether the rate is judged too, as of audio that was declared raw */
function inspect(format, samples, isDeclared) {
  const inspector = new Inspector(format, () => {}, isDeclared)
  for (const chunk of chunksOf(samples)) inspector.look(chunk)
  inspector.end()
}

function* chunksOf(bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
}

/** Syllables of a buzz through two formants, which passes for a voice: nothing is skipped for want of one. */
function voiceLike({ encoding, sampleRateHertz, channels }, seconds) {
  const size = encoding === 'mulaw' ? 1 : 2
  const bytes = Buffer.alloc(seconds * sampleRateHertz * channels * size)
  for (let i = 0; i < bytes.length / size / channels; i++) {
    const t = i / sampleRateHertz
    const pulse = (t * 120) % 1
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 3.7 * t))
    const sample = syllable * Math.exp(-8 * pulse) * Math.sin(2 * Math.PI * 600 * (pulse / 120)) * 20_000
    for (let c = 0; c < channels; c++) {
      const at = (i * channels + c) * size
      if (size === 1) bytes[at] = sample < 0 ? 0x7f - (Math.abs(sample) >> 9) : 0xff - (sample >> 9)
      else bytes.writeInt16LE(Math.round(sample), at)
    }
  }
  return bytes
}

function wavHeader({ sampleRateHertz, channels }, dataBytes) {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + dataBytes, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRateHertz, 24)
  header.writeUInt32LE(sampleRateHertz * channels * 2, 28)
  header.writeUInt16LE(channels * 2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(dataBytes, 40)
  return header
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

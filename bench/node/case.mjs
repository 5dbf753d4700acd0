// What bench/run.mjs runs for the resamplers for Node, one process per case. The commands and their arguments are
// those of bench/native/main.cc. Usage: node --expose-gc case.mjs COMMAND name=value...
import { readFileSync, writeFileSync } from 'node:fs'
import { listPeers } from './peers/index.mjs'

const WARM_UP_MS = 250
const WARM_UP_BATCH = 10
const [command, ...assignments] = process.argv.slice(2)
const values = Object.fromEntries(assignments.map(assignment => assignment.split(/=(.*)/s, 2)))
const format = { sampleRateHertz: Number(values.rate), channels: Number(values.channels) }
// Only the peer's own module: what others do when they are imported must not count.
const { peers = [] } = values.module ? await import(`./peers/${values.module}`) : {}
const peer = peers.find(({ name }) => name === values.peer)
const chunkBytes = Number(values.chunk) * format.channels * 2

const COMMANDS = { list: listPeers, speed, call, convert, outputs, opening }
console.log(JSON.stringify(await COMMANDS[command]()))
// Some peers keep threads that hold the process open.
process.exit()

/** Whole chunks of the input, each as a Buffer of its own. */
function readChunks() {
  const input = readFileSync(values.input)
  const count = Math.floor(input.length / chunkBytes)
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(input.subarray(i * chunkBytes, (i + 1) * chunkBytes)),
  )
}

function speed() {
  return time(readChunks())
}

/** What a call costs that finds nothing to do. */
function call() {
  return time([Buffer.alloc(0)])
}

/** CPU time of all threads: garbage collection and a peer's helpers count. */
async function time(chunks) {
  const push = await peer.open(format)
  let next = 0
  const run = count => {
    for (let i = 0; i < count; i++) {
      push(chunks[next])
      next = (next + 1) % chunks.length
    }
  }
  const started = performance.now()
  let warmUp = 0
  for (; performance.now() < started + WARM_UP_MS; warmUp += WARM_UP_BATCH) run(WARM_UP_BATCH)
  const count = Math.ceil((warmUp * Number(values.milliseconds)) / WARM_UP_MS)
  const before = process.cpuUsage()
  run(count)
  const { user, system } = process.cpuUsage(before)
  return { secondsPerChunk: (user + system) / (1e6 * count) }
}

async function convert() {
  const input = readFileSync(values.input)
  const segmentBytes = Number(values.segment) * format.channels * 2
  const segmentOutputs = Math.floor((Number(values.segment) * 16_000) / format.sampleRateHertz)
  const segments = []
  for (let start = 0; start + segmentBytes <= input.length; start += segmentBytes) {
    const push = await peer.open(format)
    const output = new Int16Array(segmentOutputs)
    let written = 0
    for (let at = 0; at < segmentBytes && written < segmentOutputs; at += chunkBytes) {
      const from = start + at
      const chunk = Buffer.from(input.subarray(from, Math.min(from + chunkBytes, start + segmentBytes)))
      const samples = push(chunk).subarray(0, segmentOutputs - written)
      output.set(samples, written)
      written += samples.length
    }
    segments.push(Buffer.from(output.buffer))
  }
  writeFileSync(values.output, Buffer.concat(segments))
  return {}
}

async function outputs() {
  const push = await peer.open(format)
  let total = 0
  return readChunks().map(chunk => (total += push(chunk).length))
}

async function opening() {
  const silence = Buffer.alloc(chunkBytes)
  const streams = []
  const each = []
  const open = async () => {
    const started = performance.now()
    const push = await peer.open(format)
    push(silence)
    const us = 1_000 * (performance.now() - started)
    streams.push(push)
    return us
  }
  const firstUs = await open()
  const before = memoryBytes()
  for (let i = 0; i < Number(values.streams); i++) each.push(await open())
  const nextBytes = Math.max(0, Math.round((memoryBytes() - before) / Number(values.streams)))
  each.sort((a, b) => a - b)
  return { firstUs, nextUs: each[each.length >> 1], nextBytes }
}

/** What the process holds: JavaScript's heap, wasm and native memory alike. */
function memoryBytes() {
  globalThis.gc()
  return process.memoryUsage.rss()
}

/**
 * The whole way of a phone call inside one process: CPU per second of call, calls per core, memory per call.
 * Both sides parse the same JSON text and send 100 ms messages to the same WebSocket server in another process.
 */
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { pinned } from '../machine.mjs'
import { CORE } from '../peers.mjs'
import { command } from '../setup/command.mjs'
import { median, significant } from '../statistics.mjs'

const FOLDER = join(import.meta.dirname, '..', 'node', 'pipeline')
const IMPLEMENTATIONS = ['sttstream', 'naive linear', 'naive cubic']
const EFFORT = {
  full: { launches: 5, calls: 50, seconds: 30 },
  quick: { launches: 1, calls: 10, seconds: 3 },
}

export const steps = ({ quick }) => IMPLEMENTATIONS.length * EFFORT[quick ? 'quick' : 'full'].launches

export async function measure({ quick, progress }) {
  const { launches, calls, seconds } = EFFORT[quick ? 'quick' : 'full']
  const runs = Object.fromEntries(IMPLEMENTATIONS.map(name => [name, []]))
  for (let launch = 0; launch < launches; launch++) {
    for (const name of IMPLEMENTATIONS) {
      progress.step(`phone calls, ${name}`)
      try {
        runs[name].push(await runImplementation(name, calls, seconds))
      } catch (error) {
        // The npm peers may be missing here.
        runs[name].refused = error.message.split('\n').find(line => line.includes('Error')) ?? error.message
      }
    }
  }
  return {
    calls,
    seconds,
    implementations: Object.fromEntries(IMPLEMENTATIONS.map(name => [name, summary(runs[name])])),
  }
}

async function runImplementation(name, calls, seconds) {
  const sink = fork(join(FOLDER, 'sink.mjs'))
  try {
    const { port } = await new Promise((resolve, reject) =>
      sink.once('message', resolve).once('error', reject),
    )
    let audioMessages = 0
    sink.on('message', message => (audioMessages += message.audioMessages ?? 0))
    const args = ['--expose-gc', join(FOLDER, 'case.mjs'), name, `ws://127.0.0.1:${port}`, calls, seconds]
    const [executable, all] = pinned(CORE, process.execPath, args.map(String))
    const figures = JSON.parse(await command(executable, all))
    // Every call sends all its audio, the two warm-ups of 2 s included.
    const expected = 10 * (calls * (seconds + 2) + 2)
    if (audioMessages < expected) {
      throw new Error(`Error: the far end had ${audioMessages} of ${expected} audio messages`)
    }
    return figures
  } finally {
    sink.disconnect()
  }
}

function summary(runs) {
  if (runs.length === 0) return { refused: runs.refused }
  const of = field => median(runs.map(run => run[field]))
  const us = of('cpuUsPerCallSecond')
  return {
    cpuUsPerCallSecond: significant(us),
    callsPerCore: Math.round(1e6 / us),
    heapBytesPerCall: Math.round(of('heapBytesPerCall')),
    residentBytesPerCall: Math.round(of('residentBytesPerCall')),
  }
}

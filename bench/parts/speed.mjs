/**
 * CPU time per chunk. The native peers take turns in one process, round after round; the others get a process each
 * and are launched in turn, several times. Ratios are taken within a round, or launch, and then their median. Of
 * our addon also what a call costs by itself, with an empty chunk.
 */
import { runCase, runNative } from '../peers.mjs'
import { stimulus } from '../quality/stimuli.mjs'
import { median, significant } from '../statistics.mjs'

const REFERENCE = 'libsoxr HQ'
const REFERENCE_NO_DITHER = 'libsoxr HQ no dither'
const CHUNKS_MS = [20, 100]

const EFFORT = {
  full: { rounds: 31, roundMs: 20, launches: 5, launchMs: 1_000, inputSeconds: 60 },
  quick: { rounds: 3, roundMs: 5, launches: 1, launchMs: 100, inputSeconds: 10 },
}

export const steps = ({ peers, formats, quick }) => {
  const { rounds, launches } = EFFORT[quick ? 'quick' : 'full']
  const nodePeers = peers.filter(({ kind }) => kind === 'node').length
  const native = nodePeers < peers.length ? CHUNKS_MS.length * rounds : 0
  return formats.length * (native + launches * nodePeers)
}

export async function measure({ peers, formats, quick, roofline, progress }) {
  const effort = EFFORT[quick ? 'quick' : 'full']
  const speed = {}
  for (const format of formats) {
    speed[format.name] = {
      ...(await measureNative(peers, format, effort, roofline, progress)),
      ...(await measureNode(peers, format, effort, progress)),
    }
  }
  return speed
}

async function measureNative(peers, format, effort, roofline, progress) {
  const names = peers.filter(({ kind }) => kind === 'native').map(({ name }) => name)
  if (names.length === 0) return {}
  const figures = {}
  for (const chunkMs of CHUNKS_MS) {
    const values = {
      ...caseOf(format, chunkMs, effort),
      peers: names.join(','),
      milliseconds: effort.roundMs,
      rounds: effort.rounds,
    }
    const onLine = () => progress.step(`speed, ${format.title}, ${chunkMs} ms chunks`)
    const runs = await runNative('speed', values, { onLine })
    for (const run of runs) {
      const seconds = run.secondsPerChunk
      const us = 1e6 * median(seconds)
      const perOutput = (1_000 * us) / (16 * chunkMs)
      const gigaMacs = run.macsPerOutput / perOutput
      const peak = rooflineOf(run.name, roofline)
      figures[run.name] ??= {}
      figures[run.name][`${chunkMs}ms`] = {
        ...timing(us, chunkMs),
        nsPerOutput: significant(perOutput),
        fastestUs: significant(1e6 * Math.min(...seconds)),
        timesSoxrHq: pairedRatio(runs, REFERENCE, seconds),
        timesSoxrHqNoDither: pairedRatio(runs, REFERENCE_NO_DITHER, seconds),
        ...(run.macsPerOutput > 0 && {
          macsPerOutput: run.macsPerOutput,
          gigaMacs: significant(gigaMacs, 3),
          shareOfRoofline: peak ? significant(gigaMacs / peak, 3) : null,
        }),
      }
    }
  }
  return figures
}

async function measureNode(peers, format, effort, progress) {
  const chunkMs = 20
  const chosen = peers.filter(({ kind }) => kind === 'node')
  const seconds = Object.fromEntries(chosen.map(({ name }) => [name, []]))
  const callSeconds = Object.fromEntries(chosen.filter(isAddon).map(({ name }) => [name, []]))
  for (let launch = 0; launch < effort.launches; launch++) {
    for (const peer of chosen) {
      progress.step(`speed, ${format.title}, ${peer.name}`)
      const values = { ...caseOf(format, chunkMs, effort), milliseconds: effort.launchMs }
      const { secondsPerChunk } = await runCase(peer, 'speed', values)
      seconds[peer.name].push(secondsPerChunk)
      if (!isAddon(peer)) continue
      const empty = await runCase(peer, 'call', values)
      callSeconds[peer.name].push(empty.secondsPerChunk)
    }
  }
  return Object.fromEntries(
    chosen.map(peer => [
      peer.name,
      {
        '20ms': timing(median(seconds[peer.name]) * 1e6, chunkMs),
        ...(isAddon(peer) && { callNs: significant(1e9 * median(callSeconds[peer.name]), 3) }),
      },
    ]),
  )
}

function isAddon({ name }) {
  return /^sttstream .*, addon$/.test(name)
}

function caseOf({ sampleRateHertz, channels }, chunkMs, { inputSeconds }) {
  return {
    rate: sampleRateHertz,
    channels,
    chunk: Math.round((sampleRateHertz * chunkMs) / 1_000),
    input: stimulus('load', sampleRateHertz, { channels, seconds: inputSeconds }),
  }
}

function timing(us, chunkMs) {
  return { us: significant(us), timesRealTime: significant((1_000 * chunkMs) / us) }
}

function pairedRatio(runs, reference, seconds) {
  const other = runs.find(({ name }) => name === reference)?.secondsPerChunk
  return other ? significant(median(seconds.map((own, round) => other[round] / own)), 3) : null
}

/** A forced instruction set is held against its own peak, the rest against the machine's best. */
function rooflineOf(name, roofline = {}) {
  const forced = Object.keys(roofline).find(set => name.toLowerCase().includes(set))
  return forced ? roofline[forced] : Math.max(0, ...Object.values(roofline))
}

/**
 * Cold start and memory of a stream, its first chunk of 20 ms included: of the first one of a process, and of those
 * after it while others of the same rate are open. Memory is counted by malloc for native peers, where the C library
 * tells, and by the process's resident set for the others.
 */
import { runCase } from '../peers.mjs'
import { median, significant } from '../statistics.mjs'

const STREAMS = { native: 1_000, node: 200 }
const LAUNCHES = { full: 5, quick: 1 }

export const steps = ({ peers, formats }) => peers.length * formats.length

export async function measure({ peers, formats, quick, progress }) {
  const opening = {}
  for (const { name: format, title, sampleRateHertz, channels } of formats) {
    opening[format] = {}
    for (const peer of peers) {
      progress.step(`cold start and memory, ${title}, ${peer.name}`)
      const values = {
        rate: sampleRateHertz,
        channels,
        chunk: Math.round(sampleRateHertz / 50),
        streams: quick ? 50 : STREAMS[peer.kind],
      }
      const launches = []
      try {
        for (let i = 0; i < LAUNCHES[quick ? 'quick' : 'full']; i++) {
          launches.push(await runCase(peer, 'opening', values))
        }
      } catch {
        continue
      }
      const of = field => significant(median(launches.map(launch => launch[field])))
      opening[format][peer.name] = {
        firstUs: of('firstUs'),
        nextUs: of('nextUs'),
        bytesPerStream: of('nextBytes'),
        ...(peer.kind === 'native' && { firstBytes: of('firstBytes') }),
      }
    }
  }
  return opening
}

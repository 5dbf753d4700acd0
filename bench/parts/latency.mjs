/**
 * How far behind its input a live stream of 20 ms chunks stands: time fed, minus time come out, plus the delay that
 * the output itself carries (from the part quality). Sampled after every chunk, the first second left out.
 */
import { runCase } from '../peers.mjs'
import { stimulus } from '../quality/stimuli.mjs'
import { significant } from '../statistics.mjs'

const SECONDS = 10

export const steps = ({ peers, rates }) => peers.length * rates.length

export async function measure({ peers, rates, quality, progress }) {
  const latency = {}
  for (const rate of rates) {
    latency[rate] = {}
    for (const peer of peers) {
      progress.step(`latency, ${rate} Hz, ${peer.name}`)
      const delayMs = quality?.[rate]?.[peer.name]?.delayMs
      const lags = await lagsOf(peer, rate)
      if (!lags) continue
      const mean = lags.reduce((sum, lag) => sum + lag, 0) / lags.length
      latency[rate][peer.name] = {
        meanMs: delayMs === undefined ? null : significant(mean + delayMs, 3),
        maxMs: delayMs === undefined ? null : significant(Math.max(...lags) + delayMs, 3),
        heldBackMeanMs: significant(mean, 3),
      }
    }
  }
  return latency
}

async function lagsOf(peer, rate) {
  const chunk = Math.round(rate / 50)
  const input = stimulus('load', rate, { seconds: SECONDS })
  try {
    const totals = await runCase(peer, 'outputs', { rate, channels: 1, chunk, input })
    return totals.map((outputs, i) => ((i + 1) * chunk * 1_000) / rate - outputs / 16).slice(50)
  } catch {
    // It refuses the rate, as the part quality has told.
    return undefined
  }
}

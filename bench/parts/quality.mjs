/** What each peer makes of the same int16 stimuli, streamed in chunks of 20 ms; how is told in docs/resampler.md. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WORK } from '../paths.mjs'
import { runCase } from '../peers.mjs'
import { passband, response, sinad, worstLine } from '../quality/analysis.mjs'
import * as stimuli from '../quality/stimuli.mjs'

const round = (value, digits = 1) => Math.round(value * 10 ** digits) / 10 ** digits

export const steps = ({ peers, rates }) => peers.length * rates.length

export async function measure({ peers, rates, quick, progress }) {
  const quality = {}
  for (const rate of rates) {
    quality[rate] = {}
    for (const peer of peers) {
      progress.step(`quality, ${rate} Hz, ${peer.name}`)
      quality[rate][peer.name] = await measurePeer(peer, rate, quick)
    }
  }
  return quality
}

/** The sweep as the peer resampled it; the pictures read it. */
export function sweepOutput(peerName) {
  return join(WORK, 'outputs', `sweep-${peerName.replace(/[^a-z0-9]+/gi, '-')}.s16`)
}

async function measurePeer(peer, rate, quick) {
  try {
    const responseSamples = await resampled(peer, 'response', rate, stimuli.RESPONSE_SECONDS * rate)
    const measured = response(responseSamples, rate)
    const tones = await measureTones(peer, rate, quick)
    const sinadSamples = await resampled(peer, 'sinad', rate, stimuli.SINAD_SECONDS * rate)
    const half = sinadSamples.length / 2
    const [low, high] = stimuli
      .sinadTones(rate)
      .map((hertz, i) => round(sinad(sinadSamples.subarray(i * half, (i + 1) * half), hertz), 2))
    if (rate === 48_000) {
      await resampled(peer, 'sweep', rate, stimuli.SWEEP_SECONDS * rate, { output: sweepOutput(peer.name) })
    }
    return {
      ...passband(measured, rate),
      ...tones.worst,
      sinadLowDb: low,
      sinadHighDb: high,
      delayMs: round(measured.delayMs, 3),
      response: { hertz: measured.tones, db: measured.gains.map(gain => round(gain, 4)) },
      alias: tones.alias,
      image: tones.image,
    }
  } catch (error) {
    return { refused: error.message.split('\n').at(-1) }
  }
}

async function measureTones(peer, rate, quick) {
  const { alias, image } = stimuli.sweepTones(rate, quick)
  const samples = await resampled(peer, 'tones', rate, stimuli.toneSeconds(quick) * rate, { quick })
  const length = samples.length / (alias.length + image.length)
  const line = (index, except) =>
    round(worstLine(samples.subarray(index * length, (index + 1) * length), except))
  const aliasDb = alias.map((_, i) => line(i))
  const imageDb = image.map((hertz, i) => line(alias.length + i, hertz))
  const band = stimuli.bandHertz(rate)
  const worst = (tones, levels, inside) => {
    const chosen = levels.filter((_, i) => inside(tones[i] / band))
    return chosen.length > 0 ? Math.max(...chosen) : null
  }
  return {
    alias: { hertz: alias, db: aliasDb },
    image: { hertz: image, db: imageDb },
    worst: {
      // From where nothing may fold at all, and from where it may if what is told apart by it is no speech.
      aliasFrom502Db: worst(alias, aliasDb, share => share >= 0.5019),
      aliasFrom55Db: worst(alias, aliasDb, share => share >= 0.55),
      imageTo498Db: worst(image, imageDb, () => true),
      imageTo45Db: worst(image, imageDb, share => share <= 0.4501),
    },
  }
}

async function resampled(peer, kind, rate, segment, { quick = false, output } = {}) {
  const folder = join(WORK, 'outputs')
  mkdirSync(folder, { recursive: true })
  const path = output ?? join(folder, `${kind}.s16`)
  const chunk = Math.round(rate / 50)
  const input = stimuli.stimulus(kind, rate, { quick })
  await runCase(peer, 'convert', { rate, channels: 1, chunk, segment, input, output: path })
  const bytes = readFileSync(path)
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}

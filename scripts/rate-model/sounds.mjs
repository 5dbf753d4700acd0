/** What is no speech, made: tones as telephones give them, noise that swells, buzzes and scales. */
import { seeded } from './seeded.mjs'

const RATE = 16_000
const SECONDS = 8

/** @returns {{speaker: string, kind: 'sounds', samples: Float32Array}[]} */
export function sounds() {
  const random = seeded(11)
  const between = (low, high) => low * (high / low) ** random()
  const makers = { tone, pair, keys, scale, buzz, noise }
  return Object.entries(makers).flatMap(([name, make]) =>
    Array.from({ length: 5 }, (_, i) => {
      const sound = make(between)
      const samples = Float32Array.from({ length: SECONDS * RATE }, (_, t) => 0.2 * sound(t / RATE))
      return { speaker: `${name} ${i}`, kind: 'sounds', samples }
    }),
  )

  function noise() {
    const rhythm = beat(between)
    return t => rhythm(t) * (2 * random() - 1)
  }
}

function tone(between) {
  const [hertz, rhythm] = [between(100, 2_000), beat(between)]
  return t => rhythm(t) * sine(hertz, t)
}

/** As of ringing and engaged lines. */
function pair(between) {
  const [low, high, rhythm] = [between(300, 500), between(400, 700), beat(between)]
  return t => (rhythm(t) * (sine(low, t) + sine(high, t))) / 2
}

/** Of a telephone. */
function keys(between) {
  const duration = between(0.08, 0.4)
  return t => {
    const key = Math.floor(t / duration)
    const low = [697, 770, 852, 941][(key * 7) % 4]
    const high = [1_209, 1_336, 1_477][(key * 5) % 3]
    return t % duration < 0.6 * duration ? (sine(low, t) + sine(high, t)) / 2 : 0
  }
}

function scale(between) {
  const [root, duration] = [between(80, 500), between(0.1, 0.6)]
  const steps = [0, 2, 4, 5, 7, 9, 11, 12]
  return t => {
    const hertz = root * 2 ** (steps[Math.floor(t / duration) % 8] / 12)
    const fading = Math.exp((-3 * (t % duration)) / duration)
    return (fading * (sine(hertz, t) + sine(1.25 * hertz, t) + sine(2 * hertz, t))) / 3
  }
}

function buzz(between) {
  const [hertz, rhythm] = [between(30, 700), beat(between)]
  return t => rhythm(t) * (2 * ((t * hertz) % 1) - 1)
}

/** Steady, on and off, or swelling. */
function beat(between) {
  const hertz = between(0.2, 8)
  const kind = Math.floor(between(1, 8)) % 3
  if (kind === 0) return () => 1
  return kind === 1 ? t => ((t * hertz) % 1 < 0.5 ? 1 : 0) : t => Math.max(0, sine(hertz, t))
}

const sine = (hertz, t) => Math.sin(2 * Math.PI * hertz * t)

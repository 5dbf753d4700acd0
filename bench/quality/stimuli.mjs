import { mkdirSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WORK } from '../paths.mjs'
import { randomFrom } from './random.mjs'

/** -1 dBFS of a sine. */
export const TONE_AMPLITUDE = 32_768 * 10 ** (-1 / 20)
const SWEEP_AMPLITUDE = 32_768 * 10 ** (-6 / 20)
export const SWEEP_SECONDS = 8
export const RESPONSE_SECONDS = 4
export const RESPONSE_SPACING_HERTZ = 10
export const SINAD_SECONDS = 3

/**
 * Noise in LSB rms that the output must hold so that its rounding is no distortion: with it a tone far below one LSB
 * is measured as truly as a loud one.
 */
const OUTPUT_DITHER = 0.6
const SEED = 20_240_229

/** What rates have in common: the band is set by the lower one. */
export const bandHertz = rate => Math.min(rate, 16_000)

/** Tones that must not appear (alias), and tones of the band whose images must not. */
export function sweepTones(rate, quick) {
  const band = bandHertz(rate)
  const alias = []
  if (rate > 16_000) {
    for (let f = 0.502 * 16_000; f < 9_100; f += quick ? 192 : 24) alias.push(f)
    for (let f = 9_250; f < 0.496 * rate; f += quick ? 2_500 : 500) alias.push(f)
  }
  const image = []
  for (let share = 0.02; share < 0.49; share += quick ? 0.08 : 0.02) image.push(share * band)
  image.push(0.498 * band)
  return { alias: alias.map(Math.round), image: image.map(Math.round) }
}

export const toneSeconds = quick => (quick ? 3 : 5)
export const sinadTones = rate => (rate < 16_000 ? [1_000.3, 3_000.3] : [1_000.3, 7_000.7])
export const responseTones = rate => {
  const count = Math.ceil(Math.min(rate, 16_000) / 2 / RESPONSE_SPACING_HERTZ) - 1
  return Array.from({ length: count }, (_, i) => (i + 1) * RESPONSE_SPACING_HERTZ)
}

/** Phases after Schroeder (1970): the crest factor of many tones stays near that of one. */
export const responsePhase = (index, count) => (-Math.PI * index * index) / count

/** Writes the file once and returns its path. Mono int16 but for `load`. */
export function stimulus(kind, rate, { quick = false, channels = 1, seconds = 60 } = {}) {
  const folder = join(WORK, 'stimuli')
  const path = join(folder, `${kind}-${rate}x${channels}-${quick ? 'quick' : 'full'}-${seconds}.s16`)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const samples = MAKERS[kind](rate, { quick, channels, seconds })
    writeFileSync(path, Buffer.from(samples.buffer))
  }
  return path
}

const MAKERS = { load, tones, response, sinad, sweep }

/** For speed: noise and three tones, like nothing that a shortcut could serve. */
function load(rate, { channels, seconds }) {
  const { uniform } = randomFrom(SEED)
  const samples = new Int16Array(seconds * rate * channels)
  for (let i = 0; i < samples.length; i += channels) {
    const t = i / channels / rate
    const tones = [220, 1_250.5, 3_141.6].reduce((sum, f) => sum + Math.sin(2 * Math.PI * f * t), 0)
    for (let c = 0; c < channels; c++) {
      samples[i + c] = Math.round(5_000 * tones * (1 - 0.3 * c) + 6_000 * (uniform() - 0.5))
    }
  }
  return samples
}

function tones(rate, { quick }) {
  const { alias, image } = sweepTones(rate, quick)
  const length = toneSeconds(quick) * rate
  const all = [...alias, ...image]
  const samples = new Int16Array(all.length * length)
  const dither = ditherFor(rate)
  all.forEach((f, segment) => {
    for (let i = 0; i < length; i++) {
      samples[segment * length + i] = dither(TONE_AMPLITUDE * Math.sin((2 * Math.PI * f * i) / rate))
    }
  })
  return samples
}

function response(rate) {
  const frequencies = responseTones(rate)
  const length = RESPONSE_SECONDS * rate
  const sum = new Float64Array(length)
  frequencies.forEach((f, index) => {
    const phase = responsePhase(index, frequencies.length)
    for (let i = 0; i < length; i++) sum[i] += Math.cos((2 * Math.PI * f * i) / rate + phase)
  })
  const scale = responseAmplitude(rate)
  const dither = ditherFor(rate)
  return Int16Array.from(sum, value => dither(scale * value))
}

/** Of each tone: together they stay below full scale with room for a filter's overshoot. */
export function responseAmplitude(rate) {
  return (32_768 * 0.7) / (2 * Math.sqrt(responseTones(rate).length / 2))
}

/** Rounded, not dithered, as a player's or a phone's samples are. */
function sinad(rate) {
  const length = SINAD_SECONDS * rate
  const samples = new Int16Array(2 * length)
  sinadTones(rate).forEach((f, segment) => {
    for (let i = 0; i < length; i++) {
      samples[segment * length + i] = Math.round(TONE_AMPLITUDE * Math.sin((2 * Math.PI * f * i) / rate))
    }
  })
  return samples
}

/** From 0 Hz to half the rate, at a constant pace. */
function sweep(rate) {
  const length = SWEEP_SECONDS * rate
  const dither = ditherFor(rate)
  return Int16Array.from({ length }, (_, i) => {
    const cycles = (i * i) / (4 * length)
    return dither(SWEEP_AMPLITUDE * Math.sin(2 * Math.PI * (cycles % 1)))
  })
}

function ditherFor(rate) {
  const { normal } = randomFrom(SEED + rate)
  // Of the input's noise only what lies below 8 kHz comes through.
  const rms = OUTPUT_DITHER * Math.sqrt(Math.max(1, rate / 16_000))
  return value => Math.max(-32_768, Math.min(32_767, Math.round(value + rms * normal())))
}

import { Spectrum } from './spectrum.mjs'
import {
  RESPONSE_SPACING_HERTZ,
  responseAmplitude,
  responsePhase,
  responseTones,
  TONE_AMPLITUDE,
} from './stimuli.mjs'

const OUTPUT_RATE = 16_000
/** What a stream needs to fill, and what its filter may still hold at the end (libsoxr: 115 ms). */
const LEAD_IN = 0.4 * OUTPUT_RATE
const LEAD_OUT = 0.2 * OUTPUT_RATE
const db = power => 10 * Math.log10(power)
const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits

/** 7-term Blackman-Harris (Albrecht 2001): sidelobes at -180 dB, a main lobe of ±7 bins. */
const WINDOW_TERMS = [
  0.27105140069342, -0.43329793923448, 0.21812299954311, -0.06592544638803, 0.01081174209837,
  -0.00077658482522, 0.00001388721735,
]
const MAIN_LOBE_BINS = 8

const spectra = new Map()
function spectrumOf(size) {
  if (!spectra.has(size)) {
    const window = Float64Array.from({ length: size }, (_, i) =>
      WINDOW_TERMS.reduce((sum, term, k) => sum + term * Math.cos((2 * Math.PI * k * i) / size), 0),
    )
    const gain = window.reduce((sum, value) => sum + value, 0) / 2
    spectra.set(size, { window, gain, transform: new Spectrum(size) })
  }
  return spectra.get(size)
}

/** Mean power per bin over half-overlapping windows; a sine of amplitude a shows as a². */
function meanSpectrum(samples, size) {
  const { window, gain, transform } = spectrumOf(size)
  const mean = new Float64Array(size / 2)
  const power = new Float64Array(size / 2)
  const frame = new Float64Array(size)
  let frames = 0
  for (let start = LEAD_IN; start + size <= samples.length - LEAD_OUT; start += size / 2) {
    for (let i = 0; i < size; i++) frame[i] = samples[start + i] * window[i]
    transform.compute(frame, power)
    for (let k = 0; k < mean.length; k++) mean[k] += power[k]
    frames++
  }
  return mean.map(value => value / (frames * gain * gain))
}

/** The strongest line other than `exceptHertz`, in dB below the tone that went in. */
export function worstLine(samples, exceptHertz) {
  const size = 2 ** Math.floor(Math.log2((samples.length - LEAD_IN - LEAD_OUT) / 1.5))
  const power = meanSpectrum(samples, Math.min(size, 32_768))
  const hertzPerBin = OUTPUT_RATE / 2 / power.length
  let worst = 0
  for (let k = MAIN_LOBE_BINS; k < power.length; k++) {
    if (exceptHertz !== undefined && Math.abs(k - exceptHertz / hertzPerBin) < MAIN_LOBE_BINS) continue
    worst = Math.max(worst, power[k])
  }
  return db(worst / TONE_AMPLITUDE ** 2)
}

/** Everything in the output that is not the sine, which is taken out by least squares. */
export function sinad(samples, hertz) {
  const body = samples.subarray(LEAD_IN, samples.length - LEAD_OUT)
  const basis = [
    i => Math.cos((2 * Math.PI * hertz * i) / OUTPUT_RATE),
    i => Math.sin((2 * Math.PI * hertz * i) / OUTPUT_RATE),
    () => 1,
  ].map(shape => Float64Array.from(body, (_, i) => shape(i)))
  const matrix = basis.map(a => basis.map(b => dot(a, b)))
  const [cosine, sine, offset] = solve(
    matrix,
    basis.map(a => dot(a, body)),
  )
  let noise = 0
  for (let i = 0; i < body.length; i++) {
    noise += (body[i] - cosine * basis[0][i] - sine * basis[1][i] - offset) ** 2
  }
  return db((cosine * cosine + sine * sine) / 2 / (noise / body.length))
}

/**
 * Gain in dB at every tone of the response stimulus, and the delay in ms by which the output stands late, from the
 * slope of the phase. All tones are multiples of 10 Hz, so that the mean over periods of 100 ms holds them all.
 */
export function response(samples, rate) {
  const period = OUTPUT_RATE / RESPONSE_SPACING_HERTZ
  const mean = new Float64Array(period)
  let periods = 0
  for (let start = 0; start + period <= samples.length - LEAD_OUT; start += period) {
    if (start < LEAD_IN) continue
    for (let i = 0; i < period; i++) mean[i] += samples[start + i]
    periods++
  }
  const tones = responseTones(rate)
  const amplitude = responseAmplitude(rate)
  const lines = tones.map((hertz, index) => {
    let re = 0
    let im = 0
    for (let i = 0; i < period; i++) {
      const angle = (2 * Math.PI * hertz * i) / OUTPUT_RATE
      re += mean[i] * Math.cos(angle)
      im -= mean[i] * Math.sin(angle)
    }
    const scale = 2 / (period * periods * amplitude)
    return { hertz, re: re * scale, im: im * scale, phase: responsePhase(index, tones.length) }
  })
  const gains = lines.map(({ re, im }) => db(re * re + im * im))
  return {
    tones,
    gains,
    delayMs: delayMs(lines.filter(({ hertz }) => hertz <= 0.3 * Math.min(rate, 16_000))),
  }
}

/** Edges and ripple, relative to the gain at 1 kHz. */
export function passband({ tones, gains }, rate) {
  const reference = gains[tones.indexOf(1_000)]
  const relative = gains.map(gain => gain - reference)
  const flat = relative.filter((_, i) => tones[i] >= 60 && tones[i] <= 0.425 * Math.min(rate, 16_000))
  return {
    rippleDb: round(Math.max(...flat) - Math.min(...flat), 4),
    edge01Hertz: edge(tones, relative, -0.1),
    edge3Hertz: edge(tones, relative, -3),
    gainAt1kHzDb: round(reference, 3),
  }
}

/** Where the gain first falls below, above 1 kHz; null where it never does. */
function edge(tones, gains, levelDb) {
  for (let i = tones.indexOf(1_000) + 1; i < tones.length; i++) {
    if (gains[i] >= levelDb) continue
    const share = (gains[i - 1] - levelDb) / (gains[i - 1] - gains[i])
    return Math.round(tones[i - 1] + share * (tones[i] - tones[i - 1]))
  }
  return null
}

function delayMs(lines) {
  let turns = 0
  let last = 0
  const points = lines.map(({ hertz, re, im, phase }) => {
    // Only the difference counts, and it is less than half a turn from tone to tone up to 50 ms of delay.
    const turn = (Math.atan2(im, re) - phase) / (2 * Math.PI)
    const step = turn - last
    turns += step - Math.round(step)
    last = turn
    return { x: hertz, y: turns }
  })
  const n = points.length
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n
  const slope =
    points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) /
    points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  return -1_000 * slope
}

const dot = (a, b) => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Gaussian elimination; the matrix is small and far from singular. */
function solve(matrix, right) {
  const rows = matrix.map((row, i) => [...row, right[i]])
  rows.forEach((pivot, i) => {
    for (const [j, row] of rows.entries()) {
      if (j === i) continue
      const factor = row[i] / pivot[i]
      for (let k = i; k <= rows.length; k++) row[k] -= factor * pivot[k]
    }
  })
  return rows.map((row, i) => row[rows.length] / row[i])
}

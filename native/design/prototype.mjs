/**
 * The continuous prototype low-pass filter that every polyphase table samples (R. E. Crochiere and L. R. Rabiner,
 * "Multirate Digital Signal Processing", 1983, ch. 4): one function of time, in units of the band f, so that one
 * short vector of numbers serves every input rate.
 *
 *   h(t) = sum over k = 0..K of a_k cos(2 pi k t / T),  |t| < T/2, and 0 outside
 *   H(nu) = c_0 sinc(nu T) + sum over k = 1..K of c_k (sinc(nu T - k) + sinc(nu T + k)),  sinc(x) = sin(pi x) / (pi x)
 *   a_0 = c_0 / T,  a_k = 2 c_k / T
 *
 * The unknowns are the c_k: c_k = H(k / T), samples of the response itself, so c_0 = 1 makes unity gain at DC and the
 * program is well conditioned. A second equality, h(T/2) = 0, closes the ends: the tail then falls by 18 dB per octave
 * and not by 6, beyond any grid.
 */
import { minimax } from './minimax.mjs'

/** Grid points per 1/T, the width of H's lobes; those that crowd at the stopband's edge are narrower. */
const DENSITY = 12
const EDGE_DENSITY = 60
/** In lobes. */
const EDGE_WIDTH = 2
/** The grid's end, in f. Beyond it the tail falls faster than the weights of filter-specs.mjs. */
const GRID_END = 2.5

/**
 * @typedef {object} PrototypeSpec
 * @property {number} span T, in 1/f: the filter's length, and so its cost
 * @property {number} cosines K
 * @property {{ to: number, lowestDb: number, highestDb: number }[]} pass limits of the gain, each up to a frequency in f
 * @property {number} stop where the stopband begins, in f
 * @property {(nu: number) => number} stopDb the gain there that `nu` may reach, in dB
 */

/**
 * @param {PrototypeSpec} spec
 * @returns {{ cosines: number[], spareDb: number }} a_0..a_K, and by how much the stopband passes stopDb
 */
export function designPrototype({ span, cosines, pass, stop, stopDb }) {
  const step = 1 / (DENSITY * span)
  const rows = []
  let from = 0
  for (const { to, lowestDb, highestDb } of pass) {
    for (const nu of grid(from, to, step)) {
      rows.push({ values: responseRow(nu, span, cosines), lower: gain(lowestDb), upper: gain(highestDb) })
    }
    from = to
  }
  const edge = stop + EDGE_WIDTH / span
  for (const nu of [...grid(stop, edge, 1 / (EDGE_DENSITY * span)), ...grid(edge, GRID_END, step)]) {
    const limit = gain(stopDb(nu))
    rows.push({ values: responseRow(nu, span, cosines).map(value => value / limit) })
  }
  rows.push({ values: unit(cosines + 1), lower: 1, upper: 1 })
  rows.push({ values: endRow(cosines), lower: 0, upper: 0 })

  const { solution, largest } = minimax(cosines + 1, rows)
  return {
    cosines: Array.from(solution, (c, k) => (c * (k === 0 ? 1 : 2)) / span),
    spareDb: -20 * Math.log10(largest),
  }
}

function responseRow(nu, span, cosines) {
  const x = nu * span
  return Float64Array.from({ length: cosines + 1 }, (_, k) => (k === 0 ? sinc(x) : sinc(x - k) + sinc(x + k)))
}

/** T h(T/2) in terms of the c_k. */
function endRow(cosines) {
  return Float64Array.from({ length: cosines + 1 }, (_, k) => (k === 0 ? 1 : k % 2 === 0 ? 2 : -2))
}

function unit(length) {
  return Float64Array.from({ length }, (_, k) => (k === 0 ? 1 : 0))
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function gain(db) {
  return 10 ** (db / 20)
}

/** Both ends included, evenly, at most `step` apart. */
export function grid(from, to, step) {
  const steps = Math.ceil((to - from) / step)
  return Array.from({ length: steps + 1 }, (_, i) => from + ((to - from) * i) / steps)
}

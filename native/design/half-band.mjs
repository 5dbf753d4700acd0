/**
 * Half-band decimators by two: y[n] = x[2n] / 2 + sum over k = 0..K-1 of b_k (x[2n - 2k - 1] + x[2n + 2k + 1]).
 * With nu in units of the input rate,
 *
 *   G(nu) = 1/2 + 2 sum over k of b_k cos(2 pi (2k + 1) nu),  G(nu) + G(1/2 - nu) = 1,
 *
 * so the ripple of the passband is the stopband's, and half the problem is the whole (P. P. Vaidyanathan and T. Q. Nguyen,
 * "A 'trick' for the design of FIR half-band filters", IEEE Trans. Circuits and Systems 34, 1987): the stopband
 * [1/2 - pass edge, 1/2] is minimised alone. G(1/2) = 0 gives unity gain at DC.
 */
import { minimax } from './minimax.mjs'
import { grid } from './prototype.mjs'

const GRID_STEPS_PER_PAIR = 24
/** Fineness of the pass edges, in units of the input rate. */
const EDGE_STEP = 1e-4
/** Brings the stopband's gains near 1, far above the solver's tolerances. */
const SCALE = 1e5

/**
 * The filter of `pairs` tap pairs with the widest passband whose stopband lies `stopDb` down.
 * @returns {{ pairs: number, passEdge: number, taps: number[] }} passEdge in units of the input rate
 */
export function designHalfBand(pairs, stopDb) {
  let fits = 0
  let tooWide = 0.25 / EDGE_STEP
  while (tooWide - fits > 1) {
    const middle = Math.floor((fits + tooWide) / 2)
    if (attenuationDb(stopband(pairs, middle * EDGE_STEP).largest) >= stopDb) fits = middle
    else tooWide = middle
  }
  const passEdge = Number((fits * EDGE_STEP).toPrecision(4))
  const [, ...taps] = stopband(pairs, passEdge).solution
  return { pairs, passEdge, taps }
}

/** The unknowns are the centre tap, which is 1/2, and the b_k. */
function stopband(pairs, passEdge) {
  const rows = grid(0.5 - passEdge, 0.5, passEdge / (GRID_STEPS_PER_PAIR * pairs)).map(nu => ({
    values: responseRow(nu, pairs).map(value => value * SCALE),
  }))
  rows.push({
    values: Float64Array.from({ length: pairs + 1 }, (_, i) => (i === 0 ? 1 : 0)),
    lower: 0.5,
    upper: 0.5,
  })
  rows.push({ values: responseRow(0.5, pairs), lower: 0, upper: 0 })
  return minimax(pairs + 1, rows)
}

function attenuationDb(largest) {
  return -20 * Math.log10(largest / SCALE)
}

function responseRow(nu, pairs) {
  return Float64Array.from({ length: pairs + 1 }, (_, i) =>
    i === 0 ? 1 : 2 * Math.cos(2 * Math.PI * (2 * i - 1) * nu),
  )
}

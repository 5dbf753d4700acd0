/**
 * Minimax approximation as a linear program, after L. R. Rabiner, "The design of finite impulse response digital
 * filters using linear programming techniques", Bell System Technical Journal 51 (1972).
 *
 * Every response here is linear in its unknowns, so "as small as possible everywhere in the stopband" is: minimise
 * s under |response / weight| <= s at each frequency of a grid, beside limits that must hold. A grid dense enough
 * has thousands of rows and an optimum touches few of them; so the solver starts with every third, and each round
 * hands it the local maxima of what its solution violates, until nothing is violated. Rounds are cheap: the dual
 * simplex method resumes from its last basis.
 */
import loadHighs from 'highs'

const highs = await loadHighs()

/** Share of a limit's unit, or of s, that a row between two grid rows may overshoot. */
const TOLERANCE = 1e-6
const MAX_ROUNDS = 50

/**
 * One frequency of the grid. `values` times the unknowns is the response; it must lie in [lower, upper], or,
 * without these, is one of those whose largest magnitude is minimised.
 * @typedef {{ values: Float64Array, lower?: number, upper?: number }} Row
 */

/**
 * Unknowns with the smallest largest magnitude over the unlimited rows, and that magnitude.
 * @param {number} unknowns
 * @param {Row[]} rows in order of frequency, so that neighbours are neighbours
 * @returns {{ solution: Float64Array, largest: number }}
 * @throws {Error} when no solution meets the limits
 */
export function minimax(unknowns, rows) {
  return highs.withModel(model => {
    model.options.set({
      output_flag: false,
      presolve: 'off',
      // The rows are scaled by their weights already; a second scaling makes HiGHS's basis singular.
      simplex_scale_strategy: 0,
      primal_feasibility_tolerance: 1e-9,
      dual_feasibility_tolerance: 1e-9,
      small_matrix_value: 1e-12,
    })
    for (let i = 0; i < unknowns; i++) model.addVar(-highs.infinity, highs.infinity)
    model.addVar(0, highs.infinity)
    model.changeColCost(unknowns, 1)

    const taken = new Set()
    for (let i = 0; i < rows.length; i++) {
      if (i % 3 === 0 || rows[i].lower === rows[i].upper) take(i)
    }
    for (let round = 0; round < MAX_ROUNDS; round++) {
      model.run()
      if (model.getModelStatus() !== highs.constants.modelStatus.optimal) {
        throw new Error(`no filter meets these limits (HiGHS model status ${model.getModelStatus()})`)
      }
      const solution = model.getSolution().colValue
      const largest = solution[unknowns]
      const excess = rows.map(row => excessOf(row, solution, largest))
      const violated = excess.flatMap((value, i) => {
        const peak = !(excess[i - 1] > value) && !(excess[i + 1] > value)
        return value > TOLERANCE && peak && !taken.has(i) ? [i] : []
      })
      if (violated.length === 0) return { solution: solution.subarray(0, unknowns), largest }
      violated.forEach(take)
    }
    throw new Error(`the exchange did not settle within ${MAX_ROUNDS} rounds`)

    function take(i) {
      taken.add(i)
      const { values, lower, upper } = rows[i]
      if (isLimited(rows[i])) {
        addRow(lower, upper, values)
      } else {
        addRow(-highs.infinity, 0, Float64Array.of(...values, -1))
        addRow(0, highs.infinity, Float64Array.of(...values, 1))
      }
    }

    function addRow(lower, upper, values) {
      const indices = Int32Array.from(values, (_, k) => k)
      model.addRow(lower, upper, { indices, values })
    }
  })
}

function excessOf(row, solution, largest) {
  let response = 0
  for (let k = 0; k < row.values.length; k++) response += row.values[k] * solution[k]
  if (!isLimited(row)) return Math.abs(response) - largest
  return Math.max(response - row.upper, row.lower - response)
}

function isLimited(row) {
  return row.lower !== undefined
}

/**
 * A network with one hidden layer of tanh units and a softmax, taught by Adam (Kingma and Ba, ICLR 2015) over
 * standardised features. A row's weight is divided by the root of how many there are of its speaker.
 */
import { seeded, shuffle } from './seeded.mjs'

const UNITS = 16
const EPOCHS = 15
const BATCH = 256
const RATE = 0.01
const MOMENTUM = 0.9
const SQUARED_MOMENTUM = 0.999
const RIDGE = 0.001
/** This part of the hidden units is left out at each step (Srivastava et al., JMLR 2014): none may rule alone. */
const DROPPED = 0.3
/** All rows of a speed weigh so much: a false warning is worse than a miss. */
const SPEEDS = { slow: 1, right: 3, fast: 1 }
const NAMES = Object.keys(SPEEDS)

/**
 * @param {{features: number[], speed: 'slow' | 'right' | 'fast', speaker: string, weight: number}[]} rows
 * @returns {import('../../dist/audio/speed-network.js').SpeedModel} for features as they are measured
 */
export function train(rows) {
  const { means, deviations } = moments(rows)
  const inputs = rows.map(({ features }) => features.map((value, k) => (value - means[k]) / deviations[k]))
  const targets = rows.map(({ speed }) => NAMES.indexOf(speed))
  const weights = weightsOf(rows)
  const random = seeded(3)
  const hidden = new Layer(UNITS, means.length, random)
  const output = new Layer(NAMES.length, UNITS, random)
  const order = rows.map((_, i) => i)
  const batches = Math.floor(rows.length / BATCH)
  for (let step = 0; step < EPOCHS * batches; step++) {
    if (step % batches === 0) shuffle(order, random)
    const from = (step % batches) * BATCH
    for (const row of order.slice(from, from + BATCH)) {
      const inner = hidden.weigh(inputs[row]).map(Math.tanh)
      const kept = inner.map(() => (random() < DROPPED ? 0 : 1 / (1 - DROPPED)))
      const left = inner.map((value, unit) => value * kept[unit])
      const excess = softmax(output.weigh(left)).map(
        (probability, k) => ((probability - (k === targets[row] ? 1 : 0)) * weights[row]) / BATCH,
      )
      const blame = output.blame(excess).map((part, unit) => part * kept[unit] * (1 - inner[unit] ** 2))
      output.addSlope(excess, left)
      hidden.addSlope(blame, inputs[row])
    }
    const rate = RATE * (1 - step / (EPOCHS * batches))
    hidden.descend(rate, step + 1)
    output.descend(rate, step + 1)
  }
  return { hidden: unstandardised(hidden.rows(), means, deviations), output: output.rows() }
}

/** Units with a constant and a weight for each input, one after the other. */
class Layer {
  constructor(units, inputs, random) {
    this.units = units
    this.stride = inputs + 1
    const spread = 1.5 / Math.sqrt(inputs)
    this.weights = Float64Array.from({ length: units * this.stride }, () => spread * (2 * random() - 1))
    this.slope = new Float64Array(this.weights.length)
    this.momentum = new Float64Array(this.weights.length)
    this.squares = new Float64Array(this.weights.length)
  }

  weigh(inputs) {
    return Array.from({ length: this.units }, (_, unit) => {
      const at = unit * this.stride
      let sum = this.weights[at]
      for (let k = 1; k < this.stride; k++) sum += this.weights[at + k] * inputs[k - 1]
      return sum
    })
  }

  /** @returns how much each input has to do with the excess of the units */
  blame(excess) {
    return Array.from({ length: this.stride - 1 }, (_, k) =>
      excess.reduce((sum, part, unit) => sum + part * this.weights[unit * this.stride + k + 1], 0),
    )
  }

  addSlope(excess, inputs) {
    for (const [unit, part] of excess.entries()) {
      const at = unit * this.stride
      this.slope[at] += part
      for (let k = 1; k < this.stride; k++) this.slope[at + k] += part * inputs[k - 1]
    }
  }

  descend(rate, step) {
    const { weights, slope, momentum, squares } = this
    const unbias = Math.sqrt(1 - SQUARED_MOMENTUM ** step) / (1 - MOMENTUM ** step)
    for (let i = 0; i < weights.length; i++) {
      const ridge = i % this.stride === 0 ? 0 : RIDGE * weights[i]
      const change = slope[i] + ridge
      momentum[i] = MOMENTUM * momentum[i] + (1 - MOMENTUM) * change
      squares[i] = SQUARED_MOMENTUM * squares[i] + (1 - SQUARED_MOMENTUM) * change ** 2
      weights[i] -= (rate * unbias * momentum[i]) / (Math.sqrt(squares[i]) + 1e-8)
      slope[i] = 0
    }
  }

  rows() {
    return Array.from({ length: this.units }, (_, unit) => [
      ...this.weights.subarray(unit * this.stride, (unit + 1) * this.stride),
    ])
  }
}

function softmax(scores) {
  const top = Math.max(...scores)
  const powers = scores.map(score => Math.exp(score - top))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map(power => power / sum)
}

function weightsOf(rows) {
  const counts = new Map()
  for (const { speaker } of rows) counts.set(speaker, (counts.get(speaker) ?? 0) + 1)
  const weights = rows.map(({ speaker, weight }) => weight / Math.sqrt(counts.get(speaker)))
  const totals = Object.fromEntries(NAMES.map(name => [name, 0]))
  for (const [i, { speed }] of rows.entries()) totals[speed] += weights[i]
  const mean = 5 / rows.length
  return weights.map((weight, i) => (weight * SPEEDS[rows[i].speed]) / totals[rows[i].speed] / mean)
}

function moments(rows) {
  const mean = pick => rows.reduce((sum, { features }) => sum + pick(features), 0) / rows.length
  const means = rows[0].features.map((_, k) => mean(features => features[k]))
  const deviations = means.map((centre, k) => Math.sqrt(mean(features => (features[k] - centre) ** 2)) || 1)
  return { means, deviations }
}

function unstandardised(rows, means, deviations) {
  return rows.map(([constant, ...weights]) => {
    const scaled = weights.map((weight, k) => weight / deviations[k])
    return [scaled.reduce((sum, weight, k) => sum - weight * means[k], constant), ...scaled]
  })
}

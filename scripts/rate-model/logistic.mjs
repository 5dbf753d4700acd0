/**
 * Multinomial logistic regression with a ridge, by gradient descent with momentum over standardised features. Every
 * speaker weighs as much as the root of how many rows there are of it.
 */
const RIDGE = 0.003
const STEPS = 600
const RATE = 0.5
const MOMENTUM = 0.9

/** @returns {{fast: number[], slow: number[]}} a constant and a weight for each feature as it is measured */
export function train(rows) {
  const { means, deviations } = moments(rows.map(row => row.features))
  const inputs = rows.map(row => row.features.map((value, k) => (value - means[k]) / deviations[k]))
  const counts = countsOf(rows)
  const weights = rows.map(row => 1 / Math.sqrt(counts.get(row.speaker)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const size = means.length + 1
  const model = { fast: new Float64Array(size), slow: new Float64Array(size) }
  const speed = { fast: new Float64Array(size), slow: new Float64Array(size) }
  for (let step = 0; step < STEPS; step++) {
    const slope = { fast: new Float64Array(size), slow: new Float64Array(size) }
    for (const [i, input] of inputs.entries()) {
      const p = probabilities(model, input)
      for (const kind of ['fast', 'slow']) {
        const excess = ((p[kind] - (rows[i].class === kind ? 1 : 0)) * weights[i]) / total
        slope[kind][0] += excess
        for (let k = 1; k < size; k++) slope[kind][k] += excess * input[k - 1]
      }
    }
    for (const kind of ['fast', 'slow']) {
      for (let k = 0; k < size; k++) {
        const ridge = k === 0 ? 0 : RIDGE * model[kind][k]
        speed[kind][k] = MOMENTUM * speed[kind][k] - RATE * (slope[kind][k] + ridge)
        model[kind][k] += speed[kind][k]
      }
    }
  }
  return {
    fast: unstandardised(model.fast, means, deviations),
    slow: unstandardised(model.slow, means, deviations),
  }
}

function probabilities({ fast, slow }, features) {
  const [f, s] = [Math.exp(weigh(fast, features)), Math.exp(weigh(slow, features))]
  return { fast: f / (1 + f + s), slow: s / (1 + f + s) }
}

function weigh(weights, features) {
  let sum = weights[0]
  for (let k = 0; k < features.length; k++) sum += weights[k + 1] * features[k]
  return sum
}

function moments(vectors) {
  const mean = pick => vectors.reduce((sum, vector) => sum + pick(vector), 0) / vectors.length
  const means = vectors[0].map((_, k) => mean(vector => vector[k]))
  const deviations = means.map((centre, k) => Math.sqrt(mean(vector => (vector[k] - centre) ** 2)) || 1)
  return { means, deviations }
}

function countsOf(rows) {
  const counts = new Map()
  for (const { speaker } of rows) counts.set(speaker, (counts.get(speaker) ?? 0) + 1)
  return counts
}

function unstandardised(weights, means, deviations) {
  const scaled = means.map((_, k) => weights[k + 1] / deviations[k])
  return [means.reduce((constant, mean, k) => constant - mean * scaled[k], weights[0]), ...scaled]
}

/** A layer of units: of each a constant, then a weight for each input. */
export type Layer = readonly (readonly number[])[]

export interface SpeedModel {
  readonly hidden: Layer
  /** Three units: half the right speed, the right one, twice. */
  readonly output: Layer
}

export interface SpeedOdds {
  readonly slow: number
  readonly right: number
  readonly fast: number
}

/** @returns the probabilities that speech with these features is played at half its speed, at its own, at twice */
export function speedOdds(features: readonly number[], { hidden, output }: SpeedModel): SpeedOdds {
  const inner = weigh(hidden, features).map(Math.tanh)
  const scores = weigh(output, inner)
  const top = Math.max(...scores)
  const powers = scores.map(score => Math.exp(score - top))
  const sum = powers.reduce((total, power) => total + power, 0)
  const [slow, right, fast] = powers.map(power => power / sum) as [number, number, number]
  return { slow, right, fast }
}

function weigh(layer: Layer, inputs: readonly number[]): number[] {
  return layer.map(([constant = 0, ...weights]) =>
    weights.reduce((sum, weight, i) => sum + weight * inputs[i]!, constant),
  )
}

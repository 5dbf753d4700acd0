import type { BreakerOptions } from './circuit-breaker.js'

/** Limits that the streams of one fleet share. All durations in ms. */
export interface FleetOptions {
  /**
   * Streams that are connected at a time, whatever connections each has: an integer from 1, or Infinity. Further
   * ones wait. Default Infinity.
   */
  maxSessions?: number
  /** Connections that begin to open in a second, above 0; 0.5 is one every two seconds. Default Infinity. */
  maxHandshakesPerSecond?: number
  /** How many of them may begin at once after a quiet time: an integer from 1. Default 1, so they are evenly spaced. */
  handshakeBurst?: number
  /** How long a connection may wait for its turn, above 0. Default 30 000. */
  queueTimeoutMs?: number
  /** Streams that may wait for a place: an integer from 0. Default 1 000. */
  maxWaiting?: number
  /** What to do about a service that fails; false = nothing. Default: the defaults of its fields. */
  breaker?: (Partial<BreakerOptions> & { whenOpen?: WhenOpen }) | false
}

/** While the circuit is open, a connection waits its turn ('wait'), or fails at once ('fail'). */
export type WhenOpen = 'wait' | 'fail'

export type FleetSettings = Required<Omit<FleetOptions, 'breaker'>> & {
  breaker: (BreakerOptions & { whenOpen: WhenOpen }) | false
}

interface Range {
  default: number
  min?: number
  above?: number
  integer?: boolean
}

const LIMITS = {
  maxSessions: { default: Infinity, min: 1, integer: true },
  maxHandshakesPerSecond: { default: Infinity, above: 0 },
  handshakeBurst: { default: 1, min: 1, integer: true },
  queueTimeoutMs: { default: 30_000, above: 0 },
  maxWaiting: { default: 1_000, min: 0, integer: true },
} satisfies Record<string, Range>

const BREAKER_LIMITS = {
  failureThreshold: { default: 5, min: 1, integer: true },
  windowMs: { default: 30_000, above: 0 },
  openMs: { default: 10_000, above: 0 },
} satisfies Record<string, Range>

/** @throws TypeError, RangeError that name the option, what was expected and what came */
export function checkFleetOptions(options: FleetOptions = {}): FleetSettings {
  checkNames(options, 'options', [...Object.keys(LIMITS), 'breaker'])
  const { breaker = {}, ...limits } = options
  return {
    ...checkNumbers(limits, LIMITS, ''),
    breaker: breaker === false ? false : checkBreaker(breaker),
  }
}

function checkBreaker(breaker: Exclude<FleetOptions['breaker'], false | undefined>) {
  checkNames(breaker, 'breaker', [...Object.keys(BREAKER_LIMITS), 'whenOpen'])
  const { whenOpen = 'wait', ...numbers } = breaker
  const given: string = whenOpen
  if (given !== 'wait' && given !== 'fail') {
    throw new TypeError(`breaker.whenOpen must be 'wait' or 'fail'; got ${given}`)
  }
  return { ...checkNumbers(numbers, BREAKER_LIMITS, 'breaker.'), whenOpen }
}

function checkNames(given: unknown, what: string, names: string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${what} must be an object; got ${given === null ? 'null' : typeof given}`)
  }
  const unknown = Object.keys(given).find(name => !names.includes(name))
  if (unknown !== undefined) throw new TypeError(`${what} must be of ${names.join(', ')}; got '${unknown}'`)
}

function checkNumbers<Name extends string>(
  given: Partial<Record<Name, number>>,
  ranges: Record<Name, Range>,
  prefix: string,
): Record<Name, number> {
  const names = Object.keys(ranges) as Name[]
  const checked = names.map(name => {
    const { default: standard, min, above, integer = false } = ranges[name]
    const value: unknown = given[name] ?? standard
    const expected = `${integer ? 'an integer' : 'a number'} ${min === undefined ? `above ${above}` : `from ${min}`}`
    if (typeof value !== 'number') {
      throw new TypeError(
        `${prefix}${name} must be ${expected}; got ${value === null ? 'null' : typeof value}`,
      )
    }
    const inRange = min === undefined ? value > (above ?? 0) : value >= min
    // Infinity stands for no limit, in whole numbers too.
    const whole = !integer || Number.isInteger(value) || value === Infinity
    if (!inRange || !whole) throw new RangeError(`${prefix}${name} must be ${expected}; got ${value}`)
    return [name, value] as const
  })
  return Object.fromEntries(checked) as Record<Name, number>
}

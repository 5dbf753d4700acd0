import type { z } from 'zod'

/** A number where a number is due, only not this one, is a RangeError; every other misuse a TypeError. */
export function misuse(issue: z.core.$ZodIssue, message: string): TypeError | RangeError {
  return isOutOfRange(issue) ? new RangeError(message) : new TypeError(message)
}

/** NaN and fractions are zod's `invalid_type`. */
function isOutOfRange(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'too_small' || issue.code === 'too_big') return typeof issue.input === 'number'
  if (issue.code === 'invalid_union') return issue.errors.flat().some(isOutOfRange)
  return (
    issue.code === 'invalid_type' && typeof issue.input === 'number' && /^(number|int)$/.test(issue.expected)
  )
}

/** A short string is a word of the service or a language; a longer one may be somebody's text. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 30 ? `${value.length} characters` : `'${value}'`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  return Array.isArray(value) ? 'an array' : typeof value
}

/** The known name that `name` is, or differs from only in case, underscores or hyphens: `model_id` is `modelId`. */
export function knownSpelling(name: string, known: readonly string[]): string | undefined {
  const folded = fold(name)
  return known.find(candidate => fold(candidate) === folded)
}

function fold(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase()
}

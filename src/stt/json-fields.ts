/** Reading fields of parsed JSON whose types, units and spellings nobody promises. */
export type Fields = Record<string, unknown>

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The fields of an object under their camelCase names; undefined where the value is no object. One level only:
 * what lies deeper is read when it is asked for, so that no depth of nesting costs anything.
 */
export function fieldsOf(value: unknown): Fields | undefined {
  if (!isRecord(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camelCase(key), inner]))
}

/** The same for each object of a list, and for a lone object where a list is due. */
export function fieldsOfEach(value: unknown): Fields[] {
  const values: unknown[] = Array.isArray(value) ? value : [value]
  return values.map(fieldsOf).filter(fields => fields !== undefined)
}

/** Numbers may come as strings: int64 in protobuf JSON. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined
  const result = typeof value === 'string' ? Number(value) : value
  return typeof result === 'number' && Number.isFinite(result) ? result : undefined
}

/** A time or duration in ms: `nameMs`, or in seconds `name`, `nameSeconds`, which protobuf may write as '1.5s'. */
export function milliseconds(fields: Fields, name: string): number | undefined {
  const seconds = number(withoutUnit(fields[name])) ?? number(fields[`${name}Seconds`])
  // Rounded to µs, because 0.57 · 1000 is not 570 in binary.
  const ms =
    number(fields[`${name}Ms`]) ?? (seconds === undefined ? undefined : Math.round(seconds * 1e6) / 1e3)
  return ms === undefined || ms > Number.MAX_SAFE_INTEGER ? undefined : Math.max(0, ms)
}

/** 0 to 1, whatever came. */
export function confidence(value: unknown): number | undefined {
  const share = number(value)
  return share === undefined ? undefined : Math.min(1, Math.max(0, share))
}

export function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function withoutUnit(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/s$/, '') : value
}

function camelCase(key: string): string {
  return key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

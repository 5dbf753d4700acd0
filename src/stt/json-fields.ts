/** Reading fields of parsed JSON whose types nobody promises. */
export type Fields = Record<string, unknown>

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Numbers may come as strings: int64 in protobuf JSON. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined
  const result = typeof value === 'string' ? Number(value) : value
  return typeof result === 'number' && Number.isFinite(result) ? result : undefined
}

export function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

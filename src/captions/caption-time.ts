/** `HH:MM:SS`, the separator, and three digits of ms; hours grow past two digits where they must. */
export function captionTime(ms: number, separator: ',' | '.'): string {
  const whole = Math.max(0, Math.round(ms))
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const clock = `${two(whole / 3_600_000)}:${two((whole / 60_000) % 60)}:${two((whole / 1_000) % 60)}`
  return clock + separator + String(whole % 1_000).padStart(3, '0')
}

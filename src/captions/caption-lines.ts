const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const words = new Intl.Segmenter(undefined, { granularity: 'word' })
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u

/** Width of a text in columns: one for each visible character, two for those that East Asian type sets wide. */
export function columns(text: string): number {
  // Most text is plain, and the segmenter is slow.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** Cuts a text without spaces into pieces of at most `maxColumns`, between words where its language has any. */
export function cutLongText(text: string, maxColumns: number): string[] {
  const pieces: string[] = []
  let piece = ''
  const add = (part: string): void => {
    if (piece !== '' && columns(piece + part) > maxColumns) {
      pieces.push(piece)
      piece = ''
    }
    piece += part
  }
  for (const { segment: word } of words.segment(text)) {
    if (columns(word) <= maxColumns) add(word)
    else for (const { segment } of graphemes.segment(word)) add(segment)
  }
  return piece === '' ? pieces : [...pieces, piece]
}

/**
 * Sets parts in at most `maxLines` lines of at most `maxColumns`, as even as they go and never longer at the
 * top than needed: the shape that is read fastest. Undefined when they do not fit.
 */
export function captionLines(
  parts: readonly string[],
  maxColumns: number,
  maxLines: number,
): string[] | undefined {
  const whole = parts.join('').trim()
  if (columns(whole) <= maxColumns) return [whole]
  if (maxLines === 1) return undefined
  let best: string[] | undefined
  let bestUnevenness = Infinity
  for (let cut = 1; cut < parts.length; cut++) {
    const top = parts.slice(0, cut).join('').trim()
    if (columns(top) > maxColumns) break
    const rest = captionLines(parts.slice(cut), maxColumns, maxLines - 1)
    if (rest === undefined) continue
    const unevenness = Math.max(...[top, ...rest].map(columns)) - Math.min(...[top, ...rest].map(columns))
    // '<=': of two equally even cuts the later one would make the top line longer.
    if (unevenness < bestUnevenness) {
      best = [top, ...rest]
      bestUnevenness = unevenness
    }
  }
  return best
}

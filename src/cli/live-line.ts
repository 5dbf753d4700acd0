/** Writing that takes two cells of a terminal for each character. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]/u
/** Into what a reader takes for one character, accents and all. */
const segmenter = new Intl.Segmenter()

/** One line of a terminal that is written anew, for what is not certain yet. */
export class LiveLine {
  readonly #terminal: NodeJS.WriteStream
  #shown = false

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal
  }

  /** Its end, where all of it does not fit: the newest words are what is looked for. */
  show(text: string): void {
    const line = lastCells(text.replace(/[\s\p{Cc}]+/gu, ' '), (this.#terminal.columns || 80) - 1)
    this.#terminal.write(`\r\x1b[K${line}`)
    this.#shown = true
  }

  /** Frees the line for what stays. */
  clear(): void {
    if (this.#shown) this.#terminal.write('\r\x1b[K')
    this.#shown = false
  }
}

/** The end of a text that fills at most so many cells, with an ellipsis before it where it was cut. */
function lastCells(text: string, cells: number): string {
  const characters = Array.from(segmenter.segment(text), ({ segment }) => segment)
  const widths = characters.map(character => (WIDE.test(character) ? 2 : 1))
  let filled = widths.reduce((sum, width) => sum + width, 0)
  if (filled <= cells) return text
  let start = 0
  // One cell is the ellipsis's.
  while (filled > cells - 1) filled -= widths[start++] ?? 0
  return `…${characters.slice(start).join('')}`
}

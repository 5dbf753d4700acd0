/** What is looked at: text may stand behind a byte order mark and spaces. */
const WINDOW_BYTES = 72
const BYTE_ORDER_MARK = '\xef\xbb\xbf'

/** What files begin with that people and servers hand over in place of audio. */
const BINARY: readonly (readonly [begin: string, what: string])[] = [
  ['PK\x03\x04', 'a ZIP archive'],
  ['\x1f\x8b\x08', 'gzip data'],
  ['%PDF-', 'a PDF document'],
]

const TEXT: readonly (readonly [begin: RegExp, what: string])[] = [
  [/^<[!?a-z]/i, 'a web page or other markup'],
  [/^(?:\{\s*["}]|\[\s*[[{"\]])/, 'JSON'],
  [/^#EXTM3U/, 'a playlist'],
]

/** As much text as tells. */
const TEXT_BYTES = 8

/**
 * Recognises what is no audio for certain: ffmpeg would have to guess, and finds headerless AMR in a web page now and
 * then.
 * @param ended whether `head` is the whole file
 * @returns what it is, as people call it; '' for none of these; undefined while more bytes are needed
 */
export function notMedia(head: Buffer, ended: boolean): string | undefined {
  const begin = head.toString('latin1', 0, WINDOW_BYTES)
  const binary = BINARY.find(([signature]) => begin.startsWith(signature))
  if (binary) return binary[1]
  const unmarked = begin.startsWith(BYTE_ORDER_MARK) ? begin.slice(BYTE_ORDER_MARK.length) : begin
  const text = unmarked.trimStart().slice(0, TEXT_BYTES)
  if (text.length < TEXT_BYTES && begin.length < WINDOW_BYTES && !ended) return undefined
  return TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? ''
}

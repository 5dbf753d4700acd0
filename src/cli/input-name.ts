import { shownUrl } from '../audio/http-answer.js'
import { httpUrlOf } from '../audio/sources.js'

/** What the output calls an input: a URL without credentials and query, which may be a signature. */
export function inputName(file: string): string {
  const url = httpUrlOf(file)
  return url ? shownUrl(url) : file
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Words as a recogniser writes them: lower case, no punctuation. */
export const wordsOf = text =>
  text
    .toLowerCase()
    .replace(/[^a-z' ]/g, ' ')
    .split(/\s+/)
    .filter(Boolean)

/** Levenshtein distance in words: substitutions, insertions and deletions. */
export function countErrors(spoken, heard) {
  let row = Array.from({ length: heard.length + 1 }, (_, i) => i)
  for (const [i, word] of spoken.entries()) {
    const next = [i + 1]
    for (const [j, other] of heard.entries()) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (word === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)
}

/** The rows of FOLDER/transcripts.tsv: a header line, then file, transcript, … separated by tabs. */
export function readTranscripts(folder) {
  const lines = readFileSync(join(folder, 'transcripts.tsv'), 'utf8').trim().split('\n').slice(1)
  return lines.map(line => {
    const [file, transcript] = line.split('\t')
    return { path: join(folder, file), file, spoken: wordsOf(transcript) }
  })
}

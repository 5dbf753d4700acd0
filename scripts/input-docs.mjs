/**
 * Writes the tables of docs/input.md from the list of formats that the tests try; with `--check` it says whether the
 * committed page is what it would write. The list is TypeScript: tap's loader reads it.
 *
 *   node --import @tapjs/typescript/import scripts/input-docs.mjs [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { formatTables } from '../test/fixtures/format-tables.ts'

const page = join(import.meta.dirname, '../docs/input.md')
const committed = readFileSync(page, 'utf8')

let written = committed
for (const [name, table] of Object.entries(formatTables())) {
  const place = new RegExp(`(?<=<!-- ${name} -->\n).*?(?=<!-- end of ${name} -->)`, 's')
  if (!place.test(committed)) throw new Error(`docs/input.md has no place for the table of ${name}`)
  written = written.replace(place, () => `\n${table}\n\n`)
}
written = await format(written, { ...(await resolveConfig(page)), parser: 'markdown' })

if (!process.argv.includes('--check')) writeFileSync(page, written)
else if (written !== committed) {
  console.error('docs/input.md is stale: npm run docs:input')
  process.exitCode = 1
}

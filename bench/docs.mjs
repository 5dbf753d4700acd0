// Draws the pictures of docs/resampler.md and fills its tables, so that no figure there is written by hand.
// Usage: npm run bench:docs [-- RESULTS.json], by default the newest of bench/results
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import * as prettier from 'prettier'
import { PAGE, PICTURES, RESULTS, ROOT } from './paths.mjs'
import { drawPictures } from './report/pictures/draw.mjs'
import { summaryTable } from './report/summary.mjs'
import { describeRun, tablesOf } from './report/tables.mjs'

const path = process.argv[2] ?? newest()
const results = JSON.parse(readFileSync(path, 'utf8'))
for (const drawn of await drawPictures(results, PICTURES)) console.log(relative(ROOT, drawn))

let page = readFileSync(PAGE, 'utf8')
page = filled(page, 'summary', [markdown(summaryTable(results)), sourceLine()].join('\n\n'))
page = filled(page, 'tables', tablesOf(results).map(details).join('\n\n'))
writeFileSync(PAGE, await prettier.format(page, { ...(await prettier.resolveConfig(PAGE)), filepath: PAGE }))
console.log(relative(ROOT, PAGE))

function newest() {
  const [name] = (existsSync(RESULTS) ? readdirSync(RESULTS) : [])
    .filter(file => file.endsWith('.json'))
    .sort()
    .reverse()
  if (name === undefined) throw new Error('bench/results holds nothing: npm run bench comes first')
  return join(RESULTS, name)
}

/** What stands between the marks of that name becomes `text`. */
function filled(whole, name, text) {
  const marks = new RegExp(`(<!-- bench:${name} -->)[^]*?(<!-- /bench -->)`)
  if (!marks.test(whole)) throw new Error(`docs/resampler.md has no marks for ${name}`)
  return whole.replace(marks, (_, open, close) => `${open}\n\n${text}\n\n${close}`)
}

function sourceLine() {
  const version = ({ name, version: text }) => `${name} ${text}`
  const peers = results.peers.filter(({ version: text }) => text)
  // One entry for each library, without the setting that ends the name.
  const versions = new Set(peers.map(({ name, ...rest }) => version({ name: name.split(' ')[0], ...rest })))
  return [...describeRun(results), `Peers: ${[...versions].join(', ')}.`].join('  \n')
}

function details({ title, head, rows }) {
  return `<details>\n<summary>${title}</summary>\n\n${markdown({ head, rows })}\n\n</details>`
}

function markdown({ head, rows }) {
  const line = cells => `| ${cells.join(' | ')} |`
  const align = head.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(head), line(align), ...rows.map(line)].join('\n')
}

import { describeRun, tablesOf } from './tables.mjs'

export function printReport(results) {
  for (const { title, head, rows } of tablesOf(results)) {
    console.log(`\n${title}`)
    const widths = head.map((_, i) => Math.max(...[head, ...rows].map(row => row[i].length)))
    for (const row of [head, ...rows]) {
      console.log(
        row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
      )
    }
  }
  console.log(`\n${describeRun(results).join('\n')}`)
}

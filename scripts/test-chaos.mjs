/**
 * The chaos suite: streams with random audio, options, faults, cuts and teardowns, each drawn from a seed, and what
 * must hold in every one of them; planted bugs that it must notice; links cut at hundreds of places; six hours over
 * connections that die. Ends with one line, `N passed, N failed`; a violation names the command that repeats its run.
 *
 *   node scripts/test-chaos.mjs [--runs 600] [--fresh 20]
 *   node scripts/test-chaos.mjs --seed 123
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const TIMEOUT_MS = 900_000

const { values } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string' }, fresh: { type: 'string' } },
})
const env = { ...process.env }
for (const [name, value] of Object.entries(values)) {
  if (!/^\d+$/.test(value)) throw new TypeError(`--${name} must be a whole number from 0; got ${value}`)
  env[`STTSTREAM_CHAOS_${name.toUpperCase()}`] = value
}

const work = mkdtempSync(join(tmpdir(), 'sttstream-chaos-'))
try {
  const report = join(work, 'report.tap')
  const files = ['chaos', ...(values.seed === undefined ? ['cut-points', 'planted-bugs', 'six-hours'] : [])]
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/tap/dist/esm/run.mjs'),
      ...['--disable-coverage', '--jobs=2', '--timeout=600', '--reporter=terse', `--output-file=${report}`],
      ...files.map(name => `test/chaos/${name}.test.ts`),
    ],
    { cwd: root, env, stdio: 'inherit', timeout: TIMEOUT_MS },
  )
  const lines = readFileSync(report, 'utf8').split('\n')
  for (const line of lines)
    if (/^ *# (runs that met|outcomes|violation)/.test(line)) console.log(line.trim().slice(2))
  const passed = lines.filter(line => /^ {4}ok /.test(line)).length
  const failed = lines.filter(line => /^ {4}not ok /.test(line)).length
  // A file that crashed or hung has no failed test of its own.
  console.log(`${passed} passed, ${status === 0 ? failed : Math.max(failed, 1)} failed`)
  process.exitCode = status === 0 ? 0 : 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

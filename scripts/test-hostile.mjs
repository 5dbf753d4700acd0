/**
 * The hostile corpus: files of every kind with flipped bits, or cut off where a part of them begins, through
 * `decode()` with the ffmpeg that is there. Each must end as audio or as a typed error of the input, within its
 * deadline, with no child and no temporary file left and without memory that grows. Ends with one line,
 * `N passed, N failed`; a violation names the command that repeats its run.
 *
 *   node scripts/test-hostile.mjs [--runs 60] [--fresh 15]      flips of each kind: seeds from 0, and new ones
 *   node scripts/test-hostile.mjs --seed 123
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
  env[`STTSTREAM_HOSTILE_${name.toUpperCase()}`] = value
}

const work = mkdtempSync(join(tmpdir(), 'sttstream-hostile-'))
try {
  const report = join(work, 'report.tap')
  const files = ['flips', ...(values.seed === undefined ? ['truncations'] : [])]
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/tap/dist/esm/run.mjs'),
      // One file at a time: each runs two ffmpegs.
      ...['--disable-coverage', '--jobs=1', '--timeout=600', '--reporter=terse', `--output-file=${report}`],
      ...files.map(name => `test/hostile/${name}.test.ts`),
    ],
    { cwd: root, env, stdio: 'inherit', timeout: TIMEOUT_MS },
  )
  const lines = readFileSync(report, 'utf8').split('\n')
  for (const line of lines) if (/^ *# (outcomes|violation)/.test(line)) console.log(line.trim().slice(2))
  const passed = lines.filter(line => /^ {4}ok /.test(line)).length
  const failed = lines.filter(line => /^ {4}not ok /.test(line)).length
  // A file that crashed or hung has no failed test of its own.
  console.log(`${passed} passed, ${status === 0 ? failed : Math.max(failed, 1)} failed`)
  process.exitCode = status === 0 ? 0 : 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

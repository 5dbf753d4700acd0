/**
 * Every format at each of its rates, with each number of channels, of which `npm test` tries some; chunk sizes take
 * turns. Ends with one line, `N passed, N failed`: the comparisons, of which each names its file.
 *
 *   node scripts/test-formats.mjs [--all]     a minute; with --all each file in chunks of every size, some minutes
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const TIMEOUT_MS = 1_800_000

const { values } = parseArgs({ options: { all: { type: 'boolean', default: false } } })

const work = mkdtempSync(join(tmpdir(), 'sttstream-formats-'))
try {
  const report = join(work, 'report.tap')
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/tap/dist/esm/run.mjs'),
      ...['--disable-coverage', '--jobs=2', '--timeout=1500', '--reporter=terse', `--output-file=${report}`],
      ...['pcm', 'codecs', 'more-codecs'].map(name => `test/formats/${name}.test.ts`),
    ],
    {
      cwd: root,
      stdio: 'inherit',
      timeout: TIMEOUT_MS,
      env: { ...process.env, STTSTREAM_FORMATS: values.all ? 'all' : 'turns' },
    },
  )
  const lines = readFileSync(report, 'utf8').split('\n')
  const passed = lines.filter(line => /^ {8}ok /.test(line)).length
  const failed = lines.filter(line => /^ {8}not ok /.test(line)).length
  // A file that crashed or hung has no failed comparison of its own. tap leaves the cursor in the middle of a line.
  console.log(`\n${passed} passed, ${status === 0 ? failed : Math.max(failed, 1)} failed`)
  process.exitCode = status === 0 ? 0 : 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

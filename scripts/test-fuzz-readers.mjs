/**
 * Fuzzes the readers of headers (WAV, Wave64, AIFF, CAF, AU), the recognition of formats, the choice of a way, and packets of Ogg:
 * inputs that reach new code are changed further, see test/fuzz/fuzzer.ts. Ends with one line, `N passed, N failed`;
 * an input that breaks a rule is told in hex.
 *
 *   node scripts/test-fuzz-readers.mjs [--seconds 20] [--seed N] [--keep]
 *
 * The seed is drawn anew for every run, and told. --keep adds inputs that reach new code to test/fuzz/corpus.
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
/** Beyond the search: a machine with much else to do. */
const GRACE_MS = 120_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    keep: { type: 'boolean', default: false },
  },
})
for (const name of ['seconds', 'seed'])
  if (!/^\d+$/.test(values[name]))
    throw new TypeError(`--${name} must be a whole number from 0; got ${values[name]}`)
console.log(`npm run test:fuzz-readers -- --seed ${values.seed}`)

const work = mkdtempSync(join(tmpdir(), 'sttstream-fuzz-'))
try {
  const report = join(work, 'report.tap')
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/tap/dist/esm/run.mjs'),
      ...['--disable-coverage', '--timeout=0', '--reporter=terse', `--output-file=${report}`],
      'test/fuzz/readers.test.ts',
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        STTSTREAM_FUZZ_SECONDS: values.seconds,
        STTSTREAM_FUZZ_SEED: values.seed,
        ...(values.keep && { STTSTREAM_FUZZ_KEEP: '1' }),
      },
      stdio: 'inherit',
      timeout: Number(values.seconds) * 1000 + GRACE_MS,
    },
  )
  const lines = readFileSync(report, 'utf8').split('\n')
  for (const line of lines) if (/^ *# readers/.test(line)) console.log(line.trim().slice(2))
  const passed = lines.filter(line => /^ {4}ok /.test(line)).length
  console.log(`${passed} passed, ${status === 0 ? 0 : 1} failed`)
  process.exitCode = status === 0 ? 0 : 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

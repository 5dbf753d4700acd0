/**
 * Fuzzes the C++ core: libFuzzer makes inputs that reach new code, under the address, leak and undefined-behaviour
 * sanitizers. All targets of native/test/fuzz run at the same time. Ends with one line, `N passed, N failed`; an
 * input that breaks something is kept in build-fuzz/found/ and named with the command that repeats it.
 *
 *   node scripts/test-fuzz.mjs [--seconds 60] [--seed 1] [target ...]
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { FUZZ_TOOLS, installMissing } from './setup/system-tools.mjs'

const SANITIZERS =
  '-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O2'
const BUILD_TIMEOUT_MS = 600_000
/** What a run may take beyond its time: the last input, the check for leaks, a machine with much else to do. */
const GRACE_MS = 120_000

/** Random inputs to begin with; libFuzzer alone would spend its time on finding out that they may be longer. */
const SEED_INPUTS = 100
const MAX_INPUT_BYTES = 400

const root = join(import.meta.dirname, '..')
const buildDir = join(root, 'build-fuzz')
const foundDir = join(buildDir, 'found')

async function main() {
  const { values, positionals } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
    },
    allowPositionals: true,
  })
  const all = readdirSync(join(root, 'native/test/fuzz'))
    .filter(name => name.endsWith('_fuzz.cc'))
    .map(name => name.slice(0, -'.cc'.length))
  const unknown = positionals.find(name => !all.includes(name))
  if (unknown !== undefined) throw new Error(`there is no ${unknown}; there are ${all.join(', ')}`)
  await installMissing(FUZZ_TOOLS)
  build()
  mkdirSync(foundDir, { recursive: true })
  const targets = positionals.length > 0 ? positionals : all
  const results = await Promise.all(targets.map(name => fuzz(name, values)))
  const passed = results.filter(Boolean).length
  return { passed, failed: targets.length - passed }
}

function build() {
  const configure = ['-S', root, '-B', buildDir, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug']
  const settings = ['-DSTTSTREAM_TESTS=ON', '-DSTTSTREAM_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++']
  for (const args of [
    [...configure, ...settings, `-DCMAKE_CXX_FLAGS=${SANITIZERS}`],
    ['--build', buildDir],
  ]) {
    const { error, status } = spawnSync('cmake', args, { stdio: 'inherit', timeout: BUILD_TIMEOUT_MS })
    if (error || status !== 0) throw new Error(`the build failed: ${error?.message ?? `exit code ${status}`}`)
  }
}

/** Runs one target; tells whether all was well. */
async function fuzz(name, { seconds, seed }) {
  const program = join(buildDir, 'native/test', name)
  const { code, output } = await runToEnd(
    program,
    [
      `-seed=${seed}`,
      `-max_total_time=${seconds}`,
      `-max_len=${MAX_INPUT_BYTES}`,
      '-len_control=0',
      '-print_final_stats=1',
      `-artifact_prefix=${join(foundDir, name)}-`,
      seedInputs(name, seed),
    ],
    Number(seconds) * 1000 + GRACE_MS,
  )

  const runs = /number_of_executed_units: (\d+)/.exec(output)?.[1]
  const reached = [...output.matchAll(/ cov: (\d+) /g)].at(-1)?.[1]
  const counters = /Loaded 1 PC tables \((\d+) PCs\)/.exec(output)?.[1]
  console.log(
    `${name}: ${runs ?? 'no count of'} runs, ${reached ?? 0} of ${counters ?? '?'} edges reached (those to sanitizer reports are counted too)`,
  )
  if (code === 0 && Number(runs) > SEED_INPUTS) return true
  console.error(
    output
      .split('\n')
      .filter(line => !/^#\d+|NEW_FUNC/.test(line))
      .join('\n'),
  )
  const artifact = /Test unit written to (\S+)/.exec(output)?.[1]
  if (artifact) console.error(`repeat it: ${relative(root, program)} ${relative(root, artifact)}`)
  return false
}

/** The same for the same seed: a new corpus for every run. */
function seedInputs(name, seed) {
  const corpus = join(buildDir, 'corpus', name)
  rmSync(corpus, { recursive: true, force: true })
  mkdirSync(corpus, { recursive: true })
  for (let i = 0; i < SEED_INPUTS; i++) {
    const outputLength = Math.ceil((i / SEED_INPUTS) * MAX_INPUT_BYTES)
    writeFileSync(
      join(corpus, String(i)),
      createHash('shake256', { outputLength }).update(`${seed}/${i}`).digest(),
    )
  }
  return corpus
}

function runToEnd(program, args, timeout) {
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    })
    let output = ''
    child.stderr.setEncoding('utf8').on('data', text => (output += text))
    child.once('error', reject)
    child.once('close', code => resolve({ code, output }))
  })
}

try {
  const { passed, failed } = await main()
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}

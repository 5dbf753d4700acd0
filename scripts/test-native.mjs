/**
 * Builds the C++ core and its tests with the address and undefined-behaviour sanitizers and runs them. Ends
 * with one line, `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const buildDir = join(root, 'build-native')
const SANITIZERS = '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1'
const STEP_TIMEOUT_MS = 600_000

const configure = ['-S', root, '-B', buildDir, '-G', 'Ninja']
const settings = ['-DCMAKE_BUILD_TYPE=Debug', '-DSTTSTREAM_TESTS=ON', `-DCMAKE_CXX_FLAGS=${SANITIZERS}`]

run('cmake', [...configure, ...settings])
run('cmake', ['--build', buildDir])
const report = run('ctest', ['--test-dir', buildDir, '--output-on-failure', '--no-tests=error'], {
  mayFail: true,
})

// "97% tests passed, 1 tests failed out of 30" is ctest's own summary.
const summary = /tests passed, (\d+) tests failed out of (\d+)/.exec(report)
const failed = summary ? Number(summary[1]) : 1
const passed = summary ? Number(summary[2]) - failed : 0
finish(passed, failed)

function run(command, args, { mayFail = false } = {}) {
  const { error, status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: STEP_TIMEOUT_MS,
    maxBuffer: 1 << 28,
  })
  if (stdout) process.stdout.write(stdout)
  if (error) console.error(`${command} could not run: ${error.message}`)
  if ((error || status !== 0) && !mayFail) finish(0, 1)
  return stdout ?? ''
}

function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

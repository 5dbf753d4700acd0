import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const STEP_TIMEOUT_MS = 600_000

/**
 * Builds the native tests in `buildDir`, runs them all and shows their report. A build that fails counts as one
 * failed test; what is skipped counts on neither side.
 */
export function runNativeTests(root, buildDir, settings) {
  const steps = [
    ['cmake', '-S', root, '-B', buildDir, '-G', 'Ninja', '-DSTTSTREAM_TESTS=ON', ...settings],
    ['cmake', '--build', buildDir],
  ]
  if (!steps.every(step => run(step).ok)) return { passed: 0, failed: 1 }
  const jobs = String(availableParallelism())
  const options = ['--parallel', jobs, '--output-on-failure', '--no-tests=error']
  const { stdout } = run(['ctest', '--test-dir', buildDir, ...options])
  // "97% tests passed, 1 tests failed out of 30" is ctest's own summary.
  const [, failed, all] = /tests passed, (\d+) tests failed out of (\d+)/.exec(stdout) ?? ['', '1', '1']
  const skipped = stdout.match(/\*\*\*Skipped/g)?.length ?? 0
  return { passed: Number(all) - Number(failed) - skipped, failed: Number(failed) }
}

function run([command, ...args]) {
  const { error, status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: STEP_TIMEOUT_MS,
    maxBuffer: 1 << 28,
  })
  if (stdout) process.stdout.write(stdout)
  if (error) console.error(`${command} could not run: ${error.message}`)
  return { ok: !error && status === 0, stdout: stdout ?? '' }
}

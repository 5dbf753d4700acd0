import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { checkLinuxFloor } from './linux-floor.mjs'
import { prebuildPath, toolchain } from './target.mjs'

const BUILD_TIMEOUT_MS = 600_000

/** What node-gyp needs of the project. */
const INPUTS = ['package.json', 'binding.gyp', 'native']

/**
 * Builds the addon of `target` by node-gyp, stripped, and returns its file below `out`. Throws, and leaves no file,
 * where it would not load on all systems that Node runs on.
 *
 * node-gyp empties `build/` before it starts and prebuildify moves the product out of it: they work on a copy, so
 * that the checkout keeps its own addon. The copy lies inside the project, where Node finds its node_modules.
 */
export function buildPrebuild(root, out, target) {
  const file = join(out, prebuildPath(target))
  const stage = join(root, 'build-prebuild', prebuildPath(target).replace(/\.node$/, ''))
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  for (const input of INPUTS) cpSync(join(root, input), join(stage, input), { recursive: true })

  const prebuildify = createRequire(import.meta.url).resolve('prebuildify/bin.js')
  const tools = toolchain(target)
  const { error, status, stdout, stderr } = spawnSync(
    process.execPath,
    [prebuildify, ...prebuildifyArguments(target, stage, out, tools.STRIP)],
    { env: { ...process.env, ...headers(), ...tools }, encoding: 'utf8', timeout: BUILD_TIMEOUT_MS },
  )
  if (error || status !== 0 || !existsSync(file)) {
    const why = error?.message ?? `prebuildify ended with exit code ${status}`
    throw new Error(`${prebuildPath(target)}: ${why}\n${stdout}${stderr}`, { cause: error })
  }
  rmSync(stage, { recursive: true, force: true })
  if (target.libc === 'glibc') {
    try {
      checkLinuxFloor(file)
    } catch (error) {
      rmSync(file)
      throw error
    }
  }
  return file
}

function prebuildifyArguments(target, stage, out, strip) {
  const { platform, arch, libc, armv } = target
  const options = {
    cwd: stage,
    out,
    name: 'sttstream',
    // Any Node will do for an addon of Node-API; this one's headers need no download.
    target: process.versions.node,
    platform,
    arch,
    'tag-libc': libc,
    'tag-armv': armv,
    'strip-bin': strip,
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return ['--napi', '--strip', ...given.map(([name, value]) => `--${name}=${value}`)]
}

/**
 * Node's headers, from where they were installed with it. Without them (on Windows always, which also needs
 * node.lib) node-gyp downloads both.
 */
function headers() {
  const prefix = process.env.npm_config_nodedir ?? dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? { npm_config_nodedir: prefix } : {}
}

#!/usr/bin/env node
/**
 * Builds the addon for the published package by node-gyp and puts it into prebuilds/, where node-gyp-build looks.
 * Where this Node can load it, it is compared with its TypeScript twin. Needs node_modules and a compiler.
 */
import { existsSync, rmSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkAgreement } from './prebuild/agreement.mjs'
import { buildPrebuild } from './prebuild/build.mjs'
import { librariesNeeded } from './prebuild/linux-floor.mjs'
import { isHost, prebuildTarget } from './prebuild/target.mjs'
import { installMissing, PREBUILD_TOOLS } from './setup/system-tools.mjs'

const HELP = `npm run build:prebuild -- [options]

  --arch ARCH   x64 or arm64; on Linux another than this machine's is built by Debian's cross compiler
  --libc LIBC   glibc or musl, where CC and CXX name a compiler for another than this machine's
  --out DIR     the folder that prebuilds/ is made in; the project's own by default
  --help
`

const root = join(import.meta.dirname, '..')

async function main() {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      libc: { type: 'string' },
      out: { type: 'string', default: root },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(HELP)
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing; run: npm run build:ts')
  await installMissing(PREBUILD_TOOLS)
  const target = prebuildTarget({ arch: values.arch, libc: values.libc })
  const out = resolve(values.out)
  const file = buildPrebuild(root, out, target)
  console.log(`${relative(process.cwd(), file)}: ${statSync(file).size} bytes`)
  if (target.libc === 'glibc') {
    const needed = Object.entries(librariesNeeded(file)).map(entry => entry.join(' '))
    console.log(`  needs ${needed.join(', ')} or newer`)
  }
  if (!isHost(target)) return console.log('  not for this machine: not loaded')
  try {
    console.log(`  loads, and agrees with its twin in ${checkAgreement(out)} samples`)
  } catch (error) {
    rmSync(file)
    throw error
  }
}

try {
  await main()
} catch (error) {
  console.error(`prebuild failed: ${error.message}`)
  process.exitCode = 1
}

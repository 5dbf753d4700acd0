#!/usr/bin/env node
/**
 * Makes a fresh clone ready to build, test and demonstrate: system packages, node_modules, the addon, dist. Each
 * step looks first and does only what is missing. Node's own modules only: it runs before anything is installed.
 *
 *   node scripts/setup.mjs [--force] [--test-tools] [--check-tools]
 */
import { rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addonReason, distReason, nodeModulesReason, removeStrayOutputs } from './setup/freshness.mjs'
import { run } from './setup/run.mjs'
import {
  aptCommand,
  CHECK_TOOLS,
  howToInstall,
  installWithApt,
  missingTools,
  SYSTEM_TOOLS,
  TEST_TOOLS,
} from './setup/system-tools.mjs'

const HELP = `node scripts/setup.mjs [options]

  --force        installs node_modules and builds the addon and dist again, even where they are up to date
  --test-tools   also installs what only the tests need (PulseAudio)
  --check-tools  also installs what only 'npm run check' needs (clang-format)
  --help
`
const NO_APT =
  'system packages are missing, and apt-get cannot install them here: it takes root, or sudo without a password.'
const MIN_NODE = [20, 19]
const NPM_DEADLINE_MS = 10 * 60_000
const BUILD_DEADLINE_MS = 10 * 60_000
const TSC_DEADLINE_MS = 3 * 60_000

// Not import.meta.dirname: a Node too old for it shall still read checkNode()'s message.
const root = fileURLToPath(new URL('..', import.meta.url))

function step(name, reason, work) {
  return { name, reason, work }
}

function steps({ force, tools }) {
  const forced = reason => () => (force ? 'forced' : reason(root))
  return [
    step(
      'system packages',
      () =>
        missingTools(tools)
          .map(({ name }) => name)
          .join(', ') || undefined,
      () => installTools(tools),
    ),
    step('node_modules', forced(nodeModulesReason), () =>
      npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], NPM_DEADLINE_MS, 'npm ci'),
    ),
    step('addon', forced(addonReason), buildAddon),
    step('dist', forced(distReason), buildDist),
  ]

  async function buildAddon() {
    if (force) rmSync(join(root, 'build'), { recursive: true, force: true })
    await npm(['run', '--silent', 'build:native'], BUILD_DEADLINE_MS, 'building the addon')
    // A change that does not reach the addon (a test, a comment) leaves the file as old as it was.
    const now = new Date()
    utimesSync(join(root, 'build/Release/sttstream.node'), now, now)
  }
}

async function installTools(tools) {
  const apt = aptCommand()
  if (apt === undefined) throw new Error(`${NO_APT}\n\n${howToInstall(missingTools(tools))}`)
  try {
    await installWithApt(missingTools(tools), apt)
  } catch (error) {
    throw new Error(`${error.message}\n\n${howToInstall(missingTools(tools))}`)
  }
  const still = missingTools(tools)
  if (still.length > 0) throw new Error(`apt-get succeeded, but not all can be used.\n${howToInstall(still)}`)
}

async function buildDist() {
  removeStrayOutputs(root)
  // Output of a failed run would be newer than its sources, and the next set-up content with it.
  await npm(['run', '--silent', 'build:ts', '--', '--noEmitOnError'], TSC_DEADLINE_MS, 'compiling TypeScript')
}

/** The npm that runs this script, else the one on the PATH. */
function npm(args, deadlineMs, label) {
  const path = process.env.npm_execpath
  if (path?.endsWith('.js')) return run(process.execPath, [path, ...args], { cwd: root, deadlineMs, label })
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd: root, deadlineMs, label })
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return
  throw new Error(`Node ${MIN_NODE.join('.')} or newer is needed; this is ${process.versions.node}`)
}

async function main() {
  const { values } = parseArgs({
    options: {
      force: { type: 'boolean' },
      'test-tools': { type: 'boolean' },
      'check-tools': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return console.log(HELP)
  checkNode()
  const started = performance.now()
  const seconds = since => `${((performance.now() - since) / 1000).toFixed(1)} s`
  const tools = [
    ...SYSTEM_TOOLS,
    ...(values['test-tools'] ? TEST_TOOLS : []),
    ...(values['check-tools'] ? CHECK_TOOLS : []),
  ]
  let done = 0
  for (const { name, reason, work } of steps({ force: values.force, tools })) {
    const why = reason()
    if (why === undefined) continue
    console.log(`set-up: ${name} (${why}) ...`)
    const began = performance.now()
    await work()
    console.log(`set-up: ${name}: done in ${seconds(began)}`)
    done++
  }
  console.log(`set-up: ${done === 0 ? 'everything is in place' : 'ready'} (${seconds(started)})`)
}

try {
  await main()
} catch (error) {
  console.error(`set-up failed: ${error.message}`)
  process.exitCode = 1
}

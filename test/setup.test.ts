import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  addonReason,
  distReason,
  nodeModulesReason,
  removeStrayOutputs,
} from '../scripts/setup/freshness.mjs'
import { run } from '../scripts/setup/run.mjs'
import { mockClock } from './fixtures/mock-clock.js'
import {
  howToInstall,
  installWithApt,
  missingTools,
  SYSTEM_TOOLS,
  TEST_TOOLS,
} from '../scripts/setup/system-tools.mjs'

const REPOSITORY = join(import.meta.dirname, '..')
const ADDON = join(REPOSITORY, 'build/Release/sttstream.node')
const PAST = new Date(2020, 0, 1)

const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages })

interface Result {
  code: number
  stdout: string
  stderr: string
}

function node(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<Result> {
  return new Promise(resolve => {
    execFile(process.execPath, args, { env, timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** A project with the set-up script, one source, and build scripts that do next to nothing. */
function project(t: Test): string {
  const root = t.testdir({
    'package-lock.json': lock({
      '': { name: 'project', version: '1.0.0', dependencies: { dep: 'file:dep' } },
      dep: { version: '1.0.0' },
      'node_modules/dep': { resolved: 'dep', link: true },
    }),
    dep: { 'package.json': '{"name":"dep","version":"1.0.0"}' },
    'package.json': JSON.stringify({
      name: 'project',
      version: '1.0.0',
      dependencies: { dep: 'file:dep' },
      scripts: { 'build:native': 'node build-native.cjs', 'build:ts': 'node build-ts.cjs' },
    }),
    'tsconfig.json': '{}',
    'CMakeLists.txt': '',
    native: { 'addon.cc': '' },
    src: { 'index.ts': '' },
    'build-native.cjs': `require('fs').cpSync(${JSON.stringify(ADDON)}, 'build/Release/sttstream.node')`,
    'build-ts.cjs': `require('fs').mkdirSync('dist', { recursive: true }); require('fs').writeFileSync('dist/index.js', '')`,
  })
  cpSync(join(REPOSITORY, 'scripts/setup.mjs'), join(root, 'scripts/setup.mjs'))
  cpSync(join(REPOSITORY, 'scripts/setup'), join(root, 'scripts/setup'), { recursive: true })
  return root
}

/** Resolves once the file is there. */
async function appears(file: string): Promise<void> {
  const watcher = watch(dirname(file))
  try {
    while (!existsSync(file)) await once(watcher, 'change', { signal: AbortSignal.timeout(120_000) })
  } finally {
    watcher.close()
  }
}

const stepsDone = (stdout: string) => Array.from(stdout.matchAll(/^set-up: (\S+): done/gm), match => match[1])

t.test('the first run does every step, the second says in one line that all is there', async t => {
  const setup = join(project(t), 'scripts/setup.mjs')
  const first = await node([setup])
  t.match(first, { code: 0, stderr: '' })
  t.strictSame(stepsDone(first.stdout), ['node_modules', 'addon', 'dist'])
  t.match(first.stdout, /^set-up: ready \([\d.]+ s\)$/m)
  const second = await node([setup])
  t.match(second, { code: 0, stdout: /^set-up: everything is in place \([\d.]+ s\)\n$/ })
})

t.test('only what a change touches is done again', async t => {
  const root = project(t)
  const setup = join(root, 'scripts/setup.mjs')
  await node([setup])
  writeFileSync(join(root, 'src/more.ts'), '')
  writeFileSync(
    join(root, 'build-ts.cjs'),
    `for (const x of ['index', 'more']) require('fs').writeFileSync('dist/' + x + '.js', '')`,
  )
  t.strictSame(stepsDone((await node([setup])).stdout), ['dist'])
  const later = new Date(Date.now() + 5_000)
  utimesSync(join(root, 'native/addon.cc'), later, later)
  t.strictSame(stepsDone((await node([setup])).stdout), ['addon'])
  t.strictSame(stepsDone((await node([setup, '--force'])).stdout), ['node_modules', 'addon', 'dist'])
})

t.test('a failing step ends the run with its last lines and exit code 1', async t => {
  const root = project(t)
  writeFileSync(
    join(root, 'build-native.cjs'),
    `console.error('addon.cc:7: error: no such thing'); process.exit(3)`,
  )
  const { code, stderr } = await node([join(root, 'scripts/setup.mjs')])
  t.equal(code, 1)
  t.match(stderr, /^set-up failed: .*build:native ended with exit code \d+$/m)
  t.match(stderr, '  | addon.cc:7: error: no such thing')
  t.notOk(existsSync(join(root, 'dist')), 'later steps are not tried')
})

t.test('where apt-get is not usable, the list of what is missing is all that happens', async t => {
  const root = project(t)
  mkdirSync(join(root, 'bin'))
  symlinkSync(process.execPath, join(root, 'bin/node'))
  const { code, stderr } = await node([join(root, 'scripts/setup.mjs')], { PATH: join(root, 'bin') })
  t.equal(code, 1)
  t.match(stderr, /^set-up failed: .*apt-get cannot install them here/)
  t.match(stderr, /^ {2}ffmpeg +decodes/m)
  t.match(
    stderr,
    /^ {2}Debian, Ubuntu {2}sudo apt-get install --no-install-recommends ffmpeg g\+\+ cmake ninja-build/m,
  )
  t.match(stderr, /^ {2}Fedora +sudo dnf install ffmpeg-free/m)
  t.match(stderr, /^ {2}macOS +brew install ffmpeg/m)
  t.notOk(existsSync(join(root, 'node_modules')))
})

t.test('a failed installation tells what apt-get update had only warned of', async t => {
  const script = join(
    t.testdir({
      'apt.cjs': `
        if (process.argv.includes('update')) console.error('W: Failed to fetch the index')
        else process.exitCode = 100`,
    }),
    'apt.cjs',
  )
  await t.rejects(installWithApt([SYSTEM_TOOLS[0]!], [process.execPath, script]), {
    message: /ended with exit code 100[^]*\n {2}\| W: Failed to fetch the index$/,
  })
})

t.test('the list names only what is missing', async t => {
  const tools = SYSTEM_TOOLS.map(tool => ({ ...tool, isThere: () => tool.name !== 'cmake' }))
  t.equal(
    howToInstall(missingTools(tools)),
    `Missing on this machine:
  cmake  builds the addon

To install it:
  Debian, Ubuntu  sudo apt-get install --no-install-recommends cmake
  Fedora          sudo dnf install cmake
  macOS           brew install cmake`,
  )
})

t.test('every tool says for each kind of system how to get it', async t => {
  for (const { name, apt, dnf, brew, hint } of [...SYSTEM_TOOLS, ...TEST_TOOLS]) {
    t.ok(apt && (dnf ?? hint?.dnf) && (brew ?? hint?.brew), name)
  }
})

t.test('node_modules is compared by content', async t => {
  const root = t.testdir({
    'package-lock.json': lock({
      '': { dependencies: { a: '^1.0.0' } },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/b': { version: '2.0.0', integrity: 'sha512-b', optional: true },
    }),
  })
  const installed = (packages: object) => {
    mkdirSync(join(root, 'node_modules/a'), { recursive: true })
    writeFileSync(join(root, 'node_modules/a/package.json'), '{}')
    writeFileSync(join(root, 'node_modules/.package-lock.json'), lock(packages))
  }
  t.equal(nodeModulesReason(root), 'node_modules is missing')
  installed({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } })
  t.equal(nodeModulesReason(root), undefined, 'an optional package may be absent')
  installed({ 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } })
  t.match(nodeModulesReason(root), 'node_modules/a is not as')
  installed({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-other' } })
  t.match(nodeModulesReason(root), 'node_modules/a is not as')
  installed({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } })
  rmSync(join(root, 'node_modules/a'), { recursive: true })
  t.equal(nodeModulesReason(root), 'node_modules/a is missing')
  rmSync(join(root, 'package-lock.json'))
  t.throws(() => nodeModulesReason(root), { message: 'package-lock.json is missing or damaged' })
})

t.test('dist is compared file by file', async t => {
  const root = t.testdir({
    'tsconfig.json': '{}',
    src: { 'a.ts': '', deep: { 'b.ts': '' } },
    dist: { 'a.js': '', 'a.d.ts': '', 'a.js.map': '', deep: { 'b.js': '' } },
  })
  for (const file of ['tsconfig.json', 'src/a.ts', 'src/deep/b.ts']) utimesSync(join(root, file), PAST, PAST)
  t.equal(distReason(root), undefined)
  utimesSync(join(root, 'dist/deep/b.js'), PAST, new Date(PAST.getTime() - 1_000))
  t.equal(distReason(root), 'src/deep/b.ts has changed')
  rmSync(join(root, 'dist/deep/b.js'))
  t.equal(distReason(root), 'dist/deep/b.js is missing')
  rmSync(join(root, 'src/deep/b.ts'))
  t.equal(distReason(root), undefined)
  writeFileSync(join(root, 'tsconfig.json'), '{ }')
  utimesSync(join(root, 'dist/a.js'), PAST, PAST)
  t.equal(distReason(root), 'tsconfig.json has changed')
})

t.test('what a deleted source left in dist goes, and nothing else', async t => {
  const root = t.testdir({
    'tsconfig.json': '{}',
    src: { 'a.ts': '' },
    dist: {
      'a.js': '',
      'a.d.ts': '',
      'a.js.map': '',
      'gone.js': '',
      'gone.d.ts': '',
      deep: { 'gone.js.map': '' },
    },
  })
  t.match(distReason(root), 'has lost its source')
  removeStrayOutputs(root)
  t.strictSame(
    ['a.js', 'a.d.ts', 'a.js.map', 'gone.js', 'gone.d.ts', 'deep/gone.js.map'].filter(file =>
      existsSync(join(root, 'dist', file)),
    ),
    ['a.js', 'a.d.ts', 'a.js.map'],
  )
})

t.test('an addon that does not load is built again', async t => {
  const root = t.testdir({
    'CMakeLists.txt': '',
    'package.json': '{}',
    native: {},
    build: { Release: { 'sttstream.node': 'not an addon' } },
  })
  t.match(addonReason(root), 'the addon does not load')
  rmSync(join(root, 'build'), { recursive: true })
  t.equal(addonReason(root), 'the addon is not built')
})

t.test('a command past its deadline is killed with its children', async t => {
  const dir = t.testdir()
  const pidFile = join(dir, 'pid')
  const script = `sleep 600 & echo $! > '${pidFile}.new'; mv '${pidFile}.new' '${pidFile}'; wait`
  const clock = mockClock(t)
  const late = t.rejects(
    run('sh', ['-c', script], { deadlineMs: 300, label: 'sleeping' }),
    /took longer than/,
  )
  await appears(pidFile)
  clock.advance(300)
  await late
  const pid = readFileSync(pidFile, 'utf8').trim()
  const isGone = () => {
    try {
      // 'Z' waits for its reaper.
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] === 'Z'
    } catch {
      return true
    }
  }
  // Its pipes close a moment before it is gone; tap ends the wait.
  while (!isGone()) await new Promise(setImmediate)
  t.pass('the grandchild is gone')
})

t.test('a command that cannot be started, or fails, says so with its output', async t => {
  const options = { deadlineMs: 10_000, label: 'trying' }
  await t.rejects(run('/no/such/command', [], options), /ENOENT/)
  await t.rejects(
    run('sh', ['-c', 'echo out; echo err >&2; exit 4'], options),
    /exit code 4\n(.*\n)* {2}\| err/,
  )
  t.strictSame(await run('sh', ['-c', 'printf "one\\ntwo"'], options), ['one', 'two'])
})

t.test('Ctrl-C during a step ends what it started', async t => {
  const root = project(t)
  writeFileSync(
    join(root, 'build-native.cjs'),
    `console.log('building'); require('fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [join(root, 'scripts/setup.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await appears(join(root, 'pid'))
  child.kill('SIGINT')
  t.strictSame(await once(child, 'exit'), [130, null])
})

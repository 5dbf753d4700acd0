import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.mjs'

const CHECK_TIMEOUT_MS = 20_000
const APT_UPDATE_DEADLINE_MS = 5 * 60_000
const APT_INSTALL_DEADLINE_MS = 12 * 60_000

const POCKETSPHINX = '/usr/share/pocketsphinx'

/**
 * What the project uses of the system, each with the names of its package. A tool is there when it can be
 * used, whatever installed it. `hint` says what to do where a distribution has no package.
 */
export const SYSTEM_TOOLS = [
  {
    name: 'ffmpeg',
    use: 'decodes mp3, m4a, ogg, flac, webm and the like',
    isThere: () => runs('ffmpeg', '-version'),
    apt: 'ffmpeg',
    dnf: 'ffmpeg-free',
    brew: 'ffmpeg',
  },
  {
    name: 'a C++17 compiler',
    use: 'builds the addon',
    isThere: () => ['g++', 'c++', 'clang++'].some(compiler => runs(compiler, '--version')),
    apt: 'g++',
    dnf: 'gcc-c++',
    hint: { brew: 'xcode-select --install' },
  },
  {
    name: 'cmake',
    use: 'builds the addon',
    isThere: () => runs('cmake', '--version'),
    apt: 'cmake',
    dnf: 'cmake',
    brew: 'cmake',
  },
  {
    name: 'ninja',
    use: 'builds the addon',
    isThere: () => runs('ninja', '--version') || runs('ninja-build', '--version'),
    apt: 'ninja-build',
    dnf: 'ninja-build',
    brew: 'ninja',
  },
  {
    name: 'libpocketsphinx.so.3',
    use: 'recognises speech in the local server',
    isThere: () => libraryIsThere('libpocketsphinx.so.3'),
    apt: 'libpocketsphinx3',
    dnf: 'pocketsphinx-libs',
    hint: {
      brew: 'the local recogniser is tested with the library of Debian only: use a Debian 12 container',
    },
  },
  {
    name: 'the en-us model of pocketsphinx',
    use: 'recognises speech in the local server',
    isThere: () =>
      ['en-us/mdef', 'en-us.lm.bin', 'cmudict-en-us.dict'].every(file =>
        existsSync(`${POCKETSPHINX}/model/en-us/${file}`),
      ),
    apt: 'pocketsphinx-en-us',
    dnf: 'pocketsphinx-models',
    hint: { brew: `unpack Debian's package pocketsphinx-en-us to ${POCKETSPHINX}` },
  },
  {
    name: 'sox',
    use: 'writes audio files for the tests, AMR among them',
    isThere: () => runs('sox', '--version'),
    apt: 'sox',
    dnf: 'sox',
    brew: 'sox',
  },
  {
    name: 'recordings of human speech',
    use: 'are heard by the demo and the tests',
    isThere: () =>
      ['goforward.raw', 'librivox/transcription'].every(file =>
        existsSync(`${POCKETSPHINX}/test/data/${file}`),
      ),
    apt: 'pocketsphinx-testdata',
    hint: {
      dnf: `unpack Debian's package pocketsphinx-testdata to ${POCKETSPHINX}`,
      brew: `unpack Debian's package pocketsphinx-testdata to ${POCKETSPHINX}`,
    },
  },
]

/** What only the tests use. */
export const TEST_TOOLS = [
  {
    name: 'PulseAudio',
    use: 'plays the microphone in the tests; without it they are skipped',
    // Not beside another sound server, and on no other system.
    isThere: () =>
      process.platform !== 'linux' || runs('pulseaudio', '--version') || runs('pipewire-pulse', '--version'),
    apt: 'pulseaudio',
    dnf: 'pulseaudio',
    hint: { brew: 'it is used on Linux only' },
  },
]

/** What only `npm run check` uses. */
export const CHECK_TOOLS = [
  {
    name: 'clang-format',
    use: 'checks the layout of the C++ files',
    isThere: () => runs('clang-format', '--version'),
    apt: 'clang-format',
    dnf: 'clang-tools-extra',
    brew: 'clang-format',
  },
]

/** What node-gyp uses; on Windows it finds its own. */
export const PREBUILD_TOOLS = [
  {
    name: 'g++',
    use: 'is the compiler that node-gyp calls',
    isThere: () => process.platform !== 'linux' || runs('g++', '--version'),
    apt: 'g++',
    dnf: 'gcc-c++',
  },
  {
    name: 'make',
    use: 'builds the addon that is published',
    isThere: () => process.platform === 'win32' || runs('make', '--version'),
    apt: 'make',
    dnf: 'make',
    hint: { brew: 'xcode-select --install' },
  },
  {
    name: 'Python 3',
    use: 'is what node-gyp is written in',
    isThere: () => process.platform === 'win32' || runs('python3', '--version'),
    apt: 'python3',
    dnf: 'python3',
    brew: 'python3',
  },
]

/** What only `npm run test:arm64` uses. */
export const ARM64_TOOLS = [
  {
    name: 'a C++17 compiler for arm64',
    use: 'builds the native tests and the addon for another processor',
    isThere: () => runs('aarch64-linux-gnu-g++', '--version'),
    apt: 'g++-aarch64-linux-gnu',
    hint: { dnf: 'the tests of arm64 need Debian', brew: 'the tests of arm64 need Debian' },
  },
  {
    name: 'QEMU for arm64 programs',
    use: 'runs what was built for arm64',
    isThere: () => runs('qemu-aarch64-static', '--version'),
    apt: 'qemu-user-static',
    dnf: 'qemu-user-static-aarch64',
    hint: { brew: 'it runs on Linux only' },
  },
]

/** What only `npm run test:fuzz` uses. */
export const FUZZ_TOOLS = [
  {
    name: 'clang++',
    use: 'builds the native core for the fuzzer',
    isThere: () => runs('clang++', '--version'),
    apt: 'clang',
    dnf: 'clang',
    brew: 'llvm',
  },
  {
    name: 'libFuzzer and the sanitizers of clang',
    use: 'make inputs that reach new code, and see what they break',
    isThere: linksWithLibFuzzer,
    apt: 'libclang-rt-dev',
    dnf: 'compiler-rt',
    hint: { brew: 'the clang of Xcode has no libFuzzer: put that of llvm first in the PATH' },
  },
]

/** The tools of a list that cannot be used here. */
export function missingTools(tools) {
  return tools.filter(tool => !tool.isThere())
}

/** How apt-get can be called here without a password: as root, or through sudo. Undefined where it cannot. */
export function aptCommand() {
  if (process.platform !== 'linux' || !isOnPath('apt-get')) return undefined
  if (process.getuid() === 0) return ['apt-get']
  return isOnPath('sudo') && runs('sudo', '-n', 'true')
    ? ['sudo', '-n', 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
    : undefined
}

/** Installs those of these tools that cannot be used here. Throws, and says how to, where apt-get cannot. */
export async function installMissing(tools) {
  const missing = missingTools(tools)
  if (missing.length === 0) return
  const apt = aptCommand()
  if (apt === undefined) throw new Error(howToInstall(missing))
  await installWithApt(missing, apt)
}

/** Installs the Debian packages of these tools and nothing that they merely recommend. */
export async function installWithApt(tools, [command, ...first]) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const patience = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3']
  const apt = (args, deadlineMs) =>
    run(command, [...first, ...patience, ...args], { env, deadlineMs, label: 'installing system packages' })
  const update = await apt(['update'], APT_UPDATE_DEADLINE_MS)
  const packages = tools.map(tool => tool.apt)
  try {
    await apt(['install', '-y', '--no-install-recommends', ...packages], APT_INSTALL_DEADLINE_MS)
  } catch (error) {
    // A mirror that cannot be reached is to 'update' a warning and exit code 0, yet it may be why 'install' fails.
    const warnings = update.filter(line => /^[WE]:/.test(line)).map(line => `\n  | ${line}`)
    if (warnings.length > 0) error.message += `\napt-get update, before it, had said:${warnings.join('')}`
    throw error
  }
}

/** What is missing, what for, and one command for each kind of system. */
export function howToInstall(missing) {
  const width = Math.max(...missing.map(({ name }) => name.length))
  return [
    'Missing on this machine:',
    ...missing.map(({ name, use }) => `  ${name.padEnd(width)}  ${use}`),
    '',
    'To install it:',
    ...instructions(missing, 'Debian, Ubuntu', 'apt', 'sudo apt-get install --no-install-recommends'),
    ...instructions(missing, 'Fedora', 'dnf', 'sudo dnf install'),
    ...instructions(missing, 'macOS', 'brew', 'brew install'),
  ].join('\n')
}

function instructions(missing, system, manager, command) {
  const packages = missing.flatMap(tool => tool[manager] ?? [])
  const hints = missing.flatMap(tool => (tool.hint?.[manager] ? `${tool.name}: ${tool.hint[manager]}` : []))
  const lines = packages.length > 0 ? [`${command} ${packages.join(' ')}`, ...hints] : hints
  return lines.map((line, i) => `  ${(i === 0 ? system : '').padEnd(16)}${line}`)
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: CHECK_TIMEOUT_MS }).status === 0
}

function linksWithLibFuzzer() {
  const target = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }'
  const args = ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', '/dev/null']
  return spawnSync('clang++', args, { input: target, timeout: CHECK_TIMEOUT_MS }).status === 0
}

function isOnPath(command) {
  return (process.env.PATH ?? '').split(delimiter).some(directory => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Asks the loader's cache; ldconfig is often outside the PATH of those who are not root. */
function libraryIsThere(name) {
  for (const ldconfig of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    const { status, stdout } = spawnSync(ldconfig, ['-p'], { encoding: 'utf8', timeout: CHECK_TIMEOUT_MS })
    if (status === 0) return stdout.includes(name)
  }
  const directories = [
    '/usr/lib',
    '/usr/lib64',
    '/usr/local/lib',
    ...(process.env.LD_LIBRARY_PATH ?? '').split(delimiter),
  ]
  return directories.some(directory => directory !== '' && existsSync(join(directory, name)))
}

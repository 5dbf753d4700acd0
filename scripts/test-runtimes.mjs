/**
 * Packs the project, installs the tarball outside of it, and runs scripts/runtimes/smoke.mjs on each runtime that npm
 * carries. Not part of CI: it fetches some 800 MB of runtimes once, into build-runtimes/.
 *
 *   npm run test:runtimes             all of them
 *   npm run test:runtimes -- node bun those whose names begin so
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { prebuildPath, prebuildTarget } from './prebuild/target.mjs'
import { RUNTIMES } from './runtimes/list.mjs'

const STEP_TIMEOUT_MS = 300_000
const SMOKE_TIMEOUT_MS = 120_000

const root = join(import.meta.dirname, '..')
const cache = join(root, 'build-runtimes')
const work = mkdtempSync(join(tmpdir(), 'sttstream-runtimes-'))
const wanted = process.argv.slice(2).map(name => name.toLowerCase())
const isWanted = ({ name }) =>
  wanted.length === 0 || wanted.some(begin => name.toLowerCase().startsWith(begin))

try {
  const tarball = pack()
  const audio = makeAudio()
  const results = RUNTIMES.filter(isWanted).map(runtime => ({ runtime, ...smoke(runtime, tarball, audio) }))
  report(results)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true, force: true })
}

function run(command, args, options = {}) {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: STEP_TIMEOUT_MS,
    ...options,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

function npm(cwd, ...args) {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  return run('npm', [...args, ...quiet], { cwd, shell: process.platform === 'win32' })
}

/** The project as a release packs it: with `dist` and the addon that this clone has built. */
function pack() {
  const addon = join(root, 'build/Release/sttstream.node')
  if (!existsSync(addon) || !existsSync(join(root, 'dist/index.js')))
    throw new Error('Run npm run build first')
  const project = join(work, 'project')
  const made = /^(build.*|prebuilds|coverage|node_modules|\.git|\.tap)$/
  cpSync(root, project, {
    recursive: true,
    filter: source => !made.test(relative(root, source).split(sep)[0]),
  })
  const prebuild = join(project, prebuildPath(prebuildTarget()))
  mkdirSync(dirname(prebuild), { recursive: true })
  cpSync(addon, prebuild)
  const [{ filename }] = JSON.parse(npm(project, 'pack', '--json'))
  return join(project, filename)
}

/** Two seconds that ffmpeg need not hear anything in: the scripted recogniser says what is heard. */
function makeAudio() {
  const [wav, mp3] = ['speech.wav', 'speech.mp3'].map(name => join(work, name))
  const bytes = Buffer.alloc(44 + 64_000)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(36 + 64_000, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(16_000, 24)
  bytes.writeUInt32LE(32_000, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(64_000, 40)
  for (let i = 0; i < 32_000; i++) bytes.writeInt16LE(Math.round(8_000 * Math.sin(i * 0.2)), 44 + 2 * i)
  writeFileSync(wav, bytes)
  spawnSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', wav, mp3])
  return [wav, mp3]
}

/** The binary of a runtime, installed on first use. */
function binaryOf({ spec, binary }) {
  const directory = join(cache, spec.replace(/[@/]/g, '_'))
  const path = join(directory, 'node_modules', binary)
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true })
    npm(directory, 'install', '--prefix', directory, spec)
  }
  return path
}

/** The version of a runtime and what it made of each check; the end of its process is the last. */
function smoke(runtime, tarball, audio) {
  const consumer = join(work, runtime.spec.replace(/[@/]/g, '_'))
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }')
  npm(consumer, 'install', tarball)
  cpSync(join(root, 'scripts/runtimes/smoke.mjs'), join(consumer, 'smoke.mjs'))
  const binary = binaryOf(runtime)
  const version = /\d+\.\d+\.\d+/.exec(run(binary, ['--version']))?.[0] ?? 'unknown'
  const { status, signal, error, stdout, stderr } = spawnSync(
    binary,
    [...runtime.args, 'smoke.mjs', runtime.name.split(' ')[0], ...audio],
    {
      cwd: consumer,
      encoding: 'utf8',
      timeout: SMOKE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_PATH: '', STTSTREAM_PORTABLE: '' },
    },
  )
  const checks = stdout.split('\n').flatMap(line => (line.startsWith('{"name"') ? [JSON.parse(line)] : []))
  const note =
    error?.code === 'ETIMEDOUT' ? `runs on, ended after ${SMOKE_TIMEOUT_MS} ms` : (signal ?? stderr.trim())
  checks.push({ name: 'exit', ok: status === 0, note: status === 0 ? undefined : note })
  return { version, checks }
}

function report(results) {
  const names = [...new Set(results.flatMap(({ checks }) => checks.map(({ name }) => name)))]
  const title = ({ runtime, version }) => `${runtime.name.split(' ')[0]} ${version}`
  const width = Math.max(...results.map(result => title(result).length))
  console.log([''.padEnd(width), ...names].join('  '))
  for (const result of results) {
    const cells = names.map(name => {
      const check = result.checks.find(each => each.name === name)
      const cell = !check ? '-' : !check.ok ? 'FAIL' : (check.note ?? 'ok')
      return cell.padEnd(name.length)
    })
    console.log([title(result).padEnd(width), ...cells].join('  '))
  }
  const all = results.flatMap(result => result.checks.map(check => ({ ...check, title: title(result) })))
  const failed = all.filter(({ ok }) => !ok)
  const skipped = all.filter(({ ok, note }) => ok && note === 'skip')
  for (const { title, name, note } of failed) console.log(`\n${title}, ${name}: ${note}`)
  if (skipped.length > 0)
    console.log(`\n${skipped.length} skipped: no ffmpeg, or no recording of pocketsphinx-testdata`)
  console.log(`\n${all.length - failed.length - skipped.length} passed, ${failed.length} failed`)
  if (failed.length > 0) process.exitCode = 1
}

import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { resample } from '#dist/index.js'
import { prebuildPath, prebuildTarget } from '../scripts/prebuild/target.mjs'

// What a user gets: the packed tarball, installed without install scripts in a folder that lies outside this
// project (whose node_modules would hide what is missing) and with nothing but node on the PATH.

const exec = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
const ADDON = join(ROOT, 'build/Release/sttstream.node')
const TIMEOUT_MS = 180_000
const { version } = (await import('../package.json', { with: { type: 'json' } })).default

const work = realpathSync(mkdtempSync(join(tmpdir(), 'sttstream-package-')))
t.teardown(() => rmSync(work, { recursive: true, force: true }))
const consumer = join(work, 'consumer')
const installed = join(consumer, 'node_modules/sttstream')
const env = { ...process.env, PATH: join(work, 'bin'), NODE_PATH: '', STTSTREAM_PORTABLE: '' }

async function run(command: string, args: string[], cwd = consumer): Promise<string> {
  return (await exec(command, args, { cwd, env, timeout: TIMEOUT_MS })).stdout
}

const node = (...args: string[]) => run(process.execPath, args)

function npm(cwd: string, ...args: string[]): Promise<string> {
  const running = process.env.npm_execpath
  const cli = running?.endsWith('npm-cli.js') ? running : realpathSync(join(dirname(process.execPath), 'npm'))
  return run(process.execPath, [cli, ...args, '--ignore-scripts', '--no-audit', '--no-fund'], cwd)
}

/** The project as the release has it before it packs: with `dist` and a prebuilt addon. */
function release(directory: string): void {
  const made = /^(build.*|prebuilds|coverage|\.git|\.tap)$/
  cpSync(ROOT, directory, {
    recursive: true,
    filter: source =>
      basename(source) !== 'node_modules' && !made.test(relative(ROOT, source).split(sep)[0] ?? ''),
  })
  const prebuild = join(directory, prebuildPath(prebuildTarget()))
  mkdirSync(dirname(prebuild), { recursive: true })
  cpSync(ADDON, prebuild)
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

let packed: Packed

t.before(async () => {
  for (const directory of ['bin', 'consumer']) mkdirSync(join(work, directory))
  symlinkSync(process.execPath, join(work, 'bin/node'))
  const project = join(work, 'project')
  release(project)
  const [pack] = JSON.parse(await npm(project, 'pack', '--json')) as Packed[]
  if (!pack) throw new Error('npm pack has packed nothing')
  packed = pack
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }')
  await npm(consumer, 'install', '--prefer-offline', '--omit=optional', join(project, pack.filename))
})

/** Two channels of 44.1 kHz that are not silent. */
const FORMAT = { encoding: 's16le', sampleRateHertz: 44_100, channels: 2 } as const
const AUDIO = Buffer.from(Uint8Array.from({ length: 4 * 4410 }, (_, i) => i * i * 7 + (i >> 3)))

/** Prints which implementation runs, its warnings, and what it makes of AUDIO. */
const REPORT = `
  import { resample } from 'sttstream'
  import { nativeBackend } from ${JSON.stringify(join(installed, 'dist/native.js'))}
  const warnings = []
  const resampler = resample({ format: ${JSON.stringify(FORMAT)} })
  resampler.on('warning', ({ code }) => warnings.push(code))
  const audio = Buffer.from('${AUDIO.toString('base64')}', 'base64')
  for (let at = 0; at < audio.length; at += 1000) resampler.write(audio.subarray(at, at + 1000))
  resampler.end()
  const pcm = Buffer.concat(await resampler.toArray()).toString('base64')
  console.log(JSON.stringify({ backend: nativeBackend(), warnings, pcm }))`

interface Report {
  readonly backend: string
  readonly warnings: readonly string[]
  readonly pcm: string
}

async function report(): Promise<Report> {
  return JSON.parse(await node('--input-type=module', '--eval', REPORT)) as Report
}

async function expectedPcm(): Promise<Buffer> {
  const resampler = resample({ format: FORMAT })
  resampler.end(AUDIO)
  return Buffer.concat((await resampler.toArray()) as Buffer[])
}

t.test('holds what runs and what is read, and nothing to build', async t => {
  const folders = new Set(packed.files.map(({ path }) => path.split('/')[0]))
  t.strictSame(
    [...folders].sort(),
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'examples', 'package.json', 'prebuilds'].sort(),
  )
})

t.test('loads its prebuilt addon and resamples as a checkout does', async t => {
  const { backend, warnings, pcm } = await report()
  t.equal(backend, 'native')
  t.strictSame(warnings, [])
  t.ok(Buffer.from(pcm, 'base64').equals(await expectedPcm()))
})

t.test('can be required from CommonJS', async t => {
  const script = `
    const { sttStream, SttError } = require('sttstream')
    const { startLocalServer } = require('sttstream/testing')
    console.log(typeof sttStream, typeof SttError, typeof startLocalServer)`
  t.equal(await node('--eval', script), 'function function function\n')
})

t.test('needs @opentelemetry/api for its subpath alone', async t => {
  const script = `
    const { sttStream } = require('sttstream')
    try {
      require('sttstream/opentelemetry')
    } catch (error) {
      console.log(typeof sttStream, error.code, /@opentelemetry\\/api/.test(error.message))
    }`
  t.match(await node('--eval', script), /^function (ERR_)?MODULE_NOT_FOUND true\n$/)
  const scope = join(consumer, 'node_modules/@opentelemetry')
  mkdirSync(scope)
  cpSync(join(ROOT, 'node_modules/@opentelemetry/api'), join(scope, 'api'), { recursive: true })
  for (const type of ['module', 'commonjs']) {
    const load = type === 'module' ? 'await import' : 'require'
    const used = `const { instrument } = ${load}('sttstream/opentelemetry'); instrument()(); console.log('done')`
    t.equal(await node(`--input-type=${type}`, '--eval', used), 'done\n', type)
  }
})

t.test('has types for ES modules and for CommonJS', async t => {
  const use = `
    const stream: SttStream = sttStream({ url: 'local' })
    stream.on('warning', ({ code }) => code)
    // @ts-expect-error: an option of another type
    sttStream({ url: 5 })`
  writeFileSync(join(consumer, 'esm.mts'), `import { sttStream, type SttStream } from 'sttstream'\n${use}`)
  writeFileSync(
    join(consumer, 'cjs.cts'),
    `import { sttStream, type SttStream } from 'sttstream'
    import testing = require('sttstream/testing')
    import { instrument } from 'sttstream/opentelemetry'
    testing.startLocalServer satisfies object
    instrument({}) satisfies () => void
    ${use}`,
  )
  const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')]
  const options = ['--noEmit', '--strict', '--lib', 'es2023', '--module', 'nodenext', ...types]
  await t.resolves(node(join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'esm.mts', 'cjs.cts'))
})

t.test('runs on the command line', async t => {
  t.equal(await run(join(consumer, 'node_modules/.bin/sttstream'), ['--version']), `${version}\n`)
})

t.test('runs its TypeScript twin where it has no addon for the machine, and says so once', async t => {
  rmSync(join(installed, 'prebuilds'), { recursive: true })
  const { backend, warnings, pcm } = await report()
  t.equal(backend, 'portable')
  t.strictSame(warnings, ['STT_WARN_PORTABLE'])
  const [made, expected] = [Buffer.from(pcm, 'base64'), await expectedPcm()]
  t.equal(made.length, expected.length)
  for (let at = 0; at < made.length; at += 2) {
    const apart = Math.abs(made.readInt16LE(at) - expected.readInt16LE(at))
    if (apart > 1) t.fail(`sample ${at / 2} is ${apart} steps apart`)
  }
})

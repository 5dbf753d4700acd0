// Our resampler beside its peers: speed, quality, latency, cold start, memory, and the whole way of a phone call.
// docs/resampler.md tells how each figure is taken. Usage: npm run bench -- --help
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_FORMATS, parseFormat, QUICK_FORMATS } from './formats.mjs'
import { cpuSlug, describeMachine } from './machine.mjs'
import * as latency from './parts/latency.mjs'
import * as opening from './parts/opening.mjs'
import * as pipeline from './parts/pipeline.mjs'
import * as quality from './parts/quality.mjs'
import * as speed from './parts/speed.mjs'
import { RESULTS, ROOT, WORK } from './paths.mjs'
import { findPeers, runNative } from './peers.mjs'
import { startProgress } from './progress.mjs'
import { drawPictures } from './report/pictures/draw.mjs'
import { printReport } from './report/terminal.mjs'
import { buildDriver, buildLibrary } from './setup/build.mjs'
import { installDebianPeers, installNodePeers } from './setup/peers.mjs'

/** In the order in which they run: latency needs what quality finds. */
const PARTS = { speed, quality, latency, opening, pipeline }

const QUICK_PEERS = [
  'libsoxr HQ',
  'speexdsp q5',
  'libsamplerate fastest',
  'zita-resampler 48',
  'swresample default',
  'speex-resampler q7',
  'libsamplerate-js fastest',
  'wave-resampler cubic',
  '@livekit/rtc-node high',
  'node-av',
]

const cli = new Command('npm run bench --')
  .description('Measures the resampler beside its peers and draws what it finds.')
  .option('--quick', 'only prove that everything runs, one setting a library: figures of no value')
  .addOption(
    new Option('--only <parts>', `comma-separated, of ${Object.keys(PARTS).join(', ')}`)
      .argParser(partsOf)
      .default(Object.keys(PARTS), 'all'),
  )
  .option('--peers <names>', 'comma-separated beginnings of names; ours are always measured', listOf)
  .option(
    '--formats <formats>',
    'comma-separated RATExCHANNELS, default ' + DEFAULT_FORMATS.join(','),
    listOf,
  )
  .option('--require <names>', 'comma-separated beginnings of names; fails where one has no peer', listOf)
  .option('--no-install', 'measure only the peers that are installed already')
  .option('--no-pictures', 'draw nothing')
  .parse()
const options = cli.opts()

try {
  await run()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

async function run() {
  const { quick = false, only } = options
  const formats = (options.formats ?? (quick ? QUICK_FORMATS : DEFAULT_FORMATS)).map(parseFormat)
  const rates = [...new Set(formats.map(({ sampleRateHertz }) => sampleRateHertz))]
  const { peers, missing, reasons } = await prepare()
  const machine = describeMachine()
  const roofline = reasons.driver ? {} : await runNative('roofline', {})
  const results = { date: new Date().toISOString(), quick, machine, roofline, formats, peers, missing }

  const plan = { peers, formats, rates, quick, roofline }
  const steps = only.reduce((sum, part) => sum + PARTS[part].steps(plan), 0)
  const progress = startProgress(steps)
  for (const part of only) {
    results[part] = await PARTS[part].measure({ ...plan, quality: results.quality, progress })
  }
  progress.stop()

  printReport(results)
  console.log(`Written: ${relative(ROOT, write(results))}`)
  if (options.pictures) {
    const drawn = await drawPictures(results, join(WORK, 'pictures'))
    console.log(`Drawn: ${drawn.map(path => relative(ROOT, path)).join(', ') || 'nothing'}`)
  }
}

async function prepare() {
  const reasons = {}
  if (options.install) {
    console.log('Installing peers')
    reasons.debian = await installDebianPeers()
    reasons.npm = await installNodePeers()
  }
  console.log('Building')
  await buildLibrary()
  try {
    await buildDriver()
  } catch (error) {
    reasons.driver = `the driver was not built: ${error.message}`
    console.error(reasons.driver)
  }
  const { peers, missing } = await findPeers(reasons)
  const absent = (options.require ?? []).filter(prefix => !peers.some(({ name }) => name.startsWith(prefix)))
  if (absent.length > 0) {
    const why = missing.map(({ peer, reason }) => `\n  ${peer}: ${reason}`).join('')
    throw new Error(`--require: not to be measured here: ${absent.join(', ')}${why}`)
  }
  const wanted = options.peers ?? (options.quick ? QUICK_PEERS : [''])
  const chosen = peers.filter(({ name }) => isOurs(name) || wanted.some(prefix => name.startsWith(prefix)))
  const unknown = (options.peers ?? []).filter(prefix => !peers.some(({ name }) => name.startsWith(prefix)))
  if (unknown.length > 0) {
    throw new RangeError(`--peers: no peer begins with ${unknown.join(', ')}; there are ${namesOf(peers)}`)
  }
  return { peers: chosen, missing, reasons }
}

/** Only a whole run is worth keeping beside the code. */
function write(results) {
  const isPart = ['quick', 'only', 'peers', 'formats'].some(name => cli.getOptionValueSource(name) === 'cli')
  const folder = isPart ? join(WORK, 'results') : RESULTS
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${results.date.slice(0, 10)}-${cpuSlug(results.machine.cpu)}.json`)
  writeFileSync(path, `${JSON.stringify(results)}\n`)
  return path
}

function isOurs(name) {
  return name.startsWith('sttstream')
}

function namesOf(peers) {
  return peers.map(({ name }) => name).join(', ')
}

function listOf(text) {
  return text.split(',')
}

function partsOf(text) {
  const parts = listOf(text)
  const wrong = parts.find(part => !(part in PARTS))
  if (wrong !== undefined) {
    throw new InvalidArgumentError(`There is no part ${wrong}; there are ${Object.keys(PARTS).join(', ')}.`)
  }
  return parts
}

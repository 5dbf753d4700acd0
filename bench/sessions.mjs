/**
 * What many sessions leave behind: memory, handles and listeners of a process that runs them against the scripted
 * local server in another process, and how soon a program ends after its stream.
 *
 *   node bench/sessions.mjs [sequential|concurrent|exit] [count]     default: all; 10 000, 2 000, 20
 */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { sttStream } from '../dist/index.js'
import { nativeBackend } from '../dist/native.js'
import { median } from './statistics.mjs'

const INPUT = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
const SECOND = Buffer.alloc(32_000)
const MIB = 1024 * 1024
const [role = 'all', given] = process.argv.slice(2)

if (role === 'serve') await serve()
else if (role === 'program') await program(given)
else await measure()

async function serve() {
  const { scriptedRecognizer, startLocalServer } = await import('../dist/testing.js')
  const recognizer = scriptedRecognizer([{ startMs: 100, endMs: 600, text: 'hello' }])
  const server = await startLocalServer({ recognizer, limits: { maxConnections: 10_000 } })
  process.send(server.url)
  process.once('disconnect', () => process.exit())
}

async function program(url) {
  const stream = sttStream({ url, input: INPUT })
  stream.resume()
  stream.end(SECOND)
  await once(stream, 'close')
  console.log(Date.now())
}

async function measure() {
  console.log(`Node ${process.version}, addon ${nativeBackend()}`)
  const server = fork(new URL(import.meta.url), ['serve'])
  const [url] = await once(server, 'message')
  const all = role === 'all'
  if (all || role === 'sequential') await sequential(url, Number(given ?? 10_000))
  if (all || role === 'concurrent') await concurrent(url, Number(given ?? 2_000))
  if (all || role === 'exit') await exits(url, Number(given ?? 20))
  server.disconnect()
}

async function session(url) {
  const stream = sttStream({ url, input: INPUT })
  let finals = 0
  stream.on('data', event => event.isFinal && finals++)
  stream.end(SECOND)
  await once(stream, 'close')
  if (finals !== 1) throw new Error(`expected one final; got ${finals}`)
}

async function sequential(url, count) {
  for (let index = 0; index <= count; index++) {
    if (index % (count / 5) === 0) await report(`${index} sessions, one after the other`)
    if (index < count) await session(url)
  }
}

async function concurrent(url, count) {
  for (let round = 0; round < 3; round++) {
    await report(`before ${count} sessions at a time`)
    await concurrently(url, count)
  }
  await report('after')
}

/** A function of its own: a suspended loop would keep the streams of its last turn. */
async function concurrently(url, count) {
  const streams = Array.from({ length: count }, () => sttStream({ url, input: INPUT }))
  let finals = 0
  let failures = 0
  for (const stream of streams) {
    stream.on('data', event => event.isFinal && finals++)
    stream.on('error', () => failures++)
  }
  await Promise.all(streams.map(stream => once(stream, 'open')))
  for (const stream of streams) stream.write(SECOND)
  await sleep(500)
  await report(`${count} sessions open`)
  const closed = Promise.all(streams.map(stream => once(stream, 'close')))
  for (const stream of streams) stream.end(SECOND)
  await closed
  if (finals !== count || failures > 0) throw new Error(`${finals} finals, ${failures} failures`)
}

async function exits(url, count) {
  const delays = []
  for (let index = 0; index < count; index++) {
    const child = execFile(process.execPath, [new URL(import.meta.url).pathname, 'program', url])
    let closedAt = 0
    child.stdout.on('data', text => (closedAt = Number(text)))
    await once(child, 'exit')
    delays.push(Date.now() - closedAt)
  }
  console.log(`exit after close: median ${median(delays)} ms, maximum ${Math.max(...delays)} ms of ${count}`)
}

async function report(what) {
  // What a finalizer frees goes with the next collection.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await sleep(100)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().length
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  const mib = bytes => `${(bytes / MIB).toFixed(1).padStart(7)} MiB`
  console.log(
    `${what.padEnd(38)} rss ${mib(rss)}  heap ${mib(heapUsed)}  external ${mib(external)}  handles ${handles}  listeners ${listeners}`,
  )
}

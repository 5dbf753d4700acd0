// Calls in parallel through one implementation. Every turn of the loop hands one message to every call and lets the
// sockets work, as on a host that carries so many calls. CPU time is the process's, sockets included; the far end is
// another process. Usage: node --expose-gc case.mjs IMPLEMENTATION URL CALLS SECONDS
import { setImmediate } from 'node:timers/promises'
import { MESSAGE_MS, messagesOf } from './call.mjs'

const WARM_UP_SECONDS = 2
const [implementation, url, calls, seconds] = process.argv.slice(2)

const IMPLEMENTATIONS = {
  sttstream: async () => (await import('./ours.mjs')).openCall,
  'naive cubic': async () => (await import('./naive.mjs')).openNaiveCall('cubic'),
  'naive linear': async () => (await import('./naive.mjs')).openNaiveCall('linear'),
}

const openCall = await IMPLEMENTATIONS[implementation]()
const messages = messagesOf(Number(seconds))
const warmUp = messages.slice(0, (1_000 * WARM_UP_SECONDS) / MESSAGE_MS)
// The first call of a process loads code and tables, which is not a call's share.
await run([await openCall(url)], warmUp).then(([call]) => call.end())

const before = memory()
const all = await Promise.all(Array.from({ length: Number(calls) }, () => openCall(url)))
await run(all, warmUp)
await setImmediate()
const after = memory()
const start = process.cpuUsage()
await run(all, messages)
const { user, system } = process.cpuUsage(start)
await Promise.all(all.map(call => call.end()))

const perCall = key => Math.round((after[key] - before[key]) / all.length)
console.log(
  JSON.stringify({
    cpuUsPerCallSecond: (user + system) / (all.length * Number(seconds)),
    heapBytesPerCall: perCall('heap'),
    residentBytesPerCall: perCall('resident'),
  }),
)
process.exit()

async function run(open, each) {
  for (const message of each) {
    for (const call of open) call.push(message)
    await setImmediate()
  }
  return open
}

function memory() {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}

import { once } from 'node:events'
import { pipeline } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { sttStream, type SttEvent, type SttStream } from '#dist/index.js'
import { scriptedRecognizer, stampedAudio, startLocalServer, type SessionRecord } from '#dist/testing.js'
import { chunksOf } from '../fixtures/chunks.js'
import { tcpProxy } from '../fixtures/tcp-proxy.js'
import { Dice } from './dice.js'
import { mergeFaults } from './fault-catalogue.js'
import type { Act, ChaosPlan } from './plan.js'

/** A run that has not closed by then never will, in ms. */
const DEADLINE_MS = 30_000
const BYTES_PER_MS = 32
/** A rest of the caller. */
const PAUSE_MS = 20
/** The service's waits are a hundredth of what they say. */
const SERVER_HURRY = 100
/** Not a wait but a limit: a busy machine must not break it. */
const CONFIG_TIMEOUT_MS = 200_000

export interface Notice {
  name: string
  [fact: string]: unknown
}

/** All that can be seen of one run. */
export interface Observation {
  plan: ChaosPlan
  source: Buffer
  events: SttEvent[]
  notices: Notice[]
  errors: (Error & { code?: string })[]
  closes: number
  ended: boolean
  /** Whether it closed within the deadline. */
  timely: boolean
  /** Promises of `endTurn()` and `updateConfig()`, and how many of them have settled. */
  promises: { made: number; settled: number }
  stats: ReturnType<SttStream['stats']>
  /** What the server got, one for each connection that opened. */
  records: SessionRecord[]
  /** Numbers of the faults whose connections reached the server. */
  struck: number[]
}

const NOTICES = ['open', 'reconnecting', 'reconnected', 'rotated', 'hibernating', 'warning']

/** Does what the plan says, and watches. */
export async function runPlan(plan: ChaosPlan): Promise<Observation> {
  const source = stampedAudio(plan.script, plan.durationMs)
  const records: SessionRecord[] = []
  const struck: number[] = []
  const server = await startLocalServer({
    recognizer: scriptedRecognizer(plan.script, { clock: 'stamps' }),
    recordAudio: true,
    startTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs / SERVER_HURRY)
      return () => clearTimeout(timer)
    },
    ...plan.server,
    limits: { configTimeoutMs: CONFIG_TIMEOUT_MS, ...plan.server.limits },
    faults: index => {
      const drawn = plan.faultsOf(index)
      struck.push(...drawn.map(({ number }) => number))
      return mergeFaults(drawn)
    },
  })
  server.on('connection', record => records.push(record))
  const proxy = await tcpProxy(new URL(server.url), plan.cutOf)
  try {
    const controller = new AbortController()
    const stream = sttStream({ ...plan.stream, url: proxy.url, signal: controller.signal })
    const seen: Observation = {
      plan,
      source,
      events: [],
      notices: [],
      errors: [],
      closes: 0,
      ended: false,
      timely: false,
      promises: { made: 0, settled: 0 },
      stats: stream.stats(),
      records,
      struck,
    }
    for (const name of NOTICES) {
      stream.on(name, (facts?: object) => seen.notices.push({ name, ...facts }))
    }
    stream.on('error', error => seen.errors.push(error))
    stream.on('close', () => seen.closes++)
    stream.on('end', () => (seen.ended = true))
    const closed = once(stream, 'close', { signal: AbortSignal.timeout(DEADLINE_MS) }).then(
      () => true,
      () => stream.closed,
    )
    const spoken = new Promise<void>(resolve =>
      pipeline(speak(plan, source, stream, controller, seen.promises), stream, () => resolve()),
    )
    const heard = read(stream, plan.readerDelayMs, seen.events)
    seen.timely = await closed
    seen.stats = stream.stats()
    if (!seen.timely) stream.destroy()
    await Promise.all([spoken, heard])
    // What follows a close that it must not: one round of everything.
    await new Promise(setImmediate)
    return seen
  } finally {
    await proxy.close()
    await server.close()
  }
}

/** The source as the caller writes it, with what the caller does meanwhile. */
async function* speak(
  { seed, acts, maxChunkBytes, pauseEveryMs }: ChaosPlan,
  source: Buffer,
  stream: SttStream,
  controller: AbortController,
  promises: Observation['promises'],
): AsyncGenerator<Buffer> {
  const dice = new Dice(seed)
  const due = [...acts]
  let written = 0
  let pauseAtMs = pauseEveryMs
  const untilDue = () => (due[0]?.atMs ?? Infinity) * BYTES_PER_MS - written
  for (const chunk of chunksOf(source, () => Math.min(untilDue(), dice.int(1, maxChunkBytes)))) {
    yield chunk
    written += chunk.length
    while (untilDue() <= 0) act(due.shift()!, stream, controller, promises)
    if (written < pauseAtMs * BYTES_PER_MS) continue
    pauseAtMs += pauseEveryMs
    await sleep(PAUSE_MS)
  }
}

function act(
  each: Act,
  stream: SttStream,
  controller: AbortController,
  promises: Observation['promises'],
): void {
  if (each.kind === 'sourceError') throw new SourceError()
  if (stream.destroyed) return
  if (each.kind === 'destroy') stream.destroy()
  if (each.kind === 'abort') controller.abort()
  const promise =
    each.kind === 'endTurn'
      ? stream.endTurn()
      : each.kind === 'updateConfig'
        ? stream.updateConfig({ language: each.language })
        : undefined
  if (!promise) return
  promises.made++
  const settle = () => promises.settled++
  promise.then(settle, settle)
}

export class SourceError extends Error {}

async function read(stream: SttStream, delayMs: number, events: SttEvent[]): Promise<void> {
  try {
    for await (const event of stream as AsyncIterable<SttEvent>) {
      events.push(event)
      if (delayMs > 0) await sleep(delayMs)
    }
  } catch {
    // The stream's 'error' has told it.
  }
}

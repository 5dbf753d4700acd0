import { getEventListeners } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { sttStream } from '#dist/index.js'
import { idleResources } from './fixtures/resources.js'
import { scriptedServer, toneWav } from './fixtures/scripted.js'

const wav = toneWav(1_000)
const script = [{ startMs: 100, endMs: 600, text: 'hello' }]

/** Processes whose parent is this one. */
function children(): number {
  return readdirSync('/proc').filter(pid => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      return Number(/\) \S (\d+)/.exec(stat)?.[1]) === process.pid
    } catch {
      return false
    }
  }).length
}

function listeners(): Record<string, number> {
  const names = process.eventNames().map(String)
  return Object.fromEntries(names.map(name => [name, process.listenerCount(name)]))
}

t.test('leaves nothing behind after 200 sessions of every outcome', async t => {
  const server = await scriptedServer(t, {
    script,
    // Every fourth session is refused, every fourth fails in mid-stream.
    faults: index =>
      index % 4 === 1
        ? { upgrade: { status: 503 } }
        : index % 4 === 2
          ? { error: { code: 14, message: 'no', at: { afterAudioMs: 500 } } }
          : undefined,
  })
  const controller = new AbortController()
  const session = async (index: number) => {
    const stream = sttStream({ url: server.url, signal: controller.signal, retry: false })
    let finals = 0
    let failed = false
    stream.on('error', () => (failed = true))
    stream.on('data', (event: { isFinal?: boolean }) => event.isFinal && finals++)
    const closed = new Promise<void>(resolve => stream.once('close', resolve))
    if (index % 4 === 3) {
      stream.write(wav)
      stream.once('data', () => stream.destroy())
    } else {
      stream.end(wav)
    }
    await closed
    return failed ? 'failed' : finals > 0 ? 'final' : 'destroyed'
  }
  // The first round loads what is loaded once.
  for (let index = 0; index < 4; index++) await session(index)
  const before = {
    resources: await idleResources(),
    listeners: listeners(),
    children: children(),
  }
  const outcomes: Record<string, number> = {}
  for (let index = 4; index < 204; index++) {
    const outcome = await session(index)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  t.strictSame(outcomes, { final: 50, failed: 100, destroyed: 50 })
  t.strictSame(await idleResources(), before.resources)
  t.strictSame(listeners(), before.listeners)
  t.equal(children(), before.children)
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

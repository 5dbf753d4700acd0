import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Faults } from '#dist/testing.js'
import { scriptedServer } from './fixtures/scripted.js'

const PROGRAM = join(import.meta.dirname, 'fixtures', 'exiting-program.mjs')
/** From the stream's close to the process's end. */
const EXIT_DEADLINE_MS = 5_000

const lost = (index: number): Faults | undefined =>
  index === 0 ? { close: { code: 1011, at: { afterAudioMs: 1_000 } } } : undefined
const FAULTS: Record<string, Faults | typeof lost> = {
  ended: {},
  'never closed by the service': { end: { neverClose: true } },
  failed: { error: { code: 3, message: 'no', at: { afterAudioMs: 500 } } },
  refused: { upgrade: { status: 403 } },
  'lost and found': lost,
  'destroyed before it opened': {},
  'destroyed in the middle': {},
  'destroyed while waiting to reconnect': { upgrade: { status: 503, headers: { 'retry-after': '30' } } },
  aborted: {},
  stopped: {},
  'failed in the source': {},
  'on hold, then destroyed': {},
}

t.test('knows every outcome of the program', async t => {
  const outcomes = /const OUTCOMES = \{(.*?)^\}/ms.exec(readFileSync(PROGRAM, 'utf8'))?.[1] ?? ''
  const names = [...outcomes.matchAll(/^ {2}'?([a-z][^':]*)'?: stream/gm)].map(match => match[1])
  t.strictSame(names, Object.keys(FAULTS))
})

for (const [outcome, faults] of Object.entries(FAULTS)) {
  t.test(`a program ends by itself when its stream is ${outcome}`, async t => {
    const script = [{ startMs: 200, endMs: 900, text: 'turn the lamp on' }]
    const { url } = await scriptedServer(t, { faults, script })
    const child = spawn(process.execPath, [PROGRAM, outcome, url], { stdio: ['ignore', 'pipe', 'inherit'] })
    let timer: NodeJS.Timeout | undefined
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      timer ??= setTimeout(() => child.kill('SIGKILL'), EXIT_DEADLINE_MS)
    })
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    clearTimeout(timer)
    t.equal(said, `closed ${outcome}\n`)
    t.strictSame([code, signal], [0, null])
  })
}

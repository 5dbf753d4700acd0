import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { sttStream } from '#dist/index.js'
import { scriptedServer } from './fixtures/scripted.js'

const SECOND = 32_000
const HOUR = 3_600 * SECOND
/** What the process may grow by: our queues, the socket's, and what the collector has not freed yet. */
const RSS_BOUND_BYTES = 96 * 1024 * 1024

t.test(
  'an hour of audio against a service that reads nothing: the source is paused, memory is flat',
  async t => {
    const { url } = await scriptedServer(t, { faults: { stopReading: true } })
    const deaf = { pingIntervalMs: false, watchdogMs: false, idleTimeoutMs: false, retry: false } as const
    const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
    const stream = sttStream({ url, input, ...deaf })
    stream.on('error', () => {})
    stream.resume()
    let pulled = 0
    const source = new Readable({
      highWaterMark: SECOND,
      read() {
        pulled += SECOND
        this.push(pulled > HOUR ? null : Buffer.alloc(SECOND, 1))
      },
    })
    const rssBefore = process.memoryUsage.rss()
    source.pipe(stream)
    for (let before = -1; before !== pulled; await delay(300)) before = pulled
    t.ok(pulled < 600 * SECOND, `${pulled / SECOND} s of the hour were taken`)
    t.ok(source.isPaused(), 'pipe() has paused the source')
    const grown = process.memoryUsage.rss() - rssBefore
    t.ok(grown < RSS_BOUND_BYTES, `${Math.round(grown / 1024 / 1024)} MiB`)
    t.ok(stream.stats().sentMs < 600_000)
    stream.destroy()
  },
)

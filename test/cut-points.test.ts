import t from 'tap'
import { sttStream, type SttEvent, type SttStreamOptions } from '#dist/index.js'
import {
  pocketsphinxRecognizer,
  scriptedRecognizer,
  stampedAudio,
  startLocalServer,
  type LocalServer,
  type Script,
} from '#dist/testing.js'
import { seededRandom } from './fixtures/chunks.js'
import { librivox, readSamples } from './fixtures/speech.js'
import { tcpProxy, type Cut } from './fixtures/tcp-proxy.js'
import { countErrors, wordsOf } from '../bench/word-errors.mjs'

const SCRIPT: Script = [
  { startMs: 300, endMs: 1_100, text: 'turn the lamp on' },
  { startMs: 1_500, endMs: 2_000, text: 'in the kitchen' },
  { startMs: 3_400, endMs: 4_200, text: 'and close the door' },
  { startMs: 5_500, endMs: 6_100, text: 'thank you' },
]
const SOURCE = stampedAudio(SCRIPT, 7_000)
const CUTS_OF_EACH = 80
/** Half of them in the first bytes: handshake, config, the first frame; and the close is in the last. */
const HEAD_BYTES = 1_200
const AT_ONCE = 8
/** Of real speech, which takes a decoder's time. */
const REAL_CUTS = 4

const OPTIONS: SttStreamOptions = {
  input: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
  includeWordTimestamps: true,
  handshakeTimeoutMs: 500,
  pingIntervalMs: 50,
  pongTimeoutMs: 150,
  sendBufferMs: 100,
  retry: { maxConnectAttempts: 10, baseDelayMs: 1, maxDelayMs: 10 },
}

/** The finals of one stream whose first connection is cut. */
async function listen(server: LocalServer, source: Buffer, options: SttStreamOptions, cut?: Cut) {
  const proxy = await tcpProxy(new URL(server.url), index => (index === 0 ? cut : undefined))
  try {
    const stream = sttStream({ ...options, url: proxy.url })
    let connections = 0
    for (const name of ['open', 'reconnected']) stream.on(name, () => connections++)
    stream.end(source)
    const events = (await stream.toArray()) as SttEvent[]
    const finals = events.filter(event => event.type === 'transcription').filter(({ isFinal }) => isFinal)
    return { finals, connections, passed: proxy.passed }
  } finally {
    await proxy.close()
  }
}

type Heard = Awaited<ReturnType<typeof listen>>

/** Cuts all over a connection that passes so many bytes. */
function cutsOf({ passed }: Heard, how: Cut['how'], seed: number, count: number): Cut[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, index) => {
    const direction = index % 4 === 3 ? 'down' : 'up'
    const all = passed[0]![direction]
    const reach = index % 3 === 0 ? Math.min(HEAD_BYTES, all) : all
    return { direction, how, afterBytes: Math.floor(random() * reach) }
  })
}

async function forEach<Item>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<void>) {
  const waiting = [...items]
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

for (const how of ['reset', 'close', 'halfOpen'] as const) {
  t.test(`${how}: wherever the link breaks, the finals are those of a whole one`, async t => {
    const server = await startLocalServer({
      recognizer: scriptedRecognizer(SCRIPT, { clock: 'stamps' }),
    })
    t.teardown(() => server.close())
    const whole = await listen(server, SOURCE, OPTIONS)
    const texts = ({ finals }: Heard) => finals.map(({ transcript }) => transcript)
    t.equal(whole.finals.length, 3, 'the first two utterances are one turn')
    let reconnected = 0
    await forEach(cutsOf(whole, how, 1, CUTS_OF_EACH), AT_ONCE, async cut => {
      const heard = await listen(server, SOURCE, OPTIONS, cut)
      const where = `${how} after ${cut.afterBytes} bytes ${cut.direction}`
      if (heard.passed.length > 1) reconnected++
      t.strictSame(texts(heard), texts(whole), where)
      t.strictSame(
        heard.finals.map(({ turnId }) => turnId),
        whole.finals.map(({ turnId }) => turnId),
        where,
      )
      const shifts = heard.finals.map(({ startMs, endMs }, index) =>
        Math.max(
          Math.abs(startMs! - whole.finals[index]!.startMs!),
          Math.abs(endMs! - whole.finals[index]!.endMs!),
        ),
      )
      t.ok(
        shifts.every(shift => shift <= 1),
        where,
      )
    })
    t.ok(reconnected >= CUTS_OF_EACH * 0.9, `${reconnected} of ${CUTS_OF_EACH} needed another connection`)
  })
}

t.test('real speech: a broken link costs at most 5 points of word error rate', async t => {
  const recognizer = await pocketsphinxRecognizer({ sessions: 2 })
  const server = await startLocalServer({ recognizer })
  t.teardown(async () => {
    await server.close()
    await recognizer.close()
  })
  const clips = librivox.slice(0, 2)
  const silence = new Int16Array(16_000)
  const samples = clips.flatMap(clip => [readSamples(clip), silence])
  const source = Buffer.concat(
    samples.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  )
  const spoken = wordsOf(clips.map(({ transcript }) => transcript).join(' '))
  const options = {
    ...OPTIONS,
    handshakeTimeoutMs: 20_000,
    pongTimeoutMs: 10_000,
    watchdogMs: false as const,
  }
  const rateOf = ({ finals }: Heard) =>
    countErrors(spoken, wordsOf(finals.map(({ transcript }) => transcript).join(' '))) / spoken.length
  const whole = await listen(server, source, options)
  const wholeRate = rateOf(whole)
  for (const cut of cutsOf(whole, 'reset', 2, REAL_CUTS)) {
    const heard = await listen(server, source, options, cut)
    const where = `after ${cut.afterBytes} bytes ${cut.direction}`
    t.ok(rateOf(heard) <= wholeRate + 0.05, `${where}: ${rateOf(heard)} against ${wholeRate}`)
  }
})

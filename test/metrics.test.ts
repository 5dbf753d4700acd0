import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { DiagnosticChannel, DiagnosticMessages } from '#dist/diagnostics.js'
import { sttStream, type SttStream, type SttStreamOptions, type SttStreamStats } from '#dist/index.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { LAMP, scriptedServer, tone, toneWav } from './fixtures/scripted.js'

const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

/** A stream of 16 kHz samples to a server whose answers `peer` writes. */
async function rawStream(
  t: Test,
  peer: (peer: RawPeer, index: number) => void | Promise<void>,
  options: SttStreamOptions = {},
): Promise<SttStream> {
  const server = await rawServer(peer)
  t.teardown(() => server.close())
  return sttStream({ url: server.url, input, ...options })
}

async function heard(peer: RawPeer, ms: number) {
  while (peer.audioBytes() < ms * 32) await peer.next('audioChunk')
}

async function finish(peer: RawPeer) {
  await peer.next('closeStream')
  peer.usage()
  peer.ws.close(1000)
}

/** `once` would reject with the stream's error. */
const closed = (stream: SttStream) => new Promise(resolve => stream.once('close', resolve))

/** All that streams tell these channels until the test ends. */
function listen<Name extends DiagnosticChannel>(t: Test, ...names: Name[]) {
  const messages: [Name, DiagnosticMessages[Name]][] = []
  for (const name of names) {
    const listener = (message: unknown) => messages.push([name, message as DiagnosticMessages[Name]])
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  return messages
}

t.test('measures from when audio left to its interims and finals', async t => {
  const clock = mockClock(t)
  const turns = listen(t, 'sttstream:turn:interim', 'sttstream:turn:final')
  const stream = await rawStream(t, async peer => {
    await heard(peer, 1_000)
    clock.advance(150)
    peer.transcription('one', false, [['one', 100, 400]])
    await once(stream, 'data')
    clock.advance(250)
    peer.transcription('one', false, [['one', 100, 400]])
    await once(stream, 'data')
    clock.advance(100)
    peer.transcription('One.', true, [['One.', 100, 400]])
    peer.transcription('two', false, [['two', 600, 800]])
    await finish(peer)
  })
  stream.resume()
  stream.end(tone(1_000))
  await once(stream, 'close')
  const { audioToInterim, audioToFinal } = stream.stats()
  t.match(audioToInterim, { count: 2, maxMs: 500 }, 'the repeated one is not measured')
  t.strictSame(audioToFinal, { count: 1, p50Ms: 500, p95Ms: 500, p99Ms: 500, maxMs: 500 })
  const streamId = stream.id
  t.strictSame(turns, [
    ['sttstream:turn:interim', { streamId, turnId: 1, latencyMs: 150 }],
    ['sttstream:turn:final', { streamId, turnId: 1, startMs: 100, endMs: 400, latencyMs: 500 }],
    ['sttstream:turn:interim', { streamId, turnId: 2, latencyMs: 500 }],
    ['sttstream:turn:final', { streamId, turnId: 2, startMs: 600, endMs: 800, promoted: true }],
  ])
})

t.test('counts an outage into the latency of the audio that it held up', async t => {
  const clock = mockClock(t)
  const stream = await rawStream(
    t,
    async (peer, index) => {
      await heard(peer, 1_000)
      if (index === 0) {
        peer.transcription('one', false)
        await once(stream, 'data')
        peer.ws.terminate()
        return
      }
      clock.advance(200)
      peer.transcription('One.', true, [['One.', 100, 900]])
      await finish(peer)
    },
    { retry: { baseDelayMs: 1 } },
  )
  stream.on('reconnecting', () => setImmediate(() => clock.advance(3_000)))
  stream.resume()
  stream.end(tone(1_000))
  await once(stream, 'close')
  t.match(stream.stats(), { audioToFinal: { count: 1, maxMs: 3_200 }, replayedMs: 1_000, connections: 2 })
})

t.test('counts messages and their payload over all connections', async t => {
  const received = { messages: 0, bytes: 0 }
  const sent = { messages: 0, bytes: 0 }
  const stream = await rawStream(
    t,
    async (peer, index) => {
      peer.ws.on('message', (data: Buffer) => {
        received.messages++
        received.bytes += data.length
      })
      const send = peer.ws.send.bind(peer.ws)
      peer.ws.send = (text: string) => {
        sent.messages++
        sent.bytes += Buffer.byteLength(text)
        send(text)
      }
      await heard(peer, 500)
      peer.transcription('größer', false)
      if (index === 0) {
        await once(stream, 'data')
        peer.ws.close(1011)
      } else {
        await finish(peer)
      }
    },
    { retry: { baseDelayMs: 1 }, keepAlive: false, language: 'de', prompts: ['größer'] },
  )
  stream.resume()
  stream.end(tone(500))
  await once(stream, 'close')
  const { messagesSent, bytesSent, messagesReceived, bytesReceived } = stream.stats()
  t.strictSame({ messages: messagesSent, bytes: bytesSent }, received)
  t.strictSame({ messages: messagesReceived, bytes: bytesReceived }, sent)
})

t.test('knows what waits inside', async t => {
  const { url } = await scriptedServer(t)
  const stream = sttStream({ url, input, retry: false, handshakeTimeoutMs: 60_000 })
  t.teardown(() => stream.destroy())
  t.match(stream.stats(), { queueMs: 0, decodedMs: 0 })
  stream.write(tone(300))
  t.match(stream.stats(), { queueMs: 300, decodedMs: 300 }, 'nothing has left before the connection stands')
  stream.resume()
  stream.end()
  await once(stream, 'end')
  t.match(stream.stats(), { queueMs: 0, decodedMs: 300, sentMs: 300 })
})

t.test('counts what its socket holds as waiting', async t => {
  const stream = await rawStream(t, peer => peer.ws.pause(), {
    sendBufferMs: 600_000,
    finishTimeoutMs: 60_000,
  })
  t.teardown(() => stream.destroy())
  stream.end(tone(600_000))
  await once(stream, 'finish')
  const { queueMs, decodedMs, sentMs } = stream.stats()
  t.match({ decodedMs, sentMs }, { decodedMs: 600_000, sentMs: 600_000 }, 'the socket has it all')
  // The operating system's own buffers hold some minutes.
  t.ok(queueMs > 60_000 && queueMs < 600_000, `${queueMs} ms`)
})

t.test('counts what is left out while the stream hibernates as done', async t => {
  const stream = await rawStream(t, () => {}, { hibernateAfterMs: 1_000 })
  t.teardown(() => stream.destroy())
  stream.write(Buffer.alloc(32 * 1_500))
  await once(stream, 'hibernating')
  stream.end(Buffer.alloc(32 * 2_000))
  await once(stream, 'finish')
  t.match(stream.stats(), { decodedMs: 3_500, queueMs: 0 })
  t.ok(stream.stats().sentMs < 2_000)
})

t.test('emits metrics at each interval and, last of all, before it closes', async t => {
  const clock = mockClock(t)
  const published = listen(t, 'sttstream:stream:metrics')
  const stream = await rawStream(t, finish, { metricsIntervalMs: 1_000 })
  const told: SttStreamStats[] = []
  const order: string[] = []
  stream.on('metrics', stats => {
    told.push(stats as SttStreamStats)
    order.push('metrics')
  })
  for (const name of ['open', 'end', 'close']) stream.on(name, () => order.push(name))
  await once(stream, 'open')
  clock.advance(999)
  t.equal(told.length, 0)
  clock.advance(1)
  clock.advance(2_000)
  t.strictSame(
    told.map(({ elapsedMs }) => elapsedMs),
    [1_000, 2_000, 3_000],
  )
  stream.resume()
  stream.end(tone(400))
  await once(stream, 'close')
  clock.advance(10_000)
  t.strictSame(order, ['open', 'metrics', 'metrics', 'metrics', 'end', 'metrics', 'close'])
  t.match(told.at(-1), { sentMs: 400, queueMs: 0 })
  t.strictSame({ ...told.at(-1), elapsedMs: 0 }, { ...stream.stats(), elapsedMs: 0 })
  t.equal(published.length, 3, 'the channel has the last ones at the stream’s end')
})

t.test('emits the last metrics after a failure too, and none unasked', async t => {
  const { url } = await scriptedServer(t, { faults: { upgrade: { status: 401 } } })
  for (const [metricsIntervalMs, expected] of [
    [60_000, ['metrics', 'error', 'close']],
    [false, ['error', 'close']],
    [undefined, ['error', 'close']],
  ] as const) {
    const stream = sttStream({ url, metricsIntervalMs })
    const order: string[] = []
    for (const name of ['metrics', 'error', 'close']) stream.on(name, () => order.push(name))
    await closed(stream)
    t.strictSame(order, expected)
  }
})

t.test('tells the channels the life of a stream, without a word of what was said', async t => {
  const heardOf = listen(
    t,
    'sttstream:stream:start',
    'sttstream:connection:open',
    'sttstream:connection:reconnecting',
    'sttstream:connection:reconnected',
    'sttstream:turn:interim',
    'sttstream:turn:final',
    'sttstream:stream:end',
  )
  const { url } = await scriptedServer(t, {
    faults: index => (index === 0 ? { close: { code: 1011, at: { afterAudioMs: 1_500 } } } : undefined),
  })
  const stream = sttStream({ url, apiKey: 'secret', includeWordTimestamps: true, retry: { baseDelayMs: 1 } })
  stream.end(toneWav(3_000))
  stream.resume()
  await once(stream, 'close')
  const names = heardOf.map(([name]) => name.replace('sttstream:', ''))
  t.equal(names[0], 'stream:start')
  t.equal(names[1], 'connection:open')
  t.equal(names.at(-1), 'stream:end')
  t.equal(names.filter(name => name === 'turn:final').length, LAMP.length)
  t.ok(heardOf.every(([, { streamId }]) => streamId === stream.id))
  t.notMatch(JSON.stringify(heardOf), /lamp|thank|secret/)
  t.match(heardOf.at(-1)?.[1], { outcome: 'ended', stats: { finals: LAMP.length, decodedMs: 3_000 } })
})

t.test('tells one end for each start, and how it came', async t => {
  const ends = listen(t, 'sttstream:stream:end')
  const errors = listen(t, 'sttstream:error')
  const { url } = await scriptedServer(t)
  const refusing = await scriptedServer(t, { faults: { upgrade: { status: 401 } } })
  const ended = sttStream({ url })
  ended.resume().end(toneWav(500))
  await closed(ended)
  const failed = sttStream({ url: refusing.url })
  failed.on('error', () => {})
  await closed(failed)
  const controller = new AbortController()
  const aborted = sttStream({ url, signal: controller.signal })
  aborted.on('error', () => {})
  controller.abort()
  await closed(aborted)
  const destroyed = sttStream({ url }).destroy()
  await closed(destroyed)
  t.match(
    ends.map(([, message]) => message),
    [
      { streamId: ended.id, outcome: 'ended' },
      { streamId: failed.id, outcome: 'failed', error: { code: 'STT_ERR_AUTH', httpStatus: 401 } },
      { streamId: aborted.id, outcome: 'aborted' },
      { streamId: destroyed.id, outcome: 'destroyed' },
    ],
  )
  t.equal(ends.length, 4)
  t.match(errors, [['sttstream:error', { streamId: failed.id, error: { code: 'STT_ERR_AUTH' } }]])
  t.equal(errors.length, 1)
  t.equal(new Set(ends.map(([, { streamId }]) => streamId)).size, 4)
})

t.test('tells warnings and notices of connections on their channels as on the stream', async t => {
  const heardOf = listen(
    t,
    'sttstream:warning',
    'sttstream:connection:reconnecting',
    'sttstream:connection:reconnected',
  )
  const stream = await rawStream(
    t,
    async (peer, index) => {
      await heard(peer, 500)
      if (index === 0) {
        peer.transcription('one', false)
        await once(stream, 'data')
        peer.ws.close(1011)
      } else {
        await finish(peer)
      }
    },
    { retry: { baseDelayMs: 1 }, closeGraceMs: 10 },
  )
  const notices: [string, object][] = []
  for (const name of ['warning', 'reconnecting', 'reconnected'])
    stream.on(name, (notice: object) => notices.push([name, notice]))
  stream.resume()
  // Half a sample at the end is warned of.
  stream.end(tone(500.0625).subarray(0, -1))
  await once(stream, 'close')
  const streamId = stream.id
  t.match(heardOf, [
    ['sttstream:warning', { streamId, code: 'STT_WARN_TORN_SAMPLE' }],
    [
      'sttstream:connection:reconnecting',
      { streamId, attempt: 1, error: { code: 'STT_ERR_CLOSED', closeCode: 1011, retryable: true } },
    ],
    ['sttstream:connection:reconnected', { streamId, fromMs: 0, replayedMs: 500, lostMs: 0 }],
  ])
  t.strictSame(
    notices.map(([name]) => name),
    heardOf.map(([name]) => name.split(':').at(-1)),
  )
})

import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import type { LinkFault, LocalServer, LocalServerOptions } from '#dist/testing.js'
import { heldClock } from './fixtures/held-clock.js'
import { BASELINE, interim, serveFaults, STARTED } from './fixtures/lamp-on.js'
import { clientFrame, rawUpgrade } from './fixtures/raw-upgrade.js'
import { WireClient } from './fixtures/wire-client.js'

const serve = (test: Test, link: LinkFault, options?: LocalServerOptions) =>
  serveFaults(test, { link }, options)

const CONFIG = clientFrame({
  transcribeConfig: { modelId: 'inworld/inworld-stt-1', audioEncoding: 'LINEAR16' },
})
const CHUNK = clientFrame({ audioChunk: { content: Buffer.alloc(3200).toString('base64') } })

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

/** What the server has said: it does not know that nobody hears it. */
const hasSent = (server: LocalServer, count: number) => until(() => server.sessions[0]?.sent.length === count)

t.test('52: the connection breaks at a byte that was received, and not one more is read', async t => {
  for (const how of ['reset', 'close'] as const) {
    for (const [rest, chunks] of [
      [0, 3],
      [1, 3],
      [CHUNK.length - 1, 3],
    ] as const) {
      const afterBytesReceived = CONFIG.length + chunks * CHUNK.length + rest
      const server = await serve(t, { cut: { afterBytesReceived, how } })
      const ended = once(server, 'session')
      const client = rawUpgrade(server.url)
      await once(client.socket, 'data')
      client.socket.write(Buffer.concat([CONFIG, ...Array<Buffer>(10).fill(CHUNK)]))
      const [, code] = await Promise.all([ended, client.ended])
      if (how === 'reset') t.equal(code, 'ECONNRESET')
      t.match(server.sessions, [{ audioMs: chunks * 100, closeCode: 1006, closeStream: false }])
    }
  }
})

t.test('52: the connection breaks at a byte that was sent, in the answer to the upgrade too', async t => {
  for (const how of ['reset', 'close'] as const) {
    for (const afterBytesSent of [1, 50, 400, 401, 555]) {
      const server = await serve(t, { cut: { afterBytesSent, how } })
      const client = rawUpgrade(server.url)
      if (afterBytesSent >= 400) {
        await once(client.socket, 'data')
        client.socket.write(Buffer.concat([CONFIG, ...Array<Buffer>(30).fill(CHUNK)]))
      }
      await client.ended
      t.equal(client.received().length, afterBytesSent)
    }
  }
})

t.test('52: a client sees the cut as an abnormal end, without a close frame', async t => {
  const server = await serve(t, { cut: { afterBytesReceived: 20_000 } })
  const client = await WireClient.connect(server.url)
  const { closeCode } = await client.configure().sendAudio(3000).closed
  t.equal(closeCode, 1006)
  t.ok(server.sessions[0]!.audioMs < 500)
})

t.test('52: the connection breaks at a time', async t => {
  const clock = heldClock()
  const server = await serve(t, { cut: { afterMs: 1234 } }, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000)
  await client.messages(2)
  await clock.pass(1234)
  t.strictSame(await client.closed, { messages: [STARTED, interim('lamp')], closeCode: 1006 })
})

t.test('52: without its fault striking, a link passes everything', async t => {
  const server = await serve(t, { cut: { afterBytesReceived: 1e9 }, halfOpen: { afterBytesSent: 1e9 } })
  const client = await WireClient.connect(server.url)
  t.strictSame(await client.configure().sendAudio(3000).closeStream().closed, {
    messages: BASELINE,
    closeCode: 1000,
  })
})

t.test('53: behind a byte that was sent nothing arrives any more, and nobody closes', async t => {
  const server = await serve(t, { halfOpen: { afterBytesSent: 300 } })
  const ended = once(server, 'session')
  const client = rawUpgrade(server.url)
  await once(client.socket, 'data')
  client.socket.write(Buffer.concat([CONFIG, ...Array<Buffer>(10).fill(CHUNK)]))
  await until(() => client.received().length >= 300)
  // What comes in has vanished as well: of two seconds more, nothing is heard.
  const before = server.sessions[0]!.audioMs
  client.socket.write(Buffer.concat(Array<Buffer>(20).fill(CHUNK)))
  await until(() => client.socket.bytesWritten > 30 * CHUNK.length && client.socket.writableLength === 0)
  t.equal(client.received().length, 300)
  t.equal(client.socket.readyState, 'open')
  client.socket.end()
  await ended
  t.equal(server.sessions[0]!.closeCode, 1006, 'once the client gives up, the server does')
  t.equal(server.sessions[0]!.audioMs, before)
})

t.test('53: behind a byte that was received nothing is heard, and no ping is answered', async t => {
  const afterBytesReceived = CONFIG.length + 10 * CHUNK.length
  const server = await serve(t, { halfOpen: { afterBytesReceived } })
  const ended = once(server, 'session')
  const client = await WireClient.connect(server.url)
  let pongs = 0
  client.socket.on('pong', () => pongs++)
  client.configure().sendAudio(3000)
  client.socket.ping()
  await hasSent(server, 2)
  t.equal(server.sessions[0]!.audioMs, 1000)
  // Time for what should not come: on one machine it would take a turn of the event loop or two.
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  t.equal((await client.messages(0)).length, 0, 'the answers vanish too')
  t.equal(client.socket.readyState, WebSocket.OPEN)
  t.equal(pongs, 0)
  client.socket.terminate()
  await ended
})

t.test('53: packets vanish from a time on', async t => {
  const clock = heldClock()
  const server = await serve(t, { halfOpen: { afterMs: 1234 } }, { startTimer: clock.startTimer })
  const ended = once(server, 'session')
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000)
  await client.messages(2)
  await clock.pass(1234)
  client.sendAudio(2000).closeStream()
  await until(() => client.socket.bufferedAmount === 0)
  t.equal(server.sessions[0]!.audioMs, 1000)
  client.socket.terminate()
  await ended
})

t.test('54: no ping is answered, and the rest goes on', async t => {
  const client = await WireClient.connect((await serveFaults(t, { pong: 'never' })).url)
  let pongs = 0
  client.socket.on('pong', () => pongs++)
  client.socket.ping()
  t.strictSame((await client.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
  t.equal(pongs, 0)
})

t.test('54: a ping is answered late, with what it said', async t => {
  const clock = heldClock()
  const { startTimer } = clock
  const server = await serveFaults(t, { pong: { delayMs: 1234 } }, { startTimer })
  const client = await WireClient.connect(server.url)
  const pongs: string[] = []
  client.socket.on('pong', data => pongs.push(data.toString()))
  client.socket.ping('first')
  client.configure().sendAudio(1000)
  await client.messages(2)
  t.strictSame(pongs, [])
  const ponged = once(client.socket, 'pong')
  await clock.pass(1234)
  await ponged
  t.strictSame(pongs, ['first'])
})

t.test('55: a wedged server takes audio and answers pings, and says nothing more', async t => {
  for (const [wedged, heard] of [
    [true, []],
    [{ afterAudioMs: 1000 }, [STARTED, interim('lamp')]],
  ] as const) {
    const server = await serveFaults(t, { wedged })
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(3000).closeStream()
    await until(() => server.sessions[0]?.closeStream === true)
    client.socket.ping()
    await once(client.socket, 'pong')
    t.strictSame(await client.messages(0), heard)
    t.equal(server.sessions[0]!.audioMs, 3000)
    t.equal(client.socket.readyState, WebSocket.OPEN)
    const ended = once(server, 'session')
    client.socket.close(1000)
    await ended
  }
})

t.test('56: each message takes its time, and none overtakes another', async t => {
  const clock = heldClock()
  const latency = (message: number) => (message === 0 ? 3333 : 2222)
  const server = await serveFaults(t, { latency }, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(3000).closeStream()
  await hasSent(server, BASELINE.length)
  // The timers of all that follow, the close among them, have run out before the first's.
  await until(() => clock.started.filter(delayMs => delayMs === 2222).length === BASELINE.length)
  await clock.pass(2222)
  await new Promise(setImmediate)
  t.strictSame(await client.messages(0), [])
  await clock.pass(3333)
  t.strictSame(await client.closed, { messages: BASELINE, closeCode: 1000 })
})

t.test('56: pongs keep their place in the line', async t => {
  const clock = heldClock()
  const latency = (message: number) => (message === 0 ? 3333 : 2222)
  const server = await serveFaults(t, { latency }, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  let pongs = 0
  client.socket.on('pong', () => pongs++)
  client.configure().sendAudio(700)
  await hasSent(server, 1)
  client.socket.ping()
  await clock.pass(2222)
  await new Promise(setImmediate)
  t.equal(pongs, 0)
  const ponged = once(client.socket, 'pong')
  await clock.pass(3333)
  await ponged
  t.strictSame(await client.messages(0), [STARTED])
})

t.test('56: jitter is spread over its range, and the same for the same seed', async t => {
  const delays = async (seed: number | undefined) => {
    const clock = heldClock()
    const latency = { minMs: 0.25, maxMs: 0.75, seed }
    const server = await serveFaults(t, { latency }, { startTimer: clock.startTimer })
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(3000).closeStream()
    await hasSent(server, BASELINE.length)
    await until(() => clock.started.filter(delayMs => delayMs < 1).length === BASELINE.length + 1)
    return clock.started.filter(delayMs => delayMs < 1)
  }
  const first = await delays(7)
  t.strictSame(await delays(7), first)
  t.strictNotSame(await delays(8), first)
  t.strictSame(await delays(undefined), await delays(1))
  t.equal(new Set(first).size, first.length)
  t.ok(first.every(delayMs => delayMs >= 0.25 && delayMs < 0.75))
})

t.test('57: permessage-deflate is agreed to where a client offers it', async t => {
  const server = await serveFaults(t, { deflate: 'agree' })
  const offering = await WireClient.connect(server.url)
  t.equal(offering.socket.extensions, 'permessage-deflate')
  t.strictSame((await offering.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
  const plain = await WireClient.connect(server.url, { perMessageDeflate: false })
  t.equal(plain.socket.extensions, '')
  plain.socket.terminate()
  t.match(server.sessions, [
    { webSocketExtensions: 'permessage-deflate; client_max_window_bits' },
    { webSocketExtensions: undefined },
  ])
})

t.test('57: an extension is answered to a client that offered none', async t => {
  const server = await serveFaults(t, { deflate: 'unasked' })
  await t.rejects(WireClient.connect(server.url, { perMessageDeflate: false }), {
    message: 'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
  })
})

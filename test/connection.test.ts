import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { FrameOrMark } from '#dist/audio/frame.js'
import { SttError } from '#dist/errors.js'
import type { SttConnectionOptions } from '#dist/stt/connection-options.js'
import { SttConnection } from '#dist/stt/connection.js'
import type { ServerMessage } from '#dist/stt/protocol.js'
import { frames, voicedFrames } from './fixtures/frames.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { wireConfig as config } from './fixtures/wire-config.js'

type Peer = (peer: RawPeer, index: number) => void | Promise<void>

async function serve(t: Test, peer: Peer) {
  const server = await rawServer(peer)
  t.teardown(() => server.close())
  return server
}

function connect(url: string, options: Partial<SttConnectionOptions> = {}) {
  return new SttConnection({ url, config, ...options })
}

/** Writes all, ends, and reads to the end. */
async function converse(connection: SttConnection, items: FrameOrMark[]): Promise<ServerMessage[]> {
  for (const item of items) connection.write(item)
  connection.end()
  return (await connection.toArray()) as ServerMessage[]
}

const failure = async (stream: SttConnection) => ((await once(stream, 'error')) as [SttError])[0]

/** Answers closeStream as the service does: a final, usage, close 1000. */
const politely: Peer = async peer => {
  await peer.next('closeStream')
  peer.transcription('Turn the lamp on.', true, [['on', 100, 900]])
  peer.usage()
  peer.ws.close(1000)
}

t.test('sends the config first, then audio as base64 text, then closeStream alone', async t => {
  let seen: RawPeer | undefined
  const { url } = await serve(t, async peer => {
    seen = peer
    await politely(peer, 0)
  })
  const messages = await converse(connect(url), voicedFrames(10))
  t.strictSame(seen?.kinds, ['transcribeConfig', 'audioChunk', 'closeStream'])
  t.equal(seen?.audioBytes(), 32_000)
  t.match(messages, [
    { kind: 'transcription', isFinal: true },
    { kind: 'usage', transcribedAudioMs: 1_000 },
  ])
})

t.test('ends the open turn before closeStream only where the client controls turns', async t => {
  const kinds: string[][] = []
  const { url } = await serve(t, async peer => {
    kinds.push(peer.kinds)
    await politely(peer, 0)
  })
  const manual = { ...config, inworldSttV1Config: { vadThreshold: 0 } }
  await converse(connect(url, { config: manual }), voicedFrames(2))
  await converse(connect(url, { config: manual }), [...voicedFrames(2), { endTurn: true }])
  const rest = { ...frames(1)[0]!, sourceMs: 7, insertedMs: 13 }
  await converse(connect(url, { config: manual }), [...voicedFrames(2), { endTurn: true }, rest])
  await converse(connect(url), [...voicedFrames(2), { endTurn: true }, ...voicedFrames(1)])
  t.strictSame(kinds, [
    ['transcribeConfig', 'audioChunk', 'endTurn', 'closeStream'],
    ['transcribeConfig', 'audioChunk', 'endTurn', 'closeStream'],
    ['transcribeConfig', 'audioChunk', 'endTurn', 'audioChunk', 'closeStream'],
    ['transcribeConfig', 'audioChunk', 'endTurn', 'audioChunk', 'closeStream'],
  ])
})

t.test('ends on close 1000, on usage without a close, and in quiet with nothing pending', async t => {
  for (const [name, ending] of Object.entries<Peer>({
    'close without usage': peer => peer.ws.close(1000),
    'usage, then no close': peer => peer.usage(),
    'usage, then going away': peer => {
      peer.usage()
      peer.ws.close(1001)
    },
    'usage, then cut off': peer => {
      peer.usage()
      peer.ws.terminate()
    },
    'neither usage nor close': () => {},
  })) {
    await t.test(name, async t => {
      const { url } = await serve(t, async (peer, index) => {
        await peer.next('closeStream')
        peer.transcription('done', true, [['done', 0, 950]])
        await ending(peer, index)
      })
      const connection = connect(url, { closeGraceMs: 20 })
      connection.on('warning', ({ message }: { message: string }) => t.fail(message))
      const messages = await converse(connection, voicedFrames(10))
      t.match(messages[0], { transcript: 'done' })
    })
  }
})

t.test('delivers several finals after closeStream', async t => {
  const { url } = await serve(t, async peer => {
    await peer.next('closeStream')
    for (const end of [300, 600, 950]) peer.transcription(`until ${end}`, true, [['x', end - 50, end]])
    peer.usage()
    peer.usage()
    peer.ws.close(1000)
  })
  const kinds = (await converse(connect(url), voicedFrames(10))).map(({ kind }) => kind)
  t.strictSame(kinds, ['transcription', 'transcription', 'transcription', 'usage', 'usage'])
})

t.test('does not take usage in mid-stream for the end', async t => {
  const { url } = await serve(t, async peer => {
    await peer.next('audioChunk')
    peer.usage(100)
    await peer.next('closeStream')
    peer.transcription('not yet', false)
    // A hasty client, with 1 ms of grace, would have left by then.
    for (let pings = 0; pings < 50; pings++) {
      peer.ws.ping()
      await once(peer.ws, 'pong')
    }
    peer.transcription('Turn the lamp on.', true, [['on', 100, 900]])
    peer.usage()
    peer.ws.close(1000)
  })
  const connection = connect(url, { closeGraceMs: 1 })
  connection.write(voicedFrames(1)[0])
  await once(connection, 'readable')
  const messages = await converse(connection, voicedFrames(9))
  t.match(messages.at(-1), { kind: 'usage' })
  t.ok(messages.some(message => message.kind === 'transcription' && message.isFinal))
})

t.test('waits for what is pending up to finishTimeoutMs, then ends with a warning', async t => {
  const { url } = await serve(t, () => {})
  const connection = connect(url, { finishTimeoutMs: 50 })
  const warned = once(connection, 'warning')
  t.strictSame(await converse(connection, voicedFrames(3)), [])
  t.match(await warned, [{ code: 'STT_WARN_FINISH_TIMEOUT' }])
})

t.test('takes an error frame followed by close 1000 for that error, in every state', async t => {
  const frame = { error: { code: 3, message: 'No STT client found for model: inworld/none', details: [] } }
  for (const state of ['config', 'audio', 'closeStream'] as const) {
    await t.test(state, async t => {
      const { url } = await serve(t, async peer => {
        await peer.next(state === 'config' ? 'transcribeConfig' : state === 'audio' ? 'audioChunk' : state)
        peer.send(frame)
        peer.ws.close(1000)
      })
      const connection = connect(url)
      let errors = 0
      connection.on('error', () => errors++)
      const error = failure(connection)
      const closed = once(connection, 'close').catch(() => {})
      connection.on('data', () => {})
      for (const item of voicedFrames(5)) connection.write(item)
      if (state === 'closeStream') connection.end()
      t.match(await error, {
        code: 'STT_ERR_BAD_REQUEST',
        grpcCode: 3,
        retryable: false,
        message: /No STT client found/,
      })
      await closed
      t.equal(errors, 1)
    })
  }
})

t.test('takes a close before closeStream for a failure', async t => {
  for (const [code, expected] of [
    [1000, { code: 'STT_ERR_CLOSED_EARLY', retryable: true, closeCode: 1000 }],
    [1011, { code: 'STT_ERR_CLOSED', retryable: true, closeCode: 1011 }],
    [1008, { code: 'STT_ERR_CLOSED', retryable: false, closeCode: 1008 }],
  ] as const) {
    const { url } = await serve(t, async peer => {
      await peer.next('audioChunk')
      peer.ws.close(code)
    })
    const connection = connect(url)
    connection.write(frames(1)[0])
    t.match(await failure(connection), expected)
  }
})

t.test('takes a close without a word, although speech was sent, for a failure', async t => {
  const { url } = await serve(t, peer => peer.next('closeStream').then(() => peer.ws.close(1000)))
  const spoken = converse(connect(url), voicedFrames(3))
  await t.rejects(spoken, { code: 'STT_ERR_CLOSED_EARLY', message: /without having said anything/ })
  t.strictSame(await converse(connect(url), frames(3)), [], 'silence may be answered so')
  t.strictSame(await converse(connect(url), []), [], 'and so may nothing')
})

t.test('turns every refused upgrade into a typed error', async t => {
  for (const [status, code] of [
    [400, 'STT_ERR_BAD_REQUEST'],
    [401, 'STT_ERR_AUTH'],
    [402, 'STT_ERR_BILLING'],
    [403, 'STT_ERR_AUTH'],
    [404, 'STT_ERR_NOT_FOUND'],
    [429, 'STT_ERR_QUOTA'],
    [503, 'STT_ERR_SERVER'],
    [302, 'STT_ERR_UPGRADE'],
  ] as const) {
    const server = await serve(t, () => {})
    server.http.prependListener('upgrade', (_request, socket) => {
      const body = '{"code":7,"message":"key sk-hunter2 is wrong","details":[]}'
      const head = `HTTP/1.1 ${status} No\r\nContent-Length: ${body.length}\r\nx-inworld-request-id: ab12\r\nRetry-After: 2\r\n`
      socket.end(`${head}\r\n${body}`)
    })
    server.wss.removeAllListeners('connection')
    const error = await failure(connect(server.url, { apiKey: 'sk-hunter2' }))
    t.match(error, { code, httpStatus: status, requestId: 'ab12', retryAfterMs: 2_000 })
    t.match(error.message, /key \[key\] is wrong/)
  }
})

t.test('strikes the key out of an answer that quotes the URL', async t => {
  const server = await serve(t, () => {})
  server.http.prependListener('upgrade', (request, socket) => {
    const body = JSON.stringify({ code: 5, message: `no route for ${request.url}` })
    socket.end(`HTTP/1.1 404 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  })
  server.wss.removeAllListeners('connection')
  const error = await failure(connect(server.url, { apiKey: 'a+b/c==', authIn: 'query' }))
  t.match(error.message, /authorization=Basic%20\[key\]/)
})

t.test('sends each variant of the credentials', async t => {
  const seen: { authorization?: string; protocol?: string; query: string | null }[] = []
  const { url } = await serve(t, async peer => {
    const { authorization, 'sec-websocket-protocol': protocol } = peer.request.headers
    seen.push({
      authorization,
      protocol,
      query: new URL(peer.request.url!, 'ws://x').searchParams.get('authorization'),
    })
    await politely(peer, 0)
  })
  for (const options of [
    {},
    { apiKey: 'a+b/c==' },
    { apiKey: 'eyJhbGciOi.x.y' },
    { apiKey: 'abc', authScheme: 'bearer' },
    { apiKey: 'Bearer abc' },
    { apiKey: () => 'from function' },
    { apiKey: () => Promise.resolve('later') },
    { apiKey: 'a+b/c==', authIn: 'query' },
    { apiKey: 'one-time', authIn: 'subprotocol' },
  ] as const) {
    await converse(connect(url, options), frames(1))
  }
  t.match(seen, [
    { authorization: undefined, query: null },
    { authorization: 'Basic a+b/c==' },
    { authorization: 'Bearer eyJhbGciOi.x.y' },
    { authorization: 'Bearer abc' },
    { authorization: 'Bearer abc' },
    { authorization: 'Basic from function' },
    { authorization: 'Basic later' },
    { authorization: undefined, query: 'Basic a+b/c==' },
    { authorization: undefined, protocol: 'bearer_one-time' },
  ])
})

t.test('reports a key function that fails, and a key that no header can hold', async t => {
  const { url } = await serve(t, () => {})
  const cause = new Error('vault is shut')
  t.match(await failure(connect(url, { apiKey: () => Promise.reject(cause) })), {
    code: 'STT_ERR_CREDENTIALS',
    cause,
  })
  const error = await failure(connect(url, { apiKey: 'secret\nline' }))
  t.equal(error.code, 'STT_ERR_CREDENTIALS')
  t.notMatch(error.message, /secret/)
})

/** Resolves when the next HTTP response has begun at its client. */
function headersCame(): Promise<void> {
  const channel = 'http.client.response.finish'
  return new Promise(resolve => {
    const heard = () => {
      unsubscribe(channel, heard)
      // The client itself hears of it next.
      setImmediate(resolve)
    }
    subscribe(channel, heard)
  })
}

t.test('bounds the handshake, in the key function, on the wire and in a refusal', async t => {
  const mute = createServer(socket => socket.on('error', () => {}))
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => mute.close())
  const muteUrl = `ws://127.0.0.1:${(mute.address() as { port: number }).port}/`
  const expected = { code: 'STT_ERR_CONNECT_TIMEOUT', retryable: true }
  t.match(await failure(connect(muteUrl, { handshakeTimeoutMs: 50 })), expected)
  t.match(
    await failure(connect(muteUrl, { handshakeTimeoutMs: 50, apiKey: () => new Promise(() => {}) })),
    expected,
  )
  t.match(await failure(connect('', { handshakeTimeoutMs: 50, url: () => new Promise(() => {}) })), expected)

  const half = await serve(t, () => {})
  half.http.prependListener('upgrade', (_request, socket) =>
    socket.write('HTTP/1.1 401 No\r\nContent-Length: 99\r\n\r\n{'),
  )
  half.wss.removeAllListeners('connection')
  const clock = mockClock(t)
  const refused = headersCame()
  const refusal = failure(connect(half.url, { handshakeTimeoutMs: 100 }))
  await refused
  clock.advance(100)
  t.match(await refusal, { code: 'STT_ERR_AUTH', httpStatus: 401 })
})

t.test('reports a refused and a reset connection once, without a crash', async t => {
  const closed = await rawServer(() => {})
  await closed.close()
  t.match(await failure(connect(closed.url)), {
    code: 'STT_ERR_SOCKET',
    retryable: true,
    cause: { code: 'ECONNREFUSED' },
  })

  const resetting = createServer(socket => socket.resetAndDestroy())
  resetting.listen(0, '127.0.0.1')
  await once(resetting, 'listening')
  t.teardown(() => resetting.close())
  const url = `ws://127.0.0.1:${(resetting.address() as { port: number }).port}/`
  t.match(await failure(connect(url)), { code: 'STT_ERR_SOCKET' })

  const { url: cutUrl } = await serve(t, peer => peer.next('audioChunk').then(() => peer.ws.terminate()))
  const cut = connect(cutUrl)
  cut.write(frames(1)[0])
  t.match(await failure(cut), { code: 'STT_ERR_CLOSED', closeCode: 1006, retryable: true })
})

t.test('refuses binary messages, text that is not JSON and messages too large', async t => {
  for (const message of [Buffer.from([1, 2]), 'not json', 'x'.repeat(5 * 1024 * 1024)]) {
    const { url } = await serve(t, peer => peer.ws.send(message))
    const error = await failure(connect(url))
    t.match(error, { code: 'STT_ERR_PROTOCOL' })
    t.notMatch(inspect(error, { depth: 5 }), /not json/, 'what the service said stays out of the logs')
  }
})

t.test('finds a dead connection by its missing pong, and takes any message for life', async t => {
  const server = await serve(t, () => {})
  server.wss.options.autoPong = false
  const mute = connect(server.url, { pingIntervalMs: 20, pongTimeoutMs: 40 })
  t.match(await failure(mute), { code: 'STT_ERR_PING_TIMEOUT', retryable: true })

  const chatty = await serve(t, peer => {
    peer.ws.on('ping', () => peer.transcription('still here', false))
  })
  chatty.wss.options.autoPong = false
  // Each ping but the first comes only after a sign of life.
  const connection = connect(chatty.url, { pingIntervalMs: 20, pongTimeoutMs: 5_000 })
  for (let i = 0; i < 5; i++) await once(connection, 'data')
  connection.destroy()
  await once(connection, 'close')
})

t.test('reads what has arrived before it takes a pong for missing', async t => {
  const clock = mockClock(t)
  const server = await serve(t, () => {})
  const connection = connect(server.url, { pingIntervalMs: 1_000, pongTimeoutMs: 100 })
  connection.on('error', error => t.fail(error))
  await once(connection, 'open')
  const [peer] = server.wss.clients
  if (!peer) return t.fail('no peer')
  for (let round = 0; round < 3; round++) {
    const pinged = once(peer, 'ping')
    clock.advance(1_000)
    // ws has written its pong by then; the client has not read it.
    await pinged
    await new Promise<void>(resolve => {
      setImmediate(() => {
        clock.advance(100)
        resolve()
      })
    })
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    t.notOk(connection.destroyed)
  }
  connection.destroy()
  await once(connection, 'close')
})

t.test('ends an idle connection by its deadline', async t => {
  const { url } = await serve(t, () => {})
  t.match(await failure(connect(url, { idleTimeoutMs: 50 })), { code: 'STT_ERR_IDLE_TIMEOUT' })
})

t.test('waits no longer than its idle deadline for a service that takes nothing', async t => {
  for (const ends of [false, true]) {
    const { url } = await serve(t, peer => peer.ws.pause())
    const connection = connect(url, { pingIntervalMs: false, idleTimeoutMs: 200 })
    connection.resume()
    const large = { ...frames(1)[0]!, pcm: Buffer.alloc(32_000) }
    // 85 MB on the wire, far more than the kernel's buffers.
    for (let i = 0; i < 2_000; i++) connection.write(large)
    if (ends) connection.end()
    t.match(await failure(connection), { code: 'STT_ERR_IDLE_TIMEOUT' }, ends ? 'ended' : 'open')
  }
})

t.test('stops taking frames when the service stops reading, and goes on when it reads again', async t => {
  let peer: RawPeer | undefined
  const { url } = await serve(t, p => {
    peer = p
    p.ws.pause()
    return politely(p, 0)
  })
  const connection = connect(url, { pingIntervalMs: false })
  const [item] = frames(1)
  const large = { ...item!, pcm: Buffer.alloc(32_000) }
  const total = 2_000 // 85 MB on the wire, far more than the kernel's buffers
  let taken = 0
  for (let i = 0; i < total; i++) connection.write(large, () => taken++)
  connection.end()
  await once(connection, 'open')
  // Without backpressure the callbacks would all come within a few turns of the event loop.
  for (let turn = 0; turn < 1_000; turn++) await new Promise(setImmediate)
  t.ok(taken < total, `${taken} of ${total} taken`)
  peer!.ws.resume()
  t.equal((await connection.toArray()).length, 2)
  t.equal(taken, total)
  t.equal(peer!.audioBytes(), total * 32_000)
})

t.test('rests while nobody reads and loses nothing', async t => {
  const { url } = await serve(t, async peer => {
    await peer.next('closeStream')
    for (let i = 1; i <= 10_000; i++) peer.transcription(`final ${i}`, true, [['x', i, i + 1]])
    peer.usage()
    peer.ws.close(1000)
  })
  const clock = mockClock(t)
  const connection = connect(url, { pingIntervalMs: 10, pongTimeoutMs: 10 })
  connection.write(frames(1)[0])
  connection.end()
  await once(connection, 'readable')
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  // 64, and what the last chunk of 64 KiB from the kernel still held.
  t.ok(connection.readableLength < 64 + 1_000, `${connection.readableLength} wait`)
  for (let late = 0; late < 10; late++) {
    clock.advance(10)
    await new Promise(setImmediate)
  }
  t.equal((await connection.toArray()).length, 10_001)
})

t.test('does not take its own rest for silence of the service', async t => {
  const timeoutMs = 1_000
  const { url } = await serve(t, async peer => {
    await peer.next('audioChunk')
    for (let i = 1; i <= 5_000; i++) peer.transcription(`interim ${i}`, false)
    await peer.next('closeStream')
    for (let i = 1; i <= 5_000; i++) peer.transcription(`final ${i}`, true)
    peer.ws.close(1000)
  })
  const clock = mockClock(t)
  for (const [name, ends] of [
    ['idle', false],
    ['finishing', true],
  ] as const) {
    const connection = connect(url, { idleTimeoutMs: timeoutMs, finishTimeoutMs: timeoutMs })
    connection.on('warning', ({ code }: { code: string }) => t.fail(code))
    connection.write(voicedFrames(1)[0])
    if (ends) connection.end()
    await once(connection, 'readable')
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
    clock.advance(timeoutMs)
    await new Promise(setImmediate)
    connection.end()
    t.equal((await connection.toArray()).length, 10_000, name)
  }
})

t.test('is destroyed in every state, with one close, no error and nothing left', async t => {
  const server = await serve(t, () => {})
  for (const [state, prepare] of Object.entries<(c: SttConnection) => unknown>({
    connecting: () => {},
    open: c => once(c, 'open'),
    talking: async c => {
      await once(c, 'open')
      c.write(voicedFrames(1)[0])
    },
    finishing: async c => {
      c.write(voicedFrames(1)[0])
      c.end()
      await once(c, 'finish')
    },
  })) {
    const connection = connect(server.url)
    let closes = 0
    connection.on('error', error => t.fail(error))
    connection.on('close', () => closes++)
    await prepare(connection)
    connection.destroy()
    await once(connection, 'close')
    t.equal(closes, 1, state)
  }
  await Promise.all([...server.wss.clients].map(client => once(client, 'close')))
  t.equal(server.wss.clients.size, 0)
})

t.test('leaves no timer, whichever step of its beginning it is destroyed in', async t => {
  const { url } = await serve(t, () => {})
  const clock = mockClock(t)
  for (let steps = 0; steps < 12; steps++) {
    const connection = connect(url)
    for (let step = 0; step < steps; step++) await Promise.resolve()
    connection.destroy()
    await once(connection, 'close')
    await new Promise(setImmediate)
    t.equal(clock.running, 0, `after ${steps} steps`)
  }
})

t.test('passes an abort as AbortError, before and after opening', async t => {
  const { url } = await serve(t, () => {})
  const early = connect(url, { signal: AbortSignal.abort() })
  t.equal((await failure(early)).name, 'AbortError')
  const controller = new AbortController()
  const late = connect(url, { signal: controller.signal })
  await once(late, 'open')
  controller.abort()
  t.equal((await failure(late)).name, 'AbortError')
})

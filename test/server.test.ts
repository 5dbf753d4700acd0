import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import {
  scriptedRecognizer,
  startLocalServer,
  type LocalServerOptions,
  type Recognizer,
  type RecognizerSession,
  type SessionRecord,
} from '#dist/testing.js'
import { SttError } from '#dist/errors.js'
import { idleResources } from './fixtures/resources.js'
import { refusalOf, WireClient } from './fixtures/wire-client.js'

async function serve(test: Test, options: LocalServerOptions = {}) {
  const server = await startLocalServer({ recognizer: scriptedRecognizer([]), ...options })
  test.teardown(() => server.close())
  return server
}

/** A recogniser whose parts a test replaces. */
function fakeRecognizer(session: Partial<RecognizerSession>, open?: Recognizer['open']): Recognizer {
  const whole: RecognizerSession = {
    onError: undefined,
    start: () => {},
    push: async () => '',
    finish: async () => ({ text: '', words: [] }),
    close: async () => {},
    ...session,
  }
  return { name: 'fake', open: open ?? (async () => whole), close: async () => {} }
}

const MANUAL = { inworldSttV1Config: { vadThreshold: 0 } }
const KEY = 'a2V5SWQ6c2VjcmV0+w=='

t.test('bad options are refused by name before anything is bound', async t => {
  const refused = (options: object, type: typeof TypeError | typeof RangeError, message: RegExp) =>
    t.rejects(startLocalServer(options), { name: type.name, message })
  await refused({ port: 70_000 }, RangeError, /^port must be an integer from 0 to 65535; got 70000/)
  await refused({ host: '' }, TypeError, /^host/)
  await refused({ apiKey: '' }, TypeError, /^apiKey/)
  await refused(
    { host: '0.0.0.0' },
    TypeError,
    /^host 0\.0\.0\.0 can be reached from other machines: set apiKey/,
  )
  await refused({ host: '::' }, TypeError, /set apiKey/)
  await refused({ host: 'example.com' }, TypeError, /set apiKey/)
  await refused({ limits: { maxConections: 1 } }, TypeError, /^limits must be one of .*got maxConections/)
  await refused({ limits: { backlogMs: 0 } }, RangeError, /^limits\.backlogMs must be above 0; got 0/)
  await refused({ limits: { backlogMs: '5' } }, TypeError, /^limits\.backlogMs must be a number; got string/)
  await refused({ faults: { closeAtonce: true } }, TypeError, /^faults must be one of .*got closeAtonce/)
})

t.test('other hosts than loopback are bound with a key', async t => {
  const server = await serve(t, { host: '0.0.0.0', apiKey: KEY })
  t.match(server.url, /^ws:\/\/127\.0\.0\.1:\d+\/stt\/v1\/transcribe:streamBidirectional$/)
  t.equal(server.httpUrl, `http://127.0.0.1:${server.port}`)
})

t.test('an address with colons stands in brackets', async t => {
  const server = await serve(t, { host: '::1' })
  t.match(server.url, /^ws:\/\/\[::1\]:\d+\//)
  const client = await WireClient.connect(server.url)
  t.equal((await client.configure().closeStream().closed).closeCode, 1000)
})

t.test('a port in use is STT_ERR_LISTEN with a remedy', async t => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  t.teardown(() => blocker.close())
  const { port } = blocker.address() as AddressInfo
  await t.rejects(serve(t, { port }), {
    constructor: SttError,
    code: 'STT_ERR_LISTEN',
    message: new RegExp(`port ${port} \\(EADDRINUSE\\): .*choose another port`),
    cause: { code: 'EADDRINUSE' },
  })
})

t.test('without a key any credentials pass, and none', async t => {
  const server = await serve(t)
  const record = async (options: Parameters<typeof WireClient.connect>[1], query = '') => {
    const client = await WireClient.connect(server.url + query, options)
    const ended = once(server, 'session') as Promise<[SessionRecord]>
    await client.configure().closeStream().closed
    const [{ authorization }] = await ended
    return authorization
  }
  t.equal(await record({}), undefined)
  t.strictSame(await record({ headers: { authorization: 'Basic xyz' } }), {
    place: 'header',
    scheme: 'Basic',
  })
  t.strictSame(await record({}, '?authorization=Bearer%20eyJ'), { place: 'query', scheme: 'Bearer' })
})

t.test('with a key every place and scheme of credentials is read', async t => {
  const server = await serve(t, { apiKey: KEY })
  const encoded = encodeURIComponent(KEY)
  const accepted: [string, object, object][] = [
    ['', { headers: { authorization: `Basic ${KEY}` } }, { place: 'header', scheme: 'Basic' }],
    ['', { headers: { authorization: `bearer  ${KEY}` } }, { place: 'header', scheme: 'Bearer' }],
    [`?authorization=Basic%20${encoded}`, {}, { place: 'query', scheme: 'Basic' }],
    [`?Authorization=Bearer%20${encoded}`, {}, { place: 'query', scheme: 'Bearer' }],
  ]
  for (const [query, options, authorization] of accepted) {
    const client = await WireClient.connect(server.url + query, options)
    const ended = once(server, 'session') as Promise<[SessionRecord]>
    t.equal((await client.configure().closeStream().closed).closeCode, 1000)
    const [record] = await ended
    t.strictSame(record.authorization, authorization)
    t.notMatch(JSON.stringify(record), KEY, 'the key is kept nowhere')
  }
})

t.test('a token in the subprotocol is read and the subprotocol taken up', async t => {
  const server = await serve(t, { apiKey: 'one-time.token' })
  const client = await WireClient.connect(server.url, { protocols: ['json', 'bearer_one-time.token'] })
  t.equal(client.socket.protocol, 'bearer_one-time.token')
  t.equal((await client.configure().closeStream().closed).closeCode, 1000)
})

t.test('wrong or missing credentials are HTTP 403, a key encoded twice is 401', async t => {
  const server = await serve(t, { apiKey: KEY })
  const twice = Buffer.from(KEY).toString('base64')
  const refused: [number, string, object][] = [
    [403, '', {}],
    [403, '', { headers: { authorization: 'Basic d3Jvbmc=' } }],
    [403, '', { headers: { authorization: KEY } }],
    [403, '', { headers: { authorization: `Digest ${KEY}` } }],
    // The header counts where there is one.
    [403, `?authorization=Basic%20${encodeURIComponent(KEY)}`, { headers: { authorization: 'Basic no' } }],
    // A plus that was not percent-encoded is a space.
    [403, `?authorization=Basic%20${KEY}`, {}],
    [403, '', { protocols: ['bearer_wrong'] }],
    [401, '', { headers: { authorization: `Basic ${twice}` } }],
    [401, `?authorization=Basic%20${encodeURIComponent(twice)}`, {}],
  ]
  for (const [httpStatus, query, options] of refused) {
    const refusal = await refusalOf(server.url + query, options)
    t.equal(refusal.httpStatus, httpStatus)
    t.match(refusal.headers, { 'content-type': 'application/json', 'x-inworld-request-id': /^[0-9a-f]{32}$/ })
    const code = httpStatus === 403 ? 7 : 16
    t.equal(refusal.body, `{"code":${code},"message":"Invalid authorization credentials","details":[]}`)
  }
  t.strictSame(server.sessions, [])
})

t.test('an upgrade on another path is 404', async t => {
  const server = await serve(t)
  const refusal = await refusalOf(`ws://127.0.0.1:${server.port}/stt/v1/transcribe`)
  t.equal(refusal.httpStatus, 404)
  t.strictSame(JSON.parse(refusal.body), { code: 5, message: 'Not Found', details: [] })
})

t.test('no compression is negotiated, and the upgrade has a request id', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url, { perMessageDeflate: true })
  t.equal(client.socket.extensions, '')
  client.socket.terminate()
})

t.test('one connection more than the limit is HTTP 429, and one that ends makes room', async t => {
  const server = await serve(t, { limits: { maxConnections: 2 } })
  const clients = [await WireClient.connect(server.url), await WireClient.connect(server.url)]
  const refusal = await refusalOf(server.url)
  t.equal(refusal.httpStatus, 429)
  t.match(JSON.parse(refusal.body), { code: 8, message: /limit of concurrent streams/, details: [] })
  const ended = once(server, 'session')
  await clients[0]?.configure().closeStream().closed
  await ended
  const client = await WireClient.connect(server.url)
  t.equal((await client.configure().closeStream().closed).closeCode, 1000)
})

t.test('a record tells what a connection sent and how it ended', async t => {
  const server = await serve(t)
  const opened = once(server, 'connection') as Promise<[SessionRecord]>
  const ended = once(server, 'session') as Promise<[SessionRecord]>
  const client = await WireClient.connect(server.url)
  const [record] = await opened
  t.equal(record, server.sessions[0])
  client.configure({ language: 'en-US' })
  client.socket.send(Buffer.alloc(4))
  client.sendAudio(150).send({ endTurn: {} }).send({ nonsense: 1 }).closeStream()
  const { messages } = await client.closed
  t.equal((await ended)[0], record)
  t.strictSame(
    { ...record },
    {
      index: 0,
      authorization: undefined,
      webSocketExtensions: 'permessage-deflate; client_max_window_bits',
      config: { modelId: 'inworld/inworld-stt-1', audioEncoding: 'LINEAR16', language: 'en-US' },
      messages: [
        { kind: 'transcribeConfig' },
        { kind: 'binary' },
        { kind: 'audioChunk', durationMs: 100 },
        { kind: 'audioChunk', durationMs: 50 },
        { kind: 'endTurn' },
        { kind: 'unknown' },
        { kind: 'closeStream' },
      ],
      messageCount: 7,
      audioMs: 150,
      endTurns: 1,
      closeStream: true,
      sent: messages,
      error: undefined,
      closeCode: 1000,
    },
  )
})

t.test('records are bounded: 1000 messages each, the last 100 connections', async t => {
  const server = await serve(t)
  for (let i = 0; i < 101; i++) {
    const client = await WireClient.connect(server.url)
    client.configure()
    if (i === 100) for (let n = 0; n < 1200; n++) client.send({ endTurn: {} })
    await client.closeStream().closed
  }
  t.equal(server.sessions.length, 100)
  t.equal(server.sessions[0]?.index, 1)
  const last = server.sessions.at(-1)
  t.equal(last?.messages.length, 1000)
  t.equal(last?.messageCount, 1202)
  t.equal(last?.endTurns, 1200)
})

t.test(
  'a recogniser that has no decoder free is code 8, one that cannot run is 14, others are 13',
  async t => {
    const failures: [Error, number, string][] = [
      [new SttError('STT_ERR_QUOTA', 'no decoder is free'), 8, 'no decoder is free'],
      [new SttError('STT_ERR_RECOGNIZER_UNAVAILABLE', 'install it'), 14, 'install it'],
      [new Error('/home/secret/path'), 13, 'the recognizer failed'],
    ]
    for (const [failure, code, message] of failures) {
      const recognizer = fakeRecognizer({}, () => Promise.reject(failure))
      const server = await serve(t, { recognizer })
      const client = await WireClient.connect(server.url)
      const { messages, closeCode } = await client.configure().sendAudio(100).closed
      t.strictSame(messages, [{ error: { code, message, details: [] } }])
      t.equal(closeCode, 1000)
      t.strictSame(server.sessions[0]?.error, { code, message })
    }
  },
)

t.test('a decoder that dies ends its own session only', async t => {
  const sessions: RecognizerSession[] = []
  const scripted = scriptedRecognizer([{ startMs: 0, endMs: 500, text: 'still here' }])
  const recognizer: Recognizer = {
    ...scripted,
    open: async options => {
      const session = await scripted.open(options)
      sessions.push(session)
      return session
    },
  }
  const server = await serve(t, { recognizer })
  const [first, second] = [await WireClient.connect(server.url), await WireClient.connect(server.url)]
  await first.configure().sendAudio(500).messages(2)
  await second.configure().sendAudio(500).messages(2)
  sessions[0]?.onError?.(new Error('killed'))
  const { messages, closeCode } = await first.closed
  t.strictSame(messages.at(-1), { error: { code: 13, message: 'the recognizer failed', details: [] } })
  t.equal(closeCode, 1000)
  const survived = await second.closeStream().closed
  t.match(survived.messages.at(-2), {
    result: { transcription: { transcript: 'still here', isFinal: true } },
  })
})

t.test('a failing push is an error frame too', async t => {
  const recognizer = fakeRecognizer({ push: () => Promise.reject(new Error('lost')) })
  const server = await serve(t, { recognizer })
  const client = await WireClient.connect(server.url)
  const { messages } = await client.configure(MANUAL).sendAudio(100).closed
  t.strictSame(messages, [{ error: { code: 13, message: 'the recognizer failed', details: [] } }])
})

t.test(
  'the decoder is given back when the client leaves, mid-turn or while it is being made ready',
  async t => {
    const events = new EventEmitter()
    const closing = { close: async () => void events.emit('close') }
    const server = await serve(t, { recognizer: fakeRecognizer(closing) })
    const client = await WireClient.connect(server.url)
    client.configure(MANUAL).sendAudio(500)
    const closed = once(events, 'close')
    client.socket.terminate()
    await closed

    let ready = () => {}
    const inner = fakeRecognizer(closing)
    const slow = fakeRecognizer({}, async options => {
      events.emit('opening')
      await new Promise<void>(resolve => (ready = resolve))
      return inner.open(options)
    })
    const slowServer = await serve(t, { recognizer: slow })
    const impatient = await WireClient.connect(slowServer.url)
    const opening = once(events, 'opening')
    impatient.configure()
    await opening
    const ended = once(slowServer, 'session')
    impatient.socket.terminate()
    await ended
    const closedLate = once(events, 'close')
    ready()
    await closedLate
    t.pass('both were closed')
  },
)

t.test('the decoder is given back at an error, even to a client that never answers the close', async t => {
  const events = new EventEmitter()
  const server = await serve(t, {
    recognizer: fakeRecognizer({ close: async () => void events.emit('close') }),
  })
  const client = await WireClient.connect(server.url)
  client.socket.pause()
  const closed = once(events, 'close')
  client
    .configure(MANUAL)
    .sendAudio(100)
    .send({ audioChunk: { content: '?' } })
  await closed
  t.equal(server.sessions[0]?.closeCode, undefined, 'the connection is still closing')
  client.socket.resume()
  t.equal((await client.closed).closeCode, 1000)
})

t.test('a slow recogniser holds back the client: the server reads no further than the backlog', async t => {
  const waiting: (() => void)[] = []
  let open = false
  const recognizer = fakeRecognizer({
    push: () =>
      open ? Promise.resolve('') : new Promise<string>(resolve => waiting.push(() => resolve(''))),
  })
  const server = await serve(t, { recognizer, limits: { backlogMs: 1000 } })
  const client = await WireClient.connect(server.url)
  client.configure(MANUAL)
  // Far more than the kernel's socket buffers hold.
  const total = 600_000
  client.sendAudio(total, 1000)
  const record = server.sessions[0]
  // Reading has stopped when a round trip of many event loop turns brings no more audio.
  let before = -1
  for (let quiet = 0; quiet < 200; quiet = record?.audioMs === before ? quiet + 1 : 0) {
    before = record?.audioMs ?? -1
    await new Promise(setImmediate)
  }
  t.ok(before > 1000 && before < 10_000, `${before} ms were read, of ${total}`)
  t.ok(client.socket.bufferedAmount > 1_000_000, 'the rest waits on the side of the client')
  open = true
  for (const release of waiting) release()
  client.closeStream()
  const { messages } = await client.closed
  t.match(messages.at(-1), { result: { usage: { transcribedAudioMs: total } } })
})

t.test('close() cuts everything, closes no foreign recogniser, and leaves nothing behind', async t => {
  const before = await idleResources()
  let recognizerClosed = false
  const scripted = scriptedRecognizer([])
  const recognizer = { ...scripted, close: async () => void (recognizerClosed = true) }
  const server = await startLocalServer({
    recognizer,
    faults: index => (index === 2 ? { upgrade: { never: true } } : {}),
  })
  const idle = await WireClient.connect(server.url)
  const busy = await WireClient.connect(server.url)
  busy.configure({ inactivityTimeoutSeconds: 60 }).sendAudio(1000)
  const pending = t.rejects(WireClient.connect(server.url))
  const halfRequest: Socket = connect(server.port, '127.0.0.1')
  halfRequest.on('error', () => {})
  halfRequest.write('POST /stt/v1/transcribe HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"audio')
  await once(halfRequest, 'connect')
  const closing = server.close()
  t.equal(server.close(), closing, 'a second call is the same close')
  await closing
  await pending
  t.equal((await idle.closed).closeCode, 1006)
  t.equal((await busy.closed).closeCode, 1006)
  if (!halfRequest.closed) await once(halfRequest, 'close')
  t.equal(recognizerClosed, false)
  t.strictSame(await idleResources(), before)
  await t.rejects(WireClient.connect(server.url), { code: 'ECONNREFUSED' })
})

t.test('the server disposes of itself', async t => {
  const server = await startLocalServer({ recognizer: scriptedRecognizer([]) })
  await server[Symbol.asyncDispose]()
  await t.rejects(WireClient.connect(server.url), { code: 'ECONNREFUSED' })
})

t.test('connections by the hundred leave no listener and no resource', async t => {
  const server = await serve(t)
  const before = await idleResources()
  const counts = () => [server.listenerCount('session'), process.listenerCount('exit')]
  const listeners = counts()
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 10 }, () => WireClient.connect(server.url)))
    await Promise.all(clients.map(client => client.configure().sendAudio(200).closeStream().closed))
  }
  t.strictSame(counts(), listeners)
  t.strictSame(await idleResources(), before)
})

t.test('without a recogniser passed in, the built-in one hears real speech', async t => {
  const server = await startLocalServer()
  t.teardown(() => server.close())
  t.equal(server.recognizerName, 'pocketsphinx')
  const speech = readFileSync('/usr/share/pocketsphinx/test/data/goforward.raw')
  const client = await WireClient.connect(server.url)
  client.configure({ includeWordTimestamps: true })
  for (let at = 0; at < speech.length; at += 3200) client.sendChunk(speech.subarray(at, at + 3200))
  const { messages, closeCode } = await client.closeStream().closed
  t.equal(closeCode, 1000)
  type Word = { word: string; startTimeMs: number; endTimeMs: number; confidence: number }
  const results = messages.map(message => (message as { result: Record<string, unknown> }).result)
  const transcriptions = results.flatMap(({ transcription }) =>
    transcription ? [transcription as { transcript: string; isFinal: boolean; wordTimestamps: Word[] }] : [],
  )
  const finals = transcriptions.filter(({ isFinal }) => isFinal)
  t.equal(finals.length, 1)
  t.equal(finals[0]?.transcript, 'go forward ten meters')
  t.ok(transcriptions.length > 3, 'interims grew before it')
  const words = finals[0]?.wordTimestamps ?? []
  t.strictSame(
    words.map(({ word }) => word),
    ['go', 'forward', 'ten', 'meters'],
  )
  for (const { startTimeMs, endTimeMs, confidence } of words) {
    t.ok(
      startTimeMs >= 400 && endTimeMs <= 2300 && startTimeMs < endTimeMs,
      'the words lie where they are spoken',
    )
    t.ok(confidence > 0 && confidence <= 1)
  }
  t.ok('speechStarted' in (results[0] ?? {}))
  t.match(results.at(-1), { usage: { transcribedAudioMs: Math.round(speech.length / 32) } })
})

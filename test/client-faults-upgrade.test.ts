import { createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { sttStream } from '#dist/index.js'
import { scriptedRecognizer, startLocalServer, type LocalServer, type UpgradeFault } from '#dist/testing.js'
import { checkRecovery, faultRun, FINALS, first, named, texts } from './fixtures/fault-run.js'
import { LAMP } from './fixtures/scripted.js'

/** Faults 1 to 9 and 58: no connection, or none that says a word; 11 looks like 7. */

const KEY = 'c2VjcmV0OmtleQ=='

const LAMPS = scriptedRecognizer(LAMP, { clock: 'stamps' })

/** Takes TCP connections, and `answer` deals with them. */
async function tcpService(answer: (socket: Socket) => void) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.resume()
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/stt/v1/transcribe:streamBidirectional`
  return { url, close: () => new Promise<void>(resolve => void server.close(() => resolve())) }
}

/** The address of a service that is down. */
async function nobody() {
  const service = await tcpService(() => {})
  await service.close()
  return service
}

for (const [title, upgrade, error] of [
  ['1: HTTP 401', { status: 401 }, { code: 'STT_ERR_AUTH', httpStatus: 401, grpcCode: 16 }],
  ['1: HTTP 403', { status: 403 }, { code: 'STT_ERR_AUTH', httpStatus: 403, grpcCode: 7 }],
  ['2: HTTP 402', { status: 402 }, { code: 'STT_ERR_BILLING', httpStatus: 402 }],
  ['4: HTTP 400', { status: 400 }, { code: 'STT_ERR_BAD_REQUEST', httpStatus: 400 }],
  [
    '4: HTTP 404 without a body',
    { status: 404, body: '' },
    { code: 'STT_ERR_NOT_FOUND', message: /HTTP 404$/ },
  ],
] as [string, UpgradeFault, object][]) {
  t.test(`${title} is the error at once, though the next connection would do`, async t => {
    const headers = { 'x-inworld-request-id': 'request-1' }
    const outcome = await faultRun(t, {
      faults: first({ upgrade: { headers, ...upgrade } }),
      options: { apiKey: KEY },
    })
    t.match(outcome.error, { ...error, retryable: false, requestId: 'request-1' })
    t.notMatch(outcome.error?.message, KEY)
    t.equal(outcome.upgrades, 1)
    t.strictSame(outcome.notices, [])
  })
}

for (const [title, upgrade, cause] of [
  ['3: HTTP 429', { status: 429 }, { code: 'STT_ERR_QUOTA', httpStatus: 429, retryAfterMs: undefined }],
  ['4: HTTP 500 without a body', { status: 500, body: '' }, { code: 'STT_ERR_SERVER', message: /HTTP 500$/ }],
  [
    '4: HTTP 502 with a page',
    { status: 502, body: '<html>Bad gateway</html>' },
    { code: 'STT_ERR_SERVER', message: /HTTP 502$/ },
  ],
  ['4: HTTP 503', { status: 503 }, { code: 'STT_ERR_SERVER', httpStatus: 503, grpcCode: 14 }],
  ['5: an upgrade that is never answered', { never: true }, { code: 'STT_ERR_CONNECT_TIMEOUT' }],
  ['6: a connection closed in the handshake', { drop: 'close' }, { code: 'STT_ERR_SOCKET' }],
  ['6, 58: a connection reset in the handshake', { drop: 'reset' }, { code: 'STT_ERR_SOCKET' }],
] as [string, UpgradeFault, object][]) {
  t.test(`${title} is tried again, and no audio is missing`, async t => {
    const outcome = await faultRun(t, { faults: first({ upgrade }) })
    t.match(named(outcome, 'reconnecting'), [{ attempt: 1, cause: { retryable: true, ...cause } }])
    t.match(outcome.notices.at(-1), { name: 'open' }, 'nothing was open before, so nothing is reconnected')
    t.strictSame(texts(outcome), FINALS)
    t.equal(outcome.sessions[0]?.audioMs, 3_000)
  })

  t.test(`${title} that stays is the error after four attempts`, async t => {
    const outcome = await faultRun(t, { faults: { upgrade } })
    t.match(outcome.error, { retryable: true, ...cause })
    t.equal(outcome.upgrades, 4)
    t.match(named(outcome, 'reconnecting'), [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }])
  })
}

t.test('3: Retry-After is kept to, in seconds and as a date', async t => {
  const atDate = new Date(Date.now() + 7_000).toUTCString()
  const outcome = await faultRun(t, {
    faults: index =>
      index < 2 ? { upgrade: { status: 429, headers: { 'retry-after': index === 0 ? '5' : atDate } } } : {},
  })
  const [seconds, date] = named(outcome, 'reconnecting')
  t.equal(seconds?.delayMs, 5_000)
  t.ok((date?.delayMs as number) > 2_000 && (date?.delayMs as number) <= 7_000, 'a date is a whole second')
  t.ok(outcome.elapsedMs >= 7_000)
  t.strictSame(texts(outcome), FINALS)
})

t.test('5: an answer that is 2 s late costs nothing', async t => {
  const outcome = await faultRun(t, { faults: { upgrade: { delayMs: 2_000 } } })
  t.strictSame(outcome.notices, [{ name: 'open' }])
  t.strictSame(texts(outcome), FINALS)
  t.equal(outcome.sessions[0]?.audioMs, 3_000)
})

t.test('6: a refused connection is one error', async t => {
  const outcome = await faultRun(t, { service: nobody })
  t.match(outcome.error, { code: 'STT_ERR_SOCKET', retryable: true, cause: { code: 'ECONNREFUSED' } })
  t.equal(named(outcome, 'reconnecting').length, 3)
})

t.test('6: a service that starts late is found', async t => {
  let late: Promise<LocalServer> | undefined
  let url = ''
  const outcome = await faultRun(t, {
    service: async () => {
      url = (await nobody()).url
      return { url, close: async () => (await late)?.close() }
    },
    onNotice: () => (late ??= startLocalServer({ port: Number(new URL(url).port), recognizer: LAMPS })),
  })
  t.match(outcome.notices, [{ name: 'reconnecting' }, { name: 'open' }])
  t.strictSame(texts(outcome), FINALS)
})

t.test('6: a TLS handshake that fails is one error', async t => {
  const outcome = await faultRun(t, {
    service: async () => {
      const plain = await tcpService(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
      return { ...plain, url: plain.url.replace('ws:', 'wss:') }
    },
  })
  t.match(outcome.error, { code: 'STT_ERR_SOCKET', retryable: true, cause: { code: /EPROTO|SSL/ } })
  t.equal(named(outcome, 'reconnecting').length, 3)
})

for (const [title, faults] of [
  ['7: a connection that is closed at once', { closeAtOnce: true }],
  ['11: a config that is refused without a word', { rejectConfig: true }],
] as const) {
  t.test(`${title} is tried again`, async t => {
    const outcome = await faultRun(t, { faults: first(faults) })
    checkRecovery(t, outcome, { code: 'STT_ERR_CLOSED_EARLY', closeCode: 1000 })
  })

  t.test(`${title}, three times, is the error, no empty success`, async t => {
    const outcome = await faultRun(t, { faults })
    t.match(outcome.error, { code: 'STT_ERR_CLOSED_EARLY', message: /check modelId/ })
    t.equal(outcome.upgrades, 3)
  })
}

for (const [title, options, authorization] of [
  ['8: a key in the header', {}, { place: 'header', scheme: 'Basic' }],
  ['8: a key in the query', { authIn: 'query' }, { place: 'query', scheme: 'Basic' }],
  ['8: a bearer token', { authScheme: 'bearer' }, { place: 'header', scheme: 'Bearer' }],
  ['8: a token in the subprotocol', { authIn: 'subprotocol' }, { place: 'subprotocol', scheme: 'Bearer' }],
] as const) {
  t.test(`${title} is known at each connection`, async t => {
    const apiKey = 'authIn' in options && options.authIn === 'subprotocol' ? 'c2VjcmV0OmtleQ' : KEY
    const outcome = await faultRun(t, {
      faults: first({ close: { code: 1011, at: { afterAudioMs: 1_000 } } }),
      server: { apiKey },
      options: { apiKey, ...options },
    })
    checkRecovery(t, outcome, { closeCode: 1011 })
    t.match(outcome.sessions, [{ authorization }, { authorization }])
  })
}

t.test('8: a key that is encoded twice is refused, and not shown', async t => {
  const apiKey = Buffer.from(KEY).toString('base64')
  const outcome = await faultRun(t, { server: { apiKey: KEY }, options: { apiKey } })
  t.match(outcome.error, { code: 'STT_ERR_AUTH', httpStatus: 401, retryable: false })
  t.notMatch(outcome.error?.message, apiKey)
})

for (const overLimit of ['http', 'socket'] as const) {
  /** There is room for one, and it is taken. */
  const fullService = async () => {
    const limits = { maxConnections: 1 }
    const server = await startLocalServer({ recognizer: LAMPS, faults: { overLimit }, limits })
    const other = sttStream({ url: server.url })
    await once(other, 'open')
    const leave = () => other.destroy()
    return { url: server.url, leave, close: () => (leave(), server.close()) }
  }

  t.test(`9: a full service (told by ${overLimit}) is tried again until somebody leaves`, async t => {
    let leave = () => {}
    const outcome = await faultRun(t, {
      service: async () => {
        const full = await fullService()
        leave = full.leave
        return full
      },
      onNotice: ({ name }) => name === 'reconnecting' && leave(),
    })
    t.match(named(outcome, 'reconnecting')[0], { cause: { code: 'STT_ERR_QUOTA', grpcCode: 8 } })
    t.strictSame(texts(outcome), FINALS)
  })

  t.test(`9: a service that stays full (told by ${overLimit}) is a typed error`, async t => {
    const outcome = await faultRun(t, { service: fullService, options: { retry: { maxAttempts: 3 } } })
    t.match(outcome.error, { code: 'STT_ERR_QUOTA', grpcCode: 8, retryable: true })
    t.equal(named(outcome, 'reconnecting').length, 3)
  })
}

t.test('58: a stream destroyed while it connects closes without an error', async t => {
  const outcome = await faultRun(t, {
    service: () => tcpService(() => {}),
    feed: stream => void setTimeout(() => stream.destroy(), 1_000),
    ends: false,
  })
  t.equal(outcome.error, undefined)
  t.strictSame(outcome.notices, [])
})

t.test('58: a stream aborted while it connects fails with the AbortError', async t => {
  const controller = new AbortController()
  const outcome = await faultRun(t, {
    service: () => tcpService(() => {}),
    options: { signal: controller.signal },
    feed: () => void setTimeout(() => controller.abort(), 1_000),
  })
  t.match(outcome.error, { name: 'AbortError' })
})

import { once } from 'node:events'
import t, { type Test } from 'tap'
import {
  sttStream,
  type SttError,
  type SttEvent,
  type SttStreamOptions,
  type TranscriptionEvent,
} from '#dist/index.js'
import type { Faults, LocalServerOptions } from '#dist/testing.js'
import { scriptedServer, toneWav } from './fixtures/scripted.js'

/**
 * Every fault of the service (numbers: protocol part D) against the whole pipeline: what the user of the stream
 * sees. The order is the list's.
 */
const wav = toneWav(3_000)
const FINALS = ['turn the lamp on', 'thank you']

interface Outcome {
  events: SttEvent[]
  finals: TranscriptionEvent[]
  error?: SttError
  warnings: { code: string }[]
}

async function run(
  t: Test,
  faults: Faults,
  options: Partial<SttStreamOptions> = {},
  serverOptions: LocalServerOptions = {},
): Promise<Outcome> {
  const { url } = await scriptedServer(t, { faults, ...serverOptions })
  const stream = sttStream({
    url,
    includeWordTimestamps: true,
    finishTimeoutMs: 60_000,
    retry: false,
    ...options,
  })
  const outcome: Outcome = { events: [], finals: [], warnings: [] }
  let errors = 0
  stream.on('data', (event: SttEvent) => {
    outcome.events.push(event)
    if (event.type === 'transcription' && event.isFinal) outcome.finals.push(event)
  })
  stream.on('warning', (warning: { code: string }) => outcome.warnings.push(warning))
  stream.on('error', (error: SttError) => {
    errors++
    outcome.error = error
  })
  stream.end(wav)
  await new Promise<void>(resolve => stream.once('close', resolve))
  t.ok(errors <= 1, 'at most one error')
  const turns = outcome.finals.map(({ turnId }) => turnId)
  t.equal(new Set(turns).size, turns.length, 'one final a turn')
  return outcome
}

const texts = ({ finals }: Outcome) => finals.map(({ transcript }) => transcript)

for (const [name, faults, expected] of [
  ['1: 401', { upgrade: { status: 401 } }, { code: 'STT_ERR_AUTH', httpStatus: 401, retryable: false }],
  [
    '1: 403',
    { upgrade: { status: 403 } },
    { code: 'STT_ERR_AUTH', httpStatus: 403, requestId: /^[0-9a-f]{32}$/ },
  ],
  ['2: 402', { upgrade: { status: 402 } }, { code: 'STT_ERR_BILLING', httpStatus: 402, retryable: false }],
  [
    '3: 429 with Retry-After',
    { upgrade: { status: 429, headers: { 'retry-after': '2' } } },
    { code: 'STT_ERR_QUOTA', retryAfterMs: 2_000, retryable: true },
  ],
  ['4: 400', { upgrade: { status: 400 } }, { code: 'STT_ERR_BAD_REQUEST', httpStatus: 400 }],
  ['4: 404', { upgrade: { status: 404 } }, { code: 'STT_ERR_NOT_FOUND' }],
  [
    '4: 500 with an empty body',
    { upgrade: { status: 500, body: '' } },
    { code: 'STT_ERR_SERVER', retryable: true },
  ],
  [
    '4: 502 with an HTML body',
    { upgrade: { status: 502, body: '<html>Bad gateway</html>' } },
    { code: 'STT_ERR_SERVER', message: /HTTP 502$/ },
  ],
  ['6: closed in the handshake', { upgrade: { drop: 'close' } }, { code: 'STT_ERR_SOCKET', retryable: true }],
  [
    '6, 58: reset in the handshake',
    { upgrade: { drop: 'reset' } },
    { code: 'STT_ERR_SOCKET', retryable: true },
  ],
  [
    '10: unknown model, then close 1000',
    { unknownModel: true },
    { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3, message: /No STT client found/ },
  ],
  [
    '16: chunk duration refused',
    { chunkMs: { min: 200, max: 1_000 } },
    { code: 'STT_ERR_BAD_REQUEST', message: /invalid audio chunk duration/ },
  ],
  ...([3, 5, 7, 8, 13, 14, 16] as const).map(
    code =>
      [
        `39, 41: code ${code} in mid-stream`,
        { error: { code, message: 'no', at: { afterAudioMs: 1_000 } } },
        { grpcCode: code, retryable: [8, 13, 14].includes(code) },
      ] as const,
  ),
  ...(['object', 'text', 'flat', 'result.error', 'result.status'] as const).map(
    shape =>
      [
        `40: an error as ${shape}`,
        { error: { code: 13, message: 'it broke', shape, at: 'config' } },
        { code: 'STT_ERR_SERVER', message: /it broke/ },
      ] as const,
  ),
  [
    '39: an error once connected',
    { error: { code: 14, message: 'no', at: 'open' } },
    { code: 'STT_ERR_SERVER' },
  ],
  [
    '39: an error after closeStream',
    { error: { code: 14, message: 'no', at: 'closeStream' } },
    { code: 'STT_ERR_SERVER' },
  ],
] as [string, Faults, object][]) {
  t.test(`fails once and typed on ${name}`, async t => {
    const { error } = await run(t, faults)
    t.match(error, { name: 'SttError', ...expected })
  })
}

for (const [name, faults] of [
  ['7: closed at once', { closeAtOnce: true }],
  ['11: a config refused without a word', { rejectConfig: true }],
] as [string, Faults][]) {
  t.test(`takes ${name} for a failure, not for an empty success`, async t => {
    // So slow that its audio never ends before the close has been read.
    const { error } = await run(t, faults, { pace: 0.001 })
    t.match(error, { code: 'STT_ERR_CLOSED_EARLY', retryable: true, message: /check modelId/ })
  })
}

t.test('gives up on an upgrade that is never answered (5)', async t => {
  const { error } = await run(t, { upgrade: { never: true } }, { handshakeTimeoutMs: 100 })
  t.match(error, { code: 'STT_ERR_CONNECT_TIMEOUT', retryable: true })
})

t.test('keeps early audio while the upgrade is late (5)', async t => {
  t.strictSame(texts(await run(t, { upgrade: { delayMs: 500 } })), FINALS)
})

t.test('sends each variant of the credentials (8)', async t => {
  for (const [apiKey, options] of [
    ['c2VjcmV0OmtleQ==', {}],
    ['c2VjcmV0OmtleQ==', { authIn: 'query' }],
    ['c2VjcmV0OmtleQ==', { authScheme: 'bearer' }],
    ['c2VjcmV0OmtleQ', { authIn: 'subprotocol' }],
  ] as const) {
    t.strictSame(texts(await run(t, {}, { apiKey, ...options }, { apiKey })), FINALS, JSON.stringify(options))
  }
  const apiKey = 'c2VjcmV0OmtleQ=='
  const twice = await run(t, {}, { apiKey: Buffer.from(apiKey).toString('base64') }, { apiKey })
  t.match(twice.error, { code: 'STT_ERR_AUTH', httpStatus: 401 })
})

t.test('reads every way of telling results (18, 24-33)', async t => {
  for (const [name, results] of Object.entries<NonNullable<Faults['results']>>({
    '24: empty finals first': { emptyFinalFirst: true },
    '26: repeated interims': { repeatInterims: true },
    '26: shrinking interims': { shrinkInterims: true },
    '27: zeros omitted': { omitZeros: true },
    '29: snake_case': { snakeCase: true },
    '30: bare': { bare: true },
    '31: unknown fields': { unknownFields: true },
    '31: unknown kinds': { unknownKinds: true },
    '31: several kinds': { severalKinds: true },
    '32: late speechStopped': { lateSpeechStopped: true },
    '32: no speech events': { noSpeechEvents: true },
    '33: startTime': { wordTimes: 'startTime', speaker: 'S1' },
    '33: startTimeSeconds': { wordTimes: 'startTimeSeconds' },
    'all at once': {
      omitZeros: true,
      snakeCase: true,
      bare: true,
      unknownFields: true,
      wordTimes: 'startTime',
    },
  })) {
    await t.test(name, async t => {
      const outcome = await run(t, { results })
      t.equal(outcome.error, undefined)
      t.strictSame(texts(outcome), FINALS)
      t.match(outcome.finals, [
        { startMs: 200, endMs: 900, wordTimestamps: { length: 4 } },
        { startMs: 2_200, endMs: 2_700, wordTimestamps: { length: 2 } },
      ])
      if (results.speaker) t.equal(outcome.finals[0]?.wordTimestamps[0]?.speaker, 'S1')
      const starts = outcome.events.filter(({ type }) => type === 'speechStarted')
      t.equal(starts.length, results.noSpeechEvents ? 0 : 2)
      if (results.unknownKinds) t.ok(outcome.events.some(({ type }) => type === 'unknown'))
    })
  }
})

t.test('replaces, never appends, when the final rewrites the interim (25)', async t => {
  const outcome = await run(t, { results: { rewriteFinal: (text: string) => text.toUpperCase() } })
  t.strictSame(texts(outcome), ['TURN THE LAMP ON', 'THANK YOU'])
})

t.test('sums usage in every spelling, and misses none that is not there (34)', async t => {
  for (const usage of ['number', 'string', 'twice', 'topLevel', 'durationSeconds', 'missing'] as const) {
    const { events, error } = await run(t, { usage })
    t.equal(error, undefined, usage)
    const last = events.findLast(event => event.type === 'usage')
    t.equal(last?.transcribedAudioMs, usage === 'missing' ? undefined : 3_000, usage)
  }
})

t.test('ends when the service does not (43-45), and delivers late finals (46)', async t => {
  for (const [name, faults] of Object.entries<Faults>({
    '43: never closes': { end: { neverClose: true } },
    '44: no usage': { usage: 'missing' },
    '45: neither': { usage: 'missing', end: { neverClose: true } },
    '46: finals 3 s late': { end: { finalDelayMs: 3_000 } },
  })) {
    await t.test(name, async t => {
      const outcome = await run(t, faults)
      t.equal(outcome.error, undefined)
      t.strictSame(texts(outcome), FINALS)
    })
  }
})

t.test('promotes an interim when no final comes (47)', async t => {
  const outcome = await run(t, { end: { interimOnly: true } })
  t.match(outcome.finals.at(-1), { isFinal: true, promoted: true, transcript: 'thank you' })
})

t.test('delivers the server error although its own sends fail (42)', async t => {
  const { error } = await run(t, {
    error: { code: 8, message: 'too many', at: { afterAudioMs: 500 }, racingClose: true },
  })
  t.match(error, { code: 'STT_ERR_QUOTA', grpcCode: 8 })
})

t.test('ends by its ping deadline when the service stops reading (51)', async t => {
  const { url } = await scriptedServer(t, { faults: { stopReading: { afterAudioMs: 200 } } })
  const stream = sttStream({ url, pingIntervalMs: 50, pongTimeoutMs: 100, finishTimeoutMs: 60_000 })
  stream.resume()
  stream.end(wav)
  const [error] = (await once(stream, 'error')) as [SttError]
  t.match(error, { code: 'STT_ERR_PING_TIMEOUT' })
})

import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { cuesOf, transcribeFile, type TranscribeFileOptions } from '#dist/index.js'
import { json, lampAnswer, restService, text, type RestAnswer } from './fixtures/rest-service.js'
import { LAMP, scriptedServer, tone, toneWav } from './fixtures/scripted.js'
import { goForward } from './fixtures/speech.js'

const RAW = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
const WAV = toneWav(3_000)
const KEY = 'a2V5OnNlY3JldA=='
const NAME = 'workspaces/w/sttJobs/1/operations/op'
/** No wait that a test would notice. */
const SOON = { retry: { baseDelayMs: 0 }, pollIntervalMs: 1 }

/** Calls a service that answers as listed. */
async function callService(t: Test, answers: RestAnswer[], options: TranscribeFileOptions = {}) {
  const { url, calls } = await restService(t, ...answers)
  const outcome = await transcribeFile(WAV, { url, apiKey: KEY, ...SOON, ...options }).then(
    transcript => ({ transcript, error: undefined }),
    (error: Error & Record<string, unknown>) => ({ transcript: undefined, error }),
  )
  return { ...outcome, calls }
}

t.test('sends the file in base64 with its config and reads the answer', async t => {
  const { calls, transcript } = await callService(t, [lampAnswer], {
    language: 'en-US',
    includeWordTimestamps: true,
    headers: { 'x-team': 'blue' },
    audioEncoding: 'LINEAR16',
    transcribeConfig: { extra: 1 },
  })
  t.equal(calls.length, 1)
  const { method, url, headers, body } = calls[0]!
  t.match({ method, url }, { method: 'POST', url: '/stt/v1/transcribe' })
  t.match(headers, { authorization: `Basic ${KEY}`, 'content-type': 'application/json', 'x-team': 'blue' })
  t.strictSame(JSON.parse(body), {
    transcribeConfig: {
      modelId: 'inworld/inworld-stt-1',
      audioEncoding: 'LINEAR16',
      includeWordTimestamps: true,
      language: 'en-US',
      extra: 1,
    },
    audioData: { content: WAV.toString('base64') },
  })
  t.strictSame(transcript, {
    text: 'turn the lamp on',
    turns: [
      {
        type: 'transcription',
        transcript: 'turn the lamp on',
        isFinal: true,
        turnId: 1,
        seq: 1,
        startMs: 200,
        endMs: 900,
        wordTimestamps: [
          { word: 'turn', startMs: 200, endMs: 375, confidence: 0.9 },
          { word: 'on', startMs: 725, endMs: 900, confidence: 0.9 },
        ],
      },
    ],
    lostMs: 0,
    warnings: [],
    durationMs: 3_000,
    usage: { transcribedAudioMs: 3_000, modelId: 'inworld/inworld-stt-1' },
  })
})

t.test('an answer without words, usage or text is a transcript too', async t => {
  const { transcript } = await callService(t, [json({ transcription: { transcript: '' }, usage: null })])
  t.strictSame(transcript, { text: '', turns: [], lostMs: 0, warnings: [] })
})

t.test('shows its credentials in each way, and asks for them with each attempt', async t => {
  const query = await callService(t, [lampAnswer], { authIn: 'query' })
  t.equal(query.calls[0]?.url, `/stt/v1/transcribe?authorization=Basic+${encodeURIComponent(KEY)}`)
  t.equal(query.calls[0]?.headers.authorization, undefined)

  let asked = 0
  const apiKey = () => `eyJ${++asked}`
  const { calls } = await callService(t, [json({}, 503), lampAnswer], { apiKey })
  t.strictSame(
    calls.map(({ headers }) => headers.authorization),
    ['Bearer eyJ1', 'Bearer eyJ2'],
  )
  const failing = { apiKey: () => Promise.reject(new Error('vault is shut')) }
  t.match(await callService(t, [lampAnswer], failing), {
    error: { code: 'STT_ERR_CREDENTIALS', message: /vault is shut/ },
    calls: [],
  })
})

t.test('tries again what is busy, broken or lost', async t => {
  const reset: RestAnswer = response => response.socket?.resetAndDestroy()
  for (const [name, first] of Object.entries({
    'HTTP 429': json({ code: 8 }, 429, { 'retry-after': '0' }),
    'HTTP 503': json({ code: 14 }, 503),
    'HTML with HTTP 502': text('<html>Bad Gateway</html>', 502),
    'a reset connection': reset,
  })) {
    const { transcript, calls } = await callService(t, [first, first, lampAnswer])
    t.match(transcript, { text: 'turn the lamp on' }, name)
    t.equal(calls.length, 3, name)
    t.equal(new Set(calls.map(({ body }) => body)).size, 1, 'each attempt sends the same')
  }
})

t.test(
  'gives up after the last attempt, at once where it is told to, and at once where it is no use',
  async t => {
    const busy = json({ code: 14, message: 'later' }, 503)
    const cases: [string, RestAnswer, TranscribeFileOptions, number, object][] = [
      ['four times by default', busy, SOON, 4, { code: 'STT_ERR_SERVER', httpStatus: 503, retryable: true }],
      ['maxAttempts', busy, { retry: { maxAttempts: 1, baseDelayMs: 0 } }, 2, { code: 'STT_ERR_SERVER' }],
      ['more of them', busy, { retry: { maxAttempts: 5, baseDelayMs: 0 } }, 6, { code: 'STT_ERR_SERVER' }],
      ['retry: false', busy, { retry: false }, 1, { code: 'STT_ERR_SERVER' }],
      ['a wait of an hour', json({}, 429, { 'retry-after': '3600' }), SOON, 1, { retryAfterMs: 3_600_000 }],
      [
        'HTTP 400',
        json({ code: 3, message: 'no' }, 400),
        SOON,
        1,
        { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3 },
      ],
      ['HTTP 402', json({}, 402), SOON, 1, { code: 'STT_ERR_BILLING' }],
      ['HTTP 404', text('nothing here', 404), SOON, 1, { code: 'STT_ERR_NOT_FOUND' }],
      ['HTTP 413', text('', 413), SOON, 1, { code: 'STT_ERR_FILE_TOO_LARGE', httpStatus: 413 }],
      [
        'a redirect',
        json({}, 302, { location: '/elsewhere' }),
        SOON,
        1,
        { code: 'STT_ERR_UPGRADE', retryable: false },
      ],
    ]
    for (const [name, answer, options, attempts, expected] of cases) {
      const { error, calls } = await callService(t, [answer], options)
      t.match(error, { name: 'SttError', ...expected }, name)
      t.equal(calls.length, attempts, name)
    }
  },
)

t.test('no error holds the key, whatever the service says', async t => {
  const echo: RestAnswer = (response, { headers, url }) =>
    json({ code: 7, message: `refused: ${headers.authorization} ${url}` }, 403, {
      'x-inworld-request-id': 'r1',
    })(response, { headers, url, method: '', body: '' })
  for (const authIn of ['header', 'query'] as const) {
    const { error } = await callService(t, [echo], { authIn })
    t.match(error, { code: 'STT_ERR_AUTH', message: /\[key\]/, requestId: 'r1', httpStatus: 403 })
    t.notMatch(inspect(error, { depth: 9 }), /a2V5OnNlY3JldA/)
  }
  const unsendable = await callService(t, [lampAnswer], { apiKey: 'secret\u2028key' })
  t.match(unsendable.error, { code: 'STT_ERR_CREDENTIALS' })
  t.notMatch(inspect(unsendable.error, { depth: 9 }), 'secret')
})

t.test('a service that never answers is given up at the deadline, and not asked twice', async t => {
  const { error, calls } = await callService(t, [() => {}], { requestTimeoutMs: 50 })
  t.match(error, { code: 'STT_ERR_REQUEST_TIMEOUT', retryable: true, message: /50 ms \(requestTimeoutMs\)/ })
  t.equal(calls.length, 1)
  const half: RestAnswer = response => response.writeHead(200, { 'content-length': '1000' }).write('{')
  t.match(await callService(t, [half], { requestTimeoutMs: 50 }), {
    error: { code: 'STT_ERR_REQUEST_TIMEOUT' },
  })
  const apiKey = () => new Promise<string>(() => {})
  t.match(await callService(t, [], { requestTimeoutMs: 50, apiKey }), {
    error: { code: 'STT_ERR_REQUEST_TIMEOUT' },
  })
})

t.test('an abort rejects with AbortError in every state', async t => {
  const reason = new Error('changed my mind')
  const aborted = { error: { name: 'AbortError', code: 'ABORT_ERR', cause: reason } }
  t.match(await callService(t, [lampAnswer], { signal: AbortSignal.abort(reason) }), {
    ...aborted,
    calls: [],
  })
  for (const [name, state, options] of [
    ['waiting for an answer', () => {}, {}],
    [
      'waiting for the next attempt',
      json({}, 503),
      { retry: { baseDelayMs: 2e9, maxDelayMs: 2e9, maxOutageMs: 2e9 } },
    ],
    ['waiting for the next poll', json({ name: NAME }), { job: true, pollIntervalMs: 2e9 }],
  ] as const) {
    const controller = new AbortController()
    const answer: RestAnswer = (response, call) => {
      response.on('close', () => setImmediate(() => controller.abort(reason)))
      state(response, call)
      if (!response.writableEnded) controller.abort(reason)
    }
    t.match(await callService(t, [answer], { ...options, signal: controller.signal }), aborted, name)
  }
  const controller = new AbortController()
  const source = new PassThrough()
  const transcribed = transcribeFile(source, { url: 'http://127.0.0.1:1', signal: controller.signal })
  setImmediate(() => controller.abort())
  await t.rejects(transcribed, { name: 'AbortError' })
  t.ok(source.destroyed)
})

t.test('what is too large is refused before it is sent, with the remedy', async t => {
  const large = join(t.testdir(), 'large.wav')
  const file = await open(large, 'w')
  await file.truncate(16_000_001)
  await file.close()
  const { url, calls } = await restService(t, lampAnswer)
  const expected = { code: 'STT_ERR_FILE_TOO_LARGE', message: /transcribe\(\).*job: 'auto'/ }
  await t.rejects(transcribeFile(large, { url }), expected)
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1_000_000)
    })(),
  )
  await t.rejects(transcribeFile(endless, { url }), expected)
  t.ok(endless.destroyed)
  t.equal(calls.length, 0)

  await file.close()
  writeFileSync(large, Buffer.alloc(16_000_000))
  t.match(await transcribeFile(large, { url }), { text: 'turn the lamp on' })
})

/** What a job of two turns leaves: strings for int64, zeros left out. */
const RESULT = {
  transcript: 'turn the lamp onthank you',
  segments: [
    {
      endTimeMs: '900',
      transcript: 'turn the lamp on',
      wordTimestamps: [{ word: 'turn', startTimeMs: '200', endTimeMs: '375', speaker: 1 }],
    },
    { startTimeMs: '2200', endTimeMs: '2700', transcript: 'thank you' },
    { transcript: '' },
  ],
  language: 'English',
  usage: { transcribedAudioMs: '3000', modelId: 'inworld/inworld-stt-1' },
}

/** The answers of a job: accepted, not done, then what is said of it; the result's URL is of the same server. */
function jobAnswers(done: object = {}): RestAnswer[] {
  return [
    json({ name: NAME, done: false }),
    json({ name: NAME }),
    (response, call) => {
      const resultUri = `http://${call.headers.host}/signed?sig=1`
      json({ name: NAME, done: true, response: { resultUri }, ...done })(response, call)
    },
    json(RESULT),
  ]
}

t.test('a job uploads a form, is polled, and its result is fetched without credentials', async t => {
  const { calls, transcript } = await callService(t, jobAnswers(), { job: true, includeWordTimestamps: true })
  t.strictSame(
    calls.map(({ method, url }) => `${method} ${url}`),
    [
      'POST /stt/v1/transcribe:async',
      `GET /lro/v1alpha/${NAME}`,
      `GET /lro/v1alpha/${NAME}`,
      'GET /signed?sig=1',
    ],
  )
  t.strictSame(
    calls.map(({ headers }) => headers.authorization),
    [`Basic ${KEY}`, `Basic ${KEY}`, `Basic ${KEY}`, undefined],
  )
  const { headers, body } = calls[0]!
  const [, boundary] = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type'] ?? '') ?? []
  t.equal(headers['content-length'], String(body.length))
  const config =
    '{"modelId":"inworld/inworld-stt-1","audioEncoding":"AUTO_DETECT","includeWordTimestamps":true}'
  t.equal(
    body,
    [
      `--${boundary}`,
      'Content-Disposition: form-data; name="transcribeConfig"',
      'Content-Type: application/json',
      '',
      config,
      `--${boundary}`,
      'Content-Disposition: form-data; name="file"; filename="audio"',
      'Content-Type: application/octet-stream',
      '',
      WAV.toString('latin1'),
      `--${boundary}--`,
      '',
    ].join('\r\n'),
  )
  t.match(transcript, {
    text: 'turn the lamp onthank you',
    turns: [
      {
        startMs: 0,
        endMs: 900,
        turnId: 1,
        wordTimestamps: [{ word: 'turn', startMs: 200, endMs: 375, speaker: '1' }],
      },
      { startMs: 2_200, endMs: 2_700, turnId: 2, seq: 2 },
    ],
    durationMs: 3_000,
    language: 'English',
  })
  t.equal(transcript?.turns.length, 2)
})

t.test('a job that the service accepted is not handed over again', async t => {
  const [accepted, pending, done, result] = jobAnswers()
  const busy = json({}, 503)
  const { transcript, calls } = await callService(
    t,
    [accepted!, pending!, busy, busy, done!, busy, result!],
    { job: true },
  )
  t.match(transcript, { language: 'English' })
  t.equal(calls.filter(({ method }) => method === 'POST').length, 1)
})

t.test('a job that fails, never ends or answers nonsense is an error', async t => {
  const [accepted, , done] = jobAnswers()
  const failed = { error: { code: 13, message: 'no such luck' }, response: undefined }
  const cases: [string, RestAnswer[], object][] = [
    [
      'fails',
      jobAnswers(failed),
      { code: 'STT_ERR_SERVER', grpcCode: 13, message: /no such luck/, retryable: true },
    ],
    ['has no name', [json({})], { code: 'STT_ERR_PROTOCOL', message: /name/ }],
    ['has a name that leads elsewhere', [json({ name: '../../x' })], { code: 'STT_ERR_PROTOCOL' }],
    ['has no result', [accepted!, json({ done: true })], { code: 'STT_ERR_PROTOCOL', message: /resultUri/ }],
    [
      'has a result nowhere',
      [accepted!, json({ done: true, response: { resultUri: 'file:///etc/passwd' } })],
      { code: 'STT_ERR_PROTOCOL' },
    ],
    ['has a result that is no JSON', [accepted!, done!, text('<html>')], { code: 'STT_ERR_PROTOCOL' }],
    ['has lost its result', [accepted!, done!, text('gone', 404)], { code: 'STT_ERR_NOT_FOUND' }],
    ['is unknown', [accepted!, json({ code: 5 }, 404)], { code: 'STT_ERR_NOT_FOUND' }],
  ]
  for (const [name, answers, expected] of cases) {
    t.match((await callService(t, answers, { job: true })).error, { name: 'SttError', ...expected }, name)
  }
  const endless = await callService(t, [accepted!], { job: true, jobTimeoutMs: 60 })
  t.match(endless.error, {
    code: 'STT_ERR_JOB_TIMEOUT',
    retryable: false,
    message: `The job ${NAME} was not done`,
  })
  const refused = await callService(t, [() => {}], { job: true, jobTimeoutMs: 60 })
  t.match(refused.error, { code: 'STT_ERR_JOB_TIMEOUT', message: /could not be handed over/ })
})

t.test("job: 'auto' chooses the job only where the direct request cannot do it", async t => {
  const direct = await callService(t, [lampAnswer], { job: 'auto' })
  t.equal(direct.calls[0]?.url, '/stt/v1/transcribe')

  const speakers = await callService(t, jobAnswers(), { job: 'auto', enableSpeakerDiarization: true })
  t.equal(speakers.calls[0]?.url, '/stt/v1/transcribe:async')
  t.match(speakers.calls[0]?.body, '"includeWordTimestamps":true')

  const large = await restService(t, ...jobAnswers())
  t.match(await transcribeFile(Buffer.alloc(16_000_001), { url: large.url, job: 'auto', ...SOON }), {
    language: 'English',
  })
  t.equal(large.calls[0]?.url, '/stt/v1/transcribe:async')
})

t.test('a URL is fetched from here, with its deadline', async t => {
  const { url, calls } = await restService(t, lampAnswer)
  const site = await restService(
    t,
    response => response.end(WAV),
    response => response.end(tone(3_000)),
    json({}, 404),
    () => {},
  )
  const address = `${site.url}/tone?sig=hush`
  const sent = () =>
    (JSON.parse(calls.at(-1)?.body ?? '') as { audioData: { content: string } }).audioData.content
  await transcribeFile(address, { url })
  t.equal(sent(), WAV.toString('base64'))
  await transcribeFile(new URL(address), { url, input: RAW })
  t.equal(sent(), WAV.toString('base64'), 'raw audio is sent as WAV')
  await t.rejects(transcribeFile(address, { url }), { code: 'STT_ERR_SOURCE', httpStatus: 404 })
  await t.rejects(transcribeFile(address, { url, sourceTimeoutMs: 50 }), { code: 'STT_ERR_SOURCE' })
  t.equal(calls.length, 2)
})

t.test('an https source of a job is fetched by the service', async t => {
  const { url, calls } = await restService(t, ...jobAnswers())
  const address = 'https://files.example.com/talk.mp3?sig=x'
  for (const source of [address, new URL(address)]) {
    calls.length = 0
    await transcribeFile(source, { url, job: 'auto', ...SOON })
    t.match(calls[0]?.headers, { 'content-type': 'application/json' })
    t.match(JSON.parse(calls[0]?.body ?? ''), {
      audioUri: address,
      transcribeConfig: {},
      audioData: undefined,
    })
  }
})

t.test('what the service may not say is STT_ERR_PROTOCOL', async t => {
  const long: RestAnswer = response => {
    response.writeHead(200)
    response.end(Buffer.alloc(17 * 1024 * 1024, 0x20))
  }
  for (const answer of [text('<html>'), json([]), json({ usage: { transcribedAudioMs: 1 } }), long]) {
    t.match((await callService(t, [answer])).error, { code: 'STT_ERR_PROTOCOL' })
  }
  t.match((await callService(t, [long])).error, { message: /longer than \d+ bytes/ })
  t.match(await callService(t, [json({ error: { code: 8, message: 'full' } })], { retry: false }), {
    error: { code: 'STT_ERR_QUOTA' },
  })
})

t.test('misuse is refused before anything is sent', async t => {
  const { url, calls } = await restService(t, lampAnswer)
  const cases: [object, typeof TypeError | typeof RangeError, string | RegExp][] = [
    [{ url: 'ws://127.0.0.1' }, TypeError, "url must be an http: or https: URL or 'local'"],
    [{ frameMs: 100 }, TypeError, "unknown option 'frameMs'"],
    [{ job: 'maybe' }, TypeError, "job: true, false or 'auto'; got string"],
    [{ authIn: 'subprotocol' }, TypeError, /^authIn/],
    [{ audioEncoding: 'WAV' }, TypeError, /^audioEncoding/],
    [{ requestTimeoutMs: 300_001 }, RangeError, /^requestTimeoutMs.*got 300001/],
    [{ jobTimeoutMs: 0 }, RangeError, /^jobTimeoutMs/],
    [{ sourceTimeoutMs: 0 }, RangeError, /^sourceTimeoutMs/],
    [{ retry: { maxAttempts: -1 } }, RangeError, /^retry.*/],
    [{ retry: true }, TypeError, /^retry/],
    [{ input: { ...RAW, encoding: 's16be' } }, TypeError, /WAV/],
    [{ input: { ...RAW, sampleRateHertz: 1 } }, RangeError, /^input.sampleRateHertz/],
    [
      { modelId: 'groq/whisper-large-v3', inworldSttV1Config: {} },
      TypeError,
      /^inworldSttV1Config: expected a model inworld/,
    ],
    [{ enableSpeakerDiarization: true }, TypeError, "needs a job: set job to true or 'auto'"],
  ]
  for (const [options, type, message] of cases) {
    const error = await transcribeFile(WAV, { url, ...options }).catch((reason: unknown) => reason)
    t.ok(error instanceof type, `${inspect(options)}: ${String(error)}`)
    t.match((error as Error).message, message)
  }
  await t.rejects(transcribeFile(new URL('ftp://example.com/a'), { url }), {
    name: 'TypeError',
    message: /ftp:/,
  })
  await t.rejects(transcribeFile(Readable.from(['text']), { url }), {
    name: 'TypeError',
    message: /Uint8Array/,
  })
  await t.rejects(transcribeFile(join(t.testdir(), 'none.wav'), { url }), { code: 'ENOENT' })
  delete process.env.INWORLD_API_KEY
  await t.rejects(transcribeFile(WAV), { name: 'TypeError', message: /INWORLD_API_KEY/ })
  t.equal(calls.length, 0)
})

t.test('the local server transcribes directly and as a job, from every source', async t => {
  const { httpUrl } = await scriptedServer(t, { apiKey: KEY })
  const path = join(t.testdir(), 'tone.wav')
  writeFileSync(path, WAV)
  const options = { url: `${httpUrl}/`, apiKey: KEY, includeWordTimestamps: true, ...SOON }
  for (const source of [path, WAV, new Blob([WAV]), Readable.from([WAV])]) {
    const { text: heard, durationMs } = await transcribeFile(source, options)
    t.strictSame([heard, durationMs], ['turn the lamp on thank you', 3_000])
  }
  t.match(await transcribeFile(tone(3_000), { ...options, input: RAW }), {
    text: 'turn the lamp on thank you',
  })
  for (const [source, input] of [
    [path, undefined],
    [tone(3_000), RAW],
  ] as const) {
    const { turns, usage } = await transcribeFile(source, { ...options, input, job: true })
    t.match(
      turns,
      LAMP.map(({ text: transcript, ...times }) => ({ transcript, ...times })),
    )
    t.equal(usage?.transcribedAudioMs, 3_000)
    t.equal(cuesOf(turns).length, 2)
  }
})

t.test("url: 'local' hears speech, directly and as a job", async t => {
  for (const job of [false, true]) {
    const { text: heard } = await transcribeFile(goForward.path, { url: 'local', input: RAW, job, ...SOON })
    t.equal(heard, goForward.transcript)
  }
})

import t from 'tap'
import { portableEncodeBase64 } from '#dist/audio/portable/base64.js'
import { encodeBase64 } from '#dist/native.js'
import { encodeAudioChunk, encodeConfig, parseServerMessage } from '#dist/stt/protocol.js'
import { closeError, grpcError, httpError } from '#dist/stt/service-errors.js'
import { wireConfig } from './fixtures/wire-config.js'

const parse = (message: unknown) => parseServerMessage(JSON.stringify(message))

t.test('writes the messages of the wire', async t => {
  const config = { ...wireConfig, futureField: { a: 1 } }
  t.strictSame(JSON.parse(encodeConfig(config)), { transcribeConfig: config })
  for (const length of [0, 1, 2, 3, 640, 3_199, 3_200]) {
    const pcm = Buffer.from(Array.from({ length }, (_, i) => (i * 37) & 255))
    const expected = JSON.stringify({ audioChunk: { content: pcm.toString('base64') } })
    const message = encodeAudioChunk(pcm, encodeBase64)
    t.equal(message.toString(), expected)
    t.equal(encodeAudioChunk(pcm, portableEncodeBase64).toString(), expected)
    // ws may still hold the one before.
    encodeAudioChunk(Buffer.alloc(length, 255), encodeBase64)
    t.equal(message.toString(), expected, 'its bytes are its own')
  }
})

t.test('reads a transcription with nulls, empty lists and missing fields', async t => {
  const expected = [{ kind: 'transcription', transcript: 'turn the', isFinal: false, words: [] }]
  const transcription = { transcript: 'turn the', isFinal: false, wordTimestamps: [], voiceProfile: null }
  t.strictSame(parse({ result: { transcription } }), expected)
  t.strictSame(parse({ transcription }), expected, 'without the wrapper')
  t.strictSame(
    parse({ result: { transcription: { transcript: 'turn the' } } }),
    expected,
    'zero values omitted',
  )
  t.strictSame(parse({ result: { transcription: { transcript: 'turn the', is_final: false } } }), expected)
  t.strictSame(parse({ result: { transcription: {} } }), [
    { kind: 'transcription', transcript: '', isFinal: false, words: [] },
  ])
})

t.test('normalises every spelling of word times to ms', async t => {
  const spellings = [
    { startTimeMs: 500, endTimeMs: 750 },
    { startTime: 0.5, endTime: 0.75 },
    { startTimeSeconds: 0.5, endTimeSeconds: '0.75' },
    { start_time_ms: 500, end_time_ms: 750 },
    { startTimeMs: '500', endTimeMs: '750' },
  ]
  for (const times of spellings) {
    const wordTimestamps = [{ word: 'lamp', confidence: 0.5, speaker: 2, ...times }]
    const [message] = parse({
      result: { transcription: { transcript: 'lamp', isFinal: true, wordTimestamps } },
    })
    t.strictSame(message, {
      kind: 'transcription',
      transcript: 'lamp',
      isFinal: true,
      words: [{ word: 'lamp', startMs: 500, endMs: 750, confidence: 0.5, speaker: '2' }],
    })
  }
  const [first] = parse({
    transcription: { transcript: 'a', wordTimestamps: [{ word: 'a', endTimeMs: 90 }, { word: 'b' }] },
  })
  t.match(
    first,
    { words: [{ word: 'a', startMs: 0, endMs: 90 }] },
    'zero start omitted; a word without times is left out',
  )
})

t.test('finds the voice profile inside and beside the transcription', async t => {
  const voiceProfile = {
    vocal_style: [{ label: 'normal', confidence: 0.8 }],
    gender: [{ label: 'x' }],
    odd: 'text',
  }
  const expected = {
    vocalStyle: [{ label: 'normal', confidence: 0.8 }],
    gender: [{ label: 'x', confidence: 0 }],
  }
  const inside = parse({ result: { transcription: { transcript: 'a', isFinal: true, voiceProfile } } })
  const beside = parse({ result: { transcription: { transcript: 'a', isFinal: true }, voiceProfile } })
  for (const [message] of [inside, beside])
    t.strictSame((message as { voiceProfile: unknown }).voiceProfile, expected)
})

t.test('reads usage as number, as string, at top level and in seconds', async t => {
  const expected = [{ kind: 'usage', transcribedAudioMs: 3_000, modelId: 'm' }]
  t.strictSame(parse({ result: { usage: { transcribedAudioMs: 3_000, modelId: 'm' } } }), expected)
  t.strictSame(parse({ result: { usage: { transcribedAudioMs: '3000', modelId: 'm' } } }), expected)
  t.strictSame(parse({ usage: { durationSeconds: 3, modelId: 'm' } }), expected)
  t.strictSame(parse({ result: {}, usage: { transcribed_audio_ms: 3_000, model_id: 'm' } }), expected)
})

t.test('reads speech events with their fields omitted', async t => {
  t.strictSame(parse({ result: { speechStarted: {} } }), [{ kind: 'speechStarted', startMs: 0 }])
  t.strictSame(parse({ result: { speechStarted: { startTimeMs: 640, confidence: 0.5 } } }), [
    { kind: 'speechStarted', startMs: 640, confidence: 0.5 },
  ])
  t.strictSame(parse({ result: { speech_stopped: { silence_duration_ms: 420 } } }), [
    { kind: 'speechStopped', silenceDurationMs: 420 },
  ])
})

t.test('takes several kinds from one envelope and passes unknown ones on', async t => {
  const kinds = parse({
    result: {
      speechStarted: {},
      transcription: { transcript: 'a', isFinal: true },
      usage: { transcribedAudioMs: 1 },
      new: 1,
    },
  }).map(({ kind }) => kind)
  t.strictSame(kinds, ['speechStarted', 'transcription', 'usage'])
  t.strictSame(parse({ result: { somethingNew: { a_b: 1 } } }), [
    { kind: 'unknown', message: { result: { somethingNew: { a_b: 1 } } } },
  ])
})

t.test('reads every shape of an error', async t => {
  const shapes = [
    { error: { code: 3, message: 'bad model', details: [] } },
    { code: 3, message: 'bad model' },
    { result: { error: { code: 3, message: 'bad model' } } },
    { result: { status: { code: 3, message: 'bad model', details: [] } } },
  ]
  for (const shape of shapes) {
    const [message] = parse(shape)
    t.match(message, {
      kind: 'error',
      error: { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3, message: /bad model/ },
    })
  }
  t.match(parse({ error: 'it broke' })[0], {
    kind: 'error',
    error: { code: 'STT_ERR_SERVER', message: /it broke/ },
  })
  t.match(parse({ result: { status: { code: 0, message: '' }, speechStarted: {} } }), [
    { kind: 'speechStarted' },
  ])
})

t.test('maps gRPC codes and says which are worth a retry', async t => {
  const codes = {
    3: 'BAD_REQUEST',
    5: 'NOT_FOUND',
    7: 'AUTH',
    8: 'QUOTA',
    13: 'SERVER',
    14: 'SERVER',
    16: 'AUTH',
    2: 'SERVER',
  }
  for (const [grpcCode, name] of Object.entries(codes)) {
    const error = grpcError(Number(grpcCode), 'text')
    t.equal(error.code, `STT_ERR_${name}`)
    t.equal(error.retryable, ['8', '13', '14'].includes(grpcCode), grpcCode)
  }
})

t.test('maps HTTP refusals with request id, Retry-After and the body', async t => {
  const codes = {
    400: 'BAD_REQUEST',
    401: 'AUTH',
    402: 'BILLING',
    403: 'AUTH',
    404: 'NOT_FOUND',
    429: 'QUOTA',
    500: 'SERVER',
    503: 'SERVER',
    302: 'UPGRADE',
  }
  for (const [status, name] of Object.entries(codes)) {
    const error = httpError(
      { status: Number(status), headers: { 'x-inworld-request-id': 'ab12' }, body: '' },
      0,
    )
    t.match(error, { code: `STT_ERR_${name}`, httpStatus: Number(status), requestId: 'ab12' })
    t.equal(error.retryable, Number(status) === 429 || Number(status) >= 500)
  }
  const body = '{"code":7,"message":"Invalid authorization credentials","details":[]}'
  t.match(httpError({ status: 403, headers: {}, body }, 0), {
    grpcCode: 7,
    message: /403: Invalid authorization credentials/,
  })
  t.match(httpError({ status: 502, headers: {}, body: '<html>' }, 0).message, /HTTP 502$/)
  t.equal(httpError({ status: 429, headers: { 'retry-after': '7' }, body: '' }, 0).retryAfterMs, 7_000)
  const date = new Date(9_000).toUTCString()
  t.equal(httpError({ status: 429, headers: { 'retry-after': date }, body: '' }, 4_000).retryAfterMs, 5_000)
  t.notOk('retryAfterMs' in httpError({ status: 429, headers: { 'retry-after': 'soon' }, body: '' }, 0))
})

t.test('maps close codes', async t => {
  t.match(closeError(1000, true), { code: 'STT_ERR_CLOSED_EARLY', retryable: true, closeCode: 1000 })
  t.match(closeError(1000, false).message, /check modelId/)
  for (const [code, retryable] of [
    [1001, true],
    [1006, true],
    [1008, false],
    [1011, true],
    [1007, false],
  ] as const) {
    t.match(closeError(code, true), { code: 'STT_ERR_CLOSED', retryable, closeCode: code })
  }
})

t.test('refuses what is not a JSON object', async t => {
  for (const text of ['', 'no json', '[1]', '"text"', '42', 'null']) {
    t.throws(() => parseServerMessage(text), { code: 'STT_ERR_PROTOCOL' })
  }
})

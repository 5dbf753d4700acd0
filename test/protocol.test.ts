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
})

const wordsOf = (wordTimestamps: unknown) => {
  const [message] = parse({ transcription: { transcript: 'a', isFinal: true, wordTimestamps } })
  return (message as { words: unknown[] }).words
}

t.test('reads words whose fields are missing, strings or out of range', async t => {
  const cases: [word: unknown, expected: object | undefined, why: string][] = [
    [{ word: 'a', endTimeMs: 90 }, { word: 'a', startMs: 0, endMs: 90 }, 'a zero start is omitted'],
    [{ word: 'a', startTimeMs: 90 }, { word: 'a', startMs: 90, endMs: 90 }, 'no end'],
    [{ word: 'a' }, undefined, 'no time at all'],
    [{ endTimeMs: 9 }, { word: '', startMs: 0, endMs: 9 }, 'no word'],
    [
      { word: 'a', startTime: '0.57s', endTime: '1.5s' },
      { word: 'a', startMs: 570, endMs: 1_500 },
      'durations',
    ],
    [
      { word: 'a', startTimeMs: 50, endTimeMs: 40 },
      { word: 'a', startMs: 50, endMs: 50 },
      'ends before it starts',
    ],
    [{ word: 'a', startTimeMs: -5, endTimeMs: 1 }, { word: 'a', startMs: 0, endMs: 1 }, 'a negative time'],
    [
      { word: 'a', endTimeMs: 1, confidence: '0.25' },
      { word: 'a', startMs: 0, endMs: 1, confidence: 0.25 },
      'text',
    ],
    [
      { word: 'a', endTimeMs: 1, confidence: 1.2 },
      { word: 'a', startMs: 0, endMs: 1, confidence: 1 },
      'above 1',
    ],
    [
      { word: 'a', endTimeMs: 1, confidence: null, speaker: null },
      { word: 'a', startMs: 0, endMs: 1 },
      'nulls',
    ],
    [{ word: 'a', endTimeMs: 1, speaker: 0 }, { word: 'a', startMs: 0, endMs: 1, speaker: '0' }, 'speaker 0'],
    [{ word: 'a', endTimeMs: 1, speaker: 'B' }, { word: 'a', startMs: 0, endMs: 1, speaker: 'B' }, 'a name'],
    [
      { word: 'a', startTimeMs: 1, endTimeMs: 1e300 },
      { word: 'a', startMs: 1, endMs: 1 },
      'no time of any stream',
    ],
  ]
  for (const [word, expected, why] of cases) t.strictSame(wordsOf([word]), expected ? [expected] : [], why)
  t.strictSame(wordsOf([null, 'a', 1, [{ endTimeMs: 1 }]]), [], 'entries that are no objects')
  t.strictSame(wordsOf('none'), [])
})

t.test('finds the voice profile inside and beside the transcription, the inner one first', async t => {
  const voiceProfile = { age: [{ label: 'adult', confidence: 0.8 }] }
  const outer = { age: [{ label: 'old', confidence: 0.9 }] }
  const transcription = { transcript: 'a', isFinal: true }
  for (const message of [
    { result: { transcription: { ...transcription, voiceProfile } } },
    { result: { transcription: { ...transcription, voice_profile: voiceProfile } } },
    { result: { transcription: { ...transcription, voiceProfile: null }, voiceProfile } },
    { result: { transcription, voiceProfile } },
    { result: { transcription }, voiceProfile },
    { transcription, voiceProfile },
    { result: { transcription: { ...transcription, voiceProfile }, voiceProfile: outer } },
  ]) {
    t.match(parse(message), [{ voiceProfile }], JSON.stringify(message))
  }
})

const profileOf = (voiceProfile: unknown) => {
  const [message] = parse({ result: { transcription: { transcript: 'a', isFinal: true, voiceProfile } } })
  return (message as { voiceProfile?: unknown }).voiceProfile
}

t.test('reads classes of any name, each sorted by falling confidence from 0 to 1', async t => {
  t.strictSame(
    profileOf({
      vocal_style: [
        { label: 'mumbling', confidence: 0.1 },
        { label: 'normal', confidence: '0.8' },
      ],
      gender: [{ label: 'x' }, null, 'y', { confidence: 1 }, { label: '' }],
      pitch: { label: 'low', confidence: 1.0000001 },
      accent: [{ label: 'en-GB', confidence: -1 }],
      odd: 'text',
      emotion: [],
    }),
    {
      vocalStyle: [
        { label: 'normal', confidence: 0.8 },
        { label: 'mumbling', confidence: 0.1 },
      ],
      gender: [{ label: 'x', confidence: 0 }],
      pitch: [{ label: 'low', confidence: 1 }],
      accent: [{ label: 'en-GB', confidence: 0 }],
    },
  )
  for (const nothing of [null, {}, [], 'text', { age: [] }, { age: null }])
    t.equal(profileOf(nothing), undefined)
  const hostile: unknown = JSON.parse('{"__proto__": [{"label": "x"}], "age": [{"label": "kid"}]}')
  t.equal(Object.getPrototypeOf(profileOf(hostile)), Object.prototype, 'no class replaces the prototype')
})

t.test('reads the language by any of its names, inside or beside the transcription', async t => {
  const transcription = { transcript: 'a', isFinal: true }
  for (const name of ['language', 'languageCode', 'language_code', 'detectedLanguage', 'detected_language']) {
    t.match(parse({ result: { transcription: { ...transcription, [name]: 'en_US' } } }), [
      { language: 'en_US' },
    ])
    t.match(parse({ result: { transcription, [name]: 'de' } }), [{ language: 'de' }], name)
  }
  const both = { result: { transcription: { ...transcription, language: 'en' }, language: 'de' } }
  t.match(parse(both), [{ language: 'en' }])
  for (const language of ['', null, 5, {}]) {
    t.notOk('language' in (parse({ transcription: { ...transcription, language } })[0] ?? {}))
  }
})

t.test('leaves values as they are, whatever their keys look like', async t => {
  const transcription = { transcript: 'snake_case is_final', is_final: true, silence_duration_ms: 0 }
  t.strictSame(parse({ result: { transcription } }), [
    {
      kind: 'transcription',
      transcript: 'snake_case is_final',
      isFinal: true,
      words: [],
      silenceDurationMs: 0,
    },
  ])
})

t.test('reads usage as number, as string, at top level and in seconds', async t => {
  const expected = [{ kind: 'usage', transcribedAudioMs: 3_000, modelId: 'm' }]
  t.strictSame(parse({ result: { usage: { transcribedAudioMs: 3_000, modelId: 'm' } } }), expected)
  t.strictSame(parse({ result: { usage: { transcribedAudioMs: '3000', modelId: 'm' } } }), expected)
  t.strictSame(parse({ usage: { durationSeconds: 3, modelId: 'm' } }), expected)
  for (const usage of [
    { transcribed_audio_ms: 3_000, model_id: 'm' },
    { durationSeconds: '3', modelId: 'm' },
    { duration: '3s', modelId: 'm' },
    { transcribedAudioMs: 3_000, durationSeconds: 7, modelId: 'm' },
  ])
    t.strictSame(parse({ result: {}, usage }), expected, JSON.stringify(usage))
  t.strictSame(parse({ result: { usage: { transcribedAudioMs: -1 } } }), [
    { kind: 'usage', transcribedAudioMs: 0 },
  ])
  t.strictSame(parse({ result: { usage: {} } }), [{ kind: 'usage', transcribedAudioMs: 0 }])
  t.strictSame(parse({ result: { speechStarted: {}, usage: null } }), [{ kind: 'speechStarted', startMs: 0 }])
})

t.test('sums all usage of one envelope', async t => {
  const usage = [{ transcribedAudioMs: 1_000 }, null, { transcribedAudioMs: '500', modelId: 'm' }]
  t.strictSame(parse({ result: { usage }, usage: { durationSeconds: 0.25 } }), [
    { kind: 'usage', transcribedAudioMs: 1_750, modelId: 'm' },
  ])
})

t.test('reads speech events with their fields omitted', async t => {
  t.strictSame(parse({ result: { speechStarted: {} } }), [{ kind: 'speechStarted', startMs: 0 }])
  t.strictSame(parse({ result: { speechStarted: { startTimeMs: 640, confidence: 0.5 } } }), [
    { kind: 'speechStarted', startMs: 640, confidence: 0.5 },
  ])
  const stopped = [{ kind: 'speechStopped', silenceDurationMs: 420 }]
  t.strictSame(parse({ result: { speech_stopped: { silence_duration_ms: 420 } } }), stopped)
  t.strictSame(parse({ result: { speechStopped: { silenceDuration: '0.42s' } } }), stopped)
  t.strictSame(parse({ result: { speechStopped: {} } }), [{ kind: 'speechStopped', silenceDurationMs: 0 }])
  t.strictSame(parse({ result: { speechStarted: { startTime: 0.64, confidence: '2' } } }), [
    { kind: 'speechStarted', startMs: 640, confidence: 1 },
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
  for (const none of [
    { status: { code: 0, message: '' } },
    { error: null },
    { error: '' },
    { error: { code: 0 } },
  ]) {
    t.match(
      parse({ result: { ...none, speechStarted: {} } }),
      [{ kind: 'speechStarted' }],
      JSON.stringify(none),
    )
  }
  t.match(parse({ error: { message: 'no code' } })[0], {
    error: { code: 'STT_ERR_SERVER', message: /no code/ },
  })
  t.match(parse({ result: { code: 3 } })[0], { kind: 'unknown' }, 'a code alone is none')
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

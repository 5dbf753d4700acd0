import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { SttError } from '#dist/errors.js'
import { scriptedRecognizer, startLocalServer, type LocalServerOptions, type Script } from '#dist/testing.js'

const SCRIPT: Script = [
  { startMs: 500, endMs: 1300, text: 'turn the lamp on' },
  { startMs: 3000, endMs: 3500, text: 'and off' },
]

async function serve(test: Test, options: LocalServerOptions = {}) {
  const server = await startLocalServer({ recognizer: scriptedRecognizer(SCRIPT), ...options })
  test.teardown(() => server.close())
  return server
}

/** 16-bit PCM of digital silence in a WAV file. */
function wav(durationMs: number, sampleRateHertz = 16_000, channels = 1): Buffer {
  const blockAlign = 2 * channels
  const dataBytes = Math.round((durationMs * sampleRateHertz) / 1000) * blockAlign
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + dataBytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRateHertz, 24)
  header.writeUInt32LE(sampleRateHertz * blockAlign, 28)
  header.writeUInt16LE(blockAlign, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(dataBytes, 40)
  return Buffer.concat([header, Buffer.alloc(dataBytes)])
}

const CONFIG = { modelId: 'inworld/inworld-stt-1', audioEncoding: 'AUTO_DETECT' }

const request = (audio: Buffer, config: object = {}) => ({
  transcribeConfig: { ...CONFIG, ...config },
  audioData: { content: audio.toString('base64') },
})

async function post(httpUrl: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${httpUrl}/stt/v1/transcribe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { httpStatus: response.status, headers: response.headers, body: await response.json() }
}

t.test('a whole file gives its whole transcript, with usage', async t => {
  const server = await serve(t)
  const { httpStatus, body } = await post(server.httpUrl, request(wav(5000)))
  t.equal(httpStatus, 200)
  t.strictSame(body, {
    transcription: {
      transcript: 'turn the lamp on and off',
      isFinal: true,
      wordTimestamps: [],
      voiceProfile: null,
      silenceDurationMs: 0,
    },
    usage: { transcribedAudioMs: 5000, modelId: 'inworld/inworld-stt-1' },
  })
})

t.test('word times of all turns stand on the clock of the file', async t => {
  const server = await serve(t)
  const { body } = await post(server.httpUrl, request(wav(5000, 44_100, 2), { includeWordTimestamps: true }))
  const { transcription } = body as { transcription: { wordTimestamps: unknown[] } }
  t.equal(transcription.wordTimestamps.length, 6)
  t.strictSame(transcription.wordTimestamps[0], {
    ...{ word: 'turn', confidence: 0.9, startTimeMs: 500, endTimeMs: 700 },
  })
  t.strictSame(transcription.wordTimestamps[5], {
    ...{ word: 'off', confidence: 0.9, startTimeMs: 3250, endTimeMs: 3500 },
  })
})

t.test('silence has an empty transcript', async t => {
  const server = await serve(t, { recognizer: scriptedRecognizer([]) })
  const { httpStatus, body } = await post(server.httpUrl, request(wav(1000)))
  t.equal(httpStatus, 200)
  t.match(body, { transcription: { transcript: '', isFinal: true, wordTimestamps: [] } })
})

t.test('what ffmpeg decodes is taken too', async t => {
  const server = await serve(t)
  const encoded = (...args: string[]) =>
    execFileSync('ffmpeg', ['-loglevel', 'error', '-f', 'wav', '-i', 'pipe:0', ...args, 'pipe:1'], {
      input: wav(5000),
      maxBuffer: 10_000_000,
    })
  for (const audio of [
    encoded('-f', 'flac'),
    encoded('-f', 'mp3'),
    encoded('-c:a', 'libopus', '-f', 'ogg'),
  ]) {
    const { httpStatus, body } = await post(server.httpUrl, request(audio))
    t.equal(httpStatus, 200)
    t.match(body, { transcription: { transcript: 'turn the lamp on and off' } })
  }
})

t.test('requests are refused with code 3 in the order and words of the service', async t => {
  const server = await serve(t)
  const content = wav(100).toString('base64')
  const pages = 'https://docs.inworld.ai/docs/tutorial-integrations/stt/supported-models'
  const cases: [unknown, string][] = [
    [{}, 'audio_data is required'],
    [{ transcribeConfig: CONFIG }, 'audio_data is required'],
    [{ audioData: {} }, 'invalid transcribe config: transcribe_config is required'],
    [{ audioData: {}, transcribeConfig: {} }, 'invalid transcribe config: model_id is required'],
    [
      { audioData: {}, transcribeConfig: { modelId: 'a/b' } },
      `Unsupported model "a/b". Supported models: ${pages}`,
    ],
    [
      { audioData: {}, transcribeConfig: { modelId: 'assemblyai/u3-rt-pro' } },
      `Unsupported model "assemblyai/u3-rt-pro". Supported models: ${pages}`,
    ],
    [{ audioData: {}, transcribeConfig: CONFIG }, 'audio data is required'],
    [{ audioData: { content: '' }, transcribeConfig: CONFIG }, 'audio data is required'],
    [
      { audioData: { content: '%%%%' }, transcribeConfig: CONFIG },
      'proto: invalid value for bytes field content',
    ],
    [
      { audioData: { content }, transcribeConfig: { ...CONFIG, prompts: ['#'] } },
      'invalid transcribe config: prompts may hold letters, digits, spaces and basic punctuation only',
    ],
    ['[1', 'proto: syntax error: a JSON object was expected'],
    ['', 'proto: syntax error: a JSON object was expected'],
  ]
  for (const [body, message] of cases) {
    const refused = await post(server.httpUrl, body)
    t.equal(refused.httpStatus, 400, message)
    t.strictSame(refused.body, { code: 3, message, details: [] })
    t.match(refused.headers.get('x-inworld-request-id'), /^[0-9a-f]{32}$/)
  }
})

t.test('raw PCM and other bytes that are no file are refused', async t => {
  const server = await serve(t)
  const noise = Buffer.from(
    Uint8Array.from({ length: 32_000 }, (_, index) => (index * 31 + (index >> 3)) & 0x7f),
  )
  for (const audio of [Buffer.alloc(32_000), noise, Buffer.from('hello')]) {
    const raw = { audioEncoding: 'LINEAR16', sampleRateHertz: 16_000 }
    const { httpStatus, body } = await post(server.httpUrl, request(audio, raw))
    t.equal(httpStatus, 400)
    t.strictSame(body, {
      code: 3,
      message: 'unsupported audio format - only WAV, MP3, OGG, FLAC, M4A, and WebM are supported',
      details: [],
    })
  }
})

t.test('snake_case is read too', async t => {
  const server = await serve(t)
  const { httpStatus } = await post(server.httpUrl, {
    transcribe_config: { model_id: 'groq/whisper-large-v3', groq_config: { temperature: 0.5 } },
    audio_data: { content: wav(1000).toString('base64') },
  })
  t.equal(httpStatus, 200)
})

t.test('credentials are checked before the body', async t => {
  const server = await serve(t, { apiKey: 'a2V5' })
  const wrong = await post(server.httpUrl, '{', { authorization: 'Basic bm8=' })
  t.equal(wrong.httpStatus, 403)
  t.strictSame(wrong.body, { code: 7, message: 'Invalid authorization credentials', details: [] })
  t.equal((await post(server.httpUrl, '{', { authorization: 'Basic YTJWNQ==' })).httpStatus, 401)
  t.equal((await post(server.httpUrl, request(wav(100)), { authorization: 'Bearer a2V5' })).httpStatus, 200)
})

t.test('other paths are 404, other methods 405, the stream path without an upgrade 426', async t => {
  const server = await serve(t)
  const get = async (path: string) => {
    const response = await fetch(server.httpUrl + path)
    return [response.status, await response.json()]
  }
  const notFound = [404, { code: 5, message: 'Not Found', details: [] }]
  t.strictSame(await get('/'), notFound)
  t.strictSame(await get('//[/%zz?x=1'), notFound)
  t.strictSame(await get('/stt/v1/transcribe/'), notFound)
  t.strictSame(await get('/stt/v1/transcribe?x=1'), [
    405,
    { code: 12, message: 'Method Not Allowed', details: [] },
  ])
  t.match(await get('/stt/v1/transcribe:streamBidirectional'), [426, { code: 12, details: [] }])
})

t.test('a body above the limit is 413', async t => {
  const server = await serve(t, { limits: { maxBodyBytes: 1000 } })
  const { httpStatus, body } = await post(server.httpUrl, request(wav(100)))
  t.equal(httpStatus, 413)
  t.strictSame(body, { code: 3, message: 'the body is longer than 1000 bytes', details: [] })
})

t.test('failures of the recogniser have their own status', async t => {
  const failures: [Error, number, object][] = [
    [new SttError('STT_ERR_QUOTA', 'none is free'), 429, { code: 8, message: 'none is free' }],
    [new SttError('STT_ERR_RECOGNIZER_UNAVAILABLE', 'install it'), 503, { code: 14, message: 'install it' }],
    [new Error('bug'), 500, { code: 13, message: 'the recognizer failed' }],
  ]
  for (const [failure, httpStatus, body] of failures) {
    const recognizer = { name: 'fake', open: () => Promise.reject(failure), close: async () => {} }
    const server = await serve(t, { recognizer })
    t.match(await post(server.httpUrl, request(wav(100))), { httpStatus, body })
  }
})

t.test('a decoder that dies in mid-file is 500, and is given back', async t => {
  let closed = 0
  const session = {
    onError: undefined as ((error: Error) => void) | undefined,
    start: () => {},
    push: () => {
      session.onError?.(new Error('killed'))
      return new Promise<string>(() => {})
    },
    finish: () => Promise.reject(new Error('killed')),
    close: async () => void closed++,
  }
  const recognizer = { name: 'fake', open: async () => session, close: async () => {} }
  const server = await serve(t, { recognizer })
  const config = { inworldSttV1Config: { vadThreshold: 0 } }
  t.match(await post(server.httpUrl, request(wav(1000), config)), { httpStatus: 500, body: { code: 13 } })
  t.equal(closed, 1)
})

t.test('a client that leaves ends the work', async t => {
  let closed = () => {}
  let pushed = () => {}
  const decoderClosed = new Promise<void>(resolve => (closed = resolve))
  const audioCame = new Promise<void>(resolve => (pushed = resolve))
  const session = {
    onError: undefined,
    start: () => {},
    push: () => {
      pushed()
      return new Promise<string>(() => {})
    },
    finish: async () => ({ text: '', words: [] }),
    close: async () => closed(),
  }
  const server = await serve(t, {
    recognizer: { name: 'fake', open: async () => session, close: async () => {} },
  })
  const body = JSON.stringify(request(wav(1000), { inworldSttV1Config: { vadThreshold: 0 } }))
  const socket = connect(server.port, '127.0.0.1')
  socket.write(`POST /stt/v1/transcribe HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await audioCame
  socket.destroy()
  await decoderClosed
  if (!socket.closed) await once(socket, 'close')
  t.pass('the decoder was given back')
})

t.test('REST calls count among the connections', async t => {
  let release = () => {}
  let opened = () => {}
  const open = new Promise<void>(resolve => (opened = resolve))
  const scripted = scriptedRecognizer(SCRIPT)
  const recognizer = {
    ...scripted,
    open: async () => {
      opened()
      await new Promise<void>(resolve => (release = resolve))
      return scripted.open({})
    },
  }
  const server = await serve(t, { recognizer, limits: { maxConnections: 1 } })
  const first = post(server.httpUrl, request(wav(1000)))
  await open
  t.match(await post(server.httpUrl, request(wav(1000))), { httpStatus: 429, body: { code: 8 } })
  release()
  t.equal((await first).httpStatus, 200)
})

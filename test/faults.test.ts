import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import {
  scriptedRecognizer,
  type FaultPoint,
  type Faults,
  type LocalServerOptions,
  type ResultFaults,
  type StrayFrame,
  type VoiceProfile,
} from '#dist/testing.js'
import { frameHeaders } from './fixtures/frame-headers.js'
import { heldClock } from './fixtures/held-clock.js'
import {
  BASELINE,
  final,
  interim,
  INTERIMS,
  LAMP_ON,
  serveFaults as serve,
  STARTED,
  STOPPED,
  USAGE,
  usage,
} from './fixtures/lamp-on.js'
import { refusalOf, WireClient } from './fixtures/wire-client.js'

/** The whole answer to one scripted turn of 3 s. */
async function answer(
  test: Test,
  faults: Faults,
  fields: Record<string, unknown> = {},
  options: LocalServerOptions = {},
) {
  const server = await serve(test, faults, options)
  const client = await WireClient.connect(server.url)
  return client.configure(fields).sendAudio(3000).closeStream().closed
}

const messagesWith = async (test: Test, results: ResultFaults, fields = {}) =>
  (await answer(test, { results }, fields)).messages

t.test('without a fault nothing is changed', async t => {
  t.strictSame(await answer(t, {}), { messages: BASELINE, closeCode: 1000 })
})

t.test('1, 2, 4: an upgrade is refused with any status, in the form of the service', async t => {
  for (const [status, code] of [
    [400, 3],
    [401, 16],
    [402, 8],
    [403, 7],
    [404, 5],
    [500, 13],
    [503, 14],
  ] as const) {
    const server = await serve(t, { upgrade: { status } })
    const { httpStatus, headers, body } = await refusalOf(server.url)
    t.equal(httpStatus, status)
    t.match(headers, { 'x-inworld-request-id': /^[0-9a-f]{32}$/ })
    t.strictSame(JSON.parse(body), { code, message: `refused with HTTP ${status}`, details: [] })
  }
})

t.test('1, 3, 4: body and headers of a refusal are free', async t => {
  const faults = { status: 429, body: { code: 8, message: 'slow down' }, headers: { 'retry-after': '2' } }
  const limited = await refusalOf((await serve(t, { upgrade: faults })).url)
  t.match(limited, {
    httpStatus: 429,
    headers: { 'retry-after': '2' },
    body: '{"code":8,"message":"slow down"}',
  })
  const html = { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } }
  const proxied = await refusalOf((await serve(t, { upgrade: html })).url)
  t.match(proxied, { httpStatus: 502, headers: { 'content-type': 'text/html' }, body: '<html>' })
  const empty = await refusalOf((await serve(t, { upgrade: { status: 500, body: '' } })).url)
  t.match(empty, { httpStatus: 500, headers: { 'content-length': '0' }, body: '' })
})

t.test('5: an upgrade is answered late, and then works', async t => {
  const clock = heldClock()
  const server = await serve(t, { upgrade: { delayMs: 2000 } }, { startTimer: clock.startTimer })
  const connecting = WireClient.connect(server.url)
  let open = false
  void connecting.then(() => (open = true))
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  t.equal(open, false)
  await clock.pass(2000)
  const client = await connecting
  t.strictSame((await client.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
})

t.test('5: an upgrade is never answered', async t => {
  const server = await serve(t, { upgrade: { never: true } })
  const socket = new WebSocket(server.url, { handshakeTimeout: 100 })
  const [error] = (await once(socket, 'error')) as [Error]
  t.match(error, { message: 'Opening handshake has timed out' })
  t.strictSame(server.sessions, [])
})

t.test('6, 58: the TCP connection ends without an answer', async t => {
  const reset = await serve(t, { upgrade: { drop: 'reset' } })
  await t.rejects(WireClient.connect(reset.url), { code: 'ECONNRESET', syscall: 'read' })
  const closed = await serve(t, { upgrade: { drop: 'close' } })
  await t.rejects(WireClient.connect(closed.url), { message: 'socket hang up' })
})

t.test('7: the server closes at once after the upgrade', async t => {
  const server = await serve(t, { closeAtOnce: true })
  const client = await WireClient.connect(server.url)
  t.strictSame(await client.closed, { messages: [], closeCode: 1000 })
})

t.test('9: one connection too many is told in the socket', async t => {
  const server = await serve(t, { overLimit: 'socket' }, { limits: { maxConnections: 1 } })
  const first = await WireClient.connect(server.url)
  const second = await WireClient.connect(server.url)
  t.strictSame(await second.closed, {
    messages: [{ error: { code: 8, message: 'the limit of concurrent streams is reached', details: [] } }],
    closeCode: 1000,
  })
  t.strictSame((await first.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
})

t.test('10: every model is unknown', async t => {
  const client = await WireClient.connect((await serve(t, { unknownModel: true })).url)
  t.strictSame(await client.configure().closed, {
    messages: [
      { error: { code: 3, message: 'No STT client found for model: inworld/inworld-stt-1', details: [] } },
    ],
    closeCode: 1000,
  })
})

t.test('11: the config is refused without a word', async t => {
  const client = await WireClient.connect((await serve(t, { rejectConfig: true })).url)
  t.strictSame(await client.configure().closed, { messages: [], closeCode: 1000 })
})

t.test('12: fields that nobody knows are dropped in silence, wherever they stand', async t => {
  const server = await serve(t, {})
  const client = await WireClient.connect(server.url)
  client.send({
    transcribeConfig: {
      modelId: 'inworld/inworld-stt-1',
      audioEncoding: 'LINEAR16',
      inworldSttV1Config: { vadTreshold: 0 },
      endOfTurnConfidense: 2,
    },
    traceparent: 'x',
  })
  client
    .send({ heartbeat: {} })
    .sendAudio(3000)
    .send({ closeStream: { reason: 'done' } })
  t.strictSame((await client.closed).messages, BASELINE)
})

t.test('15: a second config is ignored, or closes', async t => {
  const ignoring = await WireClient.connect((await serve(t, { secondConfig: 'ignore' })).url)
  t.strictSame(
    (await ignoring.configure().configure().sendAudio(3000).closeStream().closed).messages,
    BASELINE,
  )
  const closing = await WireClient.connect((await serve(t, { secondConfig: 'close' })).url)
  t.strictSame(await closing.configure().configure().closed, { messages: [], closeCode: 1000 })
})

t.test('16: the accepted duration of a chunk is a switch', async t => {
  const server = await serve(t, { chunkMs: { min: 50, max: 100 } })
  const outcome = async (chunkMs: number) => {
    const client = await WireClient.connect(server.url)
    return (await client.configure().sendAudio(chunkMs, chunkMs).closeStream().closed).messages
  }
  const refused = [{ error: { code: 3, message: 'invalid audio chunk duration', details: [] } }]
  t.strictSame(await outcome(40), refused)
  t.match(await outcome(50), [{ result: { usage: { transcribedAudioMs: 50 } } }])
  t.match(await outcome(100), [{ result: { usage: { transcribedAudioMs: 100 } } }])
  t.strictSame(await outcome(101), refused)
})

t.test('20: a message before the config is an error', async t => {
  const client = await WireClient.connect((await serve(t, { messageBeforeConfig: 'error' })).url)
  t.strictSame(await client.sendAudio(100).closed, {
    messages: [{ error: { code: 3, message: 'the first message must be transcribe_config', details: [] } }],
    closeCode: 1000,
  })
})

t.test('21: without audio nothing goes on: a turn stays open until silence is heard', async t => {
  const server = await serve(t, {})
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1300)
  t.strictSame(await client.messages(3), [STARTED, ...INTERIMS])
  client.socket.ping()
  await once(client.socket, 'pong')
  t.equal((await client.messages(0)).length, 3)
  client.sendAudio(1000)
  t.strictSame((await client.messages(5)).slice(3), [STOPPED, final('lamp on')])
})

t.test('22: a client that is silent too long gets what is pending, and the end', async t => {
  const clock = heldClock()
  const server = await serve(t, {}, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  client.configure({ inactivityTimeoutSeconds: 7 }).sendAudio(1000)
  await client.messages(2)
  await clock.pass(7000)
  const { messages, closeCode } = await client.closed
  t.strictSame(messages.slice(-2), [final('lamp'), usage(1000)])
  t.equal(closeCode, 1000)
})

t.test('23: a manual turn of 30 s is an error', async t => {
  const server = await serve(t, { longTurn: 'error' })
  const client = await WireClient.connect(server.url)
  client.configure({ inworldSttV1Config: { vadThreshold: 0 } }).sendAudio(31_000, 1000)
  const { messages, closeCode } = await client.closed
  t.match(messages.at(-1), { error: { code: 3, message: /maximum length of 30 s/ } })
  t.equal(closeCode, 1000)
})

t.test('24: an empty final precedes the first transcription of a turn', async t => {
  t.strictSame(await messagesWith(t, { emptyFinalFirst: true }), [
    ...[STARTED, final(''), ...INTERIMS, STOPPED, final('lamp on'), USAGE],
  ])
})

t.test('25: the final rewrites the interims', async t => {
  t.strictSame((await messagesWith(t, { rewriteFinal: 'Lamp on.' })).at(-2), final('Lamp on.'))
  t.strictSame((await messagesWith(t, { rewriteFinal: text => text.toUpperCase() })).at(-2), final('LAMP ON'))
})

t.test('26: interims are repeated, or get shorter', async t => {
  t.strictSame((await messagesWith(t, { repeatInterims: true })).slice(1, 5), [
    ...[interim('lamp'), interim('lamp'), interim('lamp on'), interim('lamp on')],
  ])
  t.strictSame((await messagesWith(t, { shrinkInterims: true })).slice(1, 4), [
    ...[interim('lamp'), interim('lamp on'), interim('lamp')],
  ])
})

t.test('27: zeros are left out', async t => {
  const server = await serve(
    t,
    { results: { omitZeros: true } },
    { recognizer: scriptedRecognizer([{ startMs: 0, endMs: 800, text: 'lamp', confidence: 0 }]) },
  )
  const client = await WireClient.connect(server.url)
  client.configure({ includeWordTimestamps: true }).sendAudio(3000).send({ endTurn: {} }).closeStream()
  t.strictSame((await client.closed).messages, [
    { result: { speechStarted: { confidence: 1 } } },
    { result: { transcription: { transcript: 'lamp' } } },
    STOPPED,
    {
      result: {
        transcription: {
          transcript: 'lamp',
          isFinal: true,
          wordTimestamps: [{ word: 'lamp', endTimeMs: 800 }],
        },
      },
    },
    { result: { transcription: { isFinal: true } } },
    USAGE,
  ])
})

t.test('29: keys come in snake_case', async t => {
  t.strictSame(await messagesWith(t, { snakeCase: true }, { includeWordTimestamps: true }), [
    { result: { speech_started: { start_time_ms: 500, confidence: 1 } } },
    ...['lamp', 'lamp on'].map(transcript => ({
      result: { transcription: { transcript, is_final: false, word_timestamps: [], voice_profile: null } },
    })),
    { result: { speech_stopped: { silence_duration_ms: 300 } } },
    {
      result: {
        transcription: {
          transcript: 'lamp on',
          is_final: true,
          word_timestamps: [
            { word: 'lamp', confidence: 0.9, start_time_ms: 500, end_time_ms: 900 },
            { word: 'on', confidence: 0.9, start_time_ms: 900, end_time_ms: 1300 },
          ],
          voice_profile: null,
        },
      },
    },
    { result: { usage: { transcribed_audio_ms: 3000, model_id: 'inworld/inworld-stt-1' } } },
  ])
})

t.test('30: payloads come bare', async t => {
  t.strictSame(
    await messagesWith(t, { bare: true }),
    BASELINE.map(({ result }) => result),
  )
})

t.test('31: unknown fields and unknown messages stand between the known', async t => {
  const fields = await messagesWith(t, { unknownFields: true })
  t.strictSame(fields[0], {
    result: { speechStarted: { startTimeMs: 500, confidence: 1, novelty: { level: 1 } }, traceparent: 'x' },
  })
  const kinds = await messagesWith(t, { unknownKinds: true })
  t.strictSame(
    kinds,
    BASELINE.flatMap(message => [{ result: { aurora: { hue: 'green' } } }, message]),
  )
})

t.test('31: several kinds come in one result', async t => {
  t.strictSame(await messagesWith(t, { severalKinds: true }), [
    { result: { ...STARTED.result, ...INTERIMS[0]?.result } },
    INTERIMS[1],
    { result: { ...STOPPED.result, ...final('lamp on').result } },
    USAGE,
  ])
})

t.test('32: speechStopped comes after the final, or no speech event at all', async t => {
  t.strictSame(await messagesWith(t, { lateSpeechStopped: true }), [
    ...[STARTED, ...INTERIMS, final('lamp on'), STOPPED, USAGE],
  ])
  t.strictSame(await messagesWith(t, { noSpeechEvents: true }), [...INTERIMS, final('lamp on'), USAGE])
})

t.test('33: word times come in other spellings and units, with a speaker', async t => {
  const words = async (results: ResultFaults) => {
    const messages = await messagesWith(t, results, { includeWordTimestamps: true })
    return (messages.at(-2) as ReturnType<typeof final>).result.transcription.wordTimestamps as unknown[]
  }
  t.strictSame((await words({ wordTimes: 'startTime' }))[0], {
    ...{ word: 'lamp', confidence: 0.9, startTime: 0.5, endTime: 0.9 },
  })
  t.strictSame((await words({ wordTimes: 'startTimeSeconds', speaker: 'A' }))[0], {
    ...{ word: 'lamp', confidence: 0.9, startTimeSeconds: 0.5, endTimeSeconds: 0.9, speaker: 'A' },
  })
  t.strictSame((await words({ speaker: 'B' }))[0], {
    ...{ word: 'lamp', confidence: 0.9, startTimeMs: 500, endTimeMs: 900, speaker: 'B' },
  })
})

t.test('34, 44: usage takes every shape', async t => {
  const modelId = 'inworld/inworld-stt-1'
  const shapes: [Faults['usage'], unknown[]][] = [
    ['number', [USAGE]],
    ['string', [{ result: { usage: { transcribedAudioMs: '3000', modelId } } }]],
    [
      'twice',
      [
        { result: { usage: { transcribedAudioMs: 1500, modelId } } },
        { result: { usage: { transcribedAudioMs: 1500, modelId } } },
      ],
    ],
    ['missing', []],
    ['topLevel', [{ usage: { transcribedAudioMs: 3000, modelId } }]],
    ['durationSeconds', [{ usage: { durationSeconds: 3 } }]],
  ]
  for (const [shape, expected] of shapes) {
    t.strictSame(await answer(t, { usage: shape }), {
      messages: [...BASELINE.slice(0, -1), ...expected],
      closeCode: 1000,
    })
  }
})

const PROFILE: VoiceProfile = {
  emotion: [
    { label: 'calm', confidence: 0.7 },
    { label: 'happy', confidence: 0.2 },
  ],
  pitch: [{ label: 'low', confidence: 0.9 }],
}

t.test('35: a voice profile comes where the fault says, and only to who asks', async t => {
  const recognizer = scriptedRecognizer([{ ...LAMP_ON[0]!, voiceProfile: PROFILE, language: 'en-US' }])
  const finalWith = async (voiceProfile: ResultFaults['voiceProfile'], voiceProfileConfig?: object) => {
    const answered = await answer(t, { results: { voiceProfile } }, { voiceProfileConfig }, { recognizer })
    return (answered.messages.at(-2) as { result: Record<string, unknown> }).result
  }
  const transcription = { transcript: 'lamp on', isFinal: true, wordTimestamps: [], language: 'en-US' }
  const wanted = { enableVoiceProfile: true }
  const nested = { transcription: { ...transcription, voiceProfile: PROFILE } }
  t.strictSame(await finalWith(undefined, wanted), nested)
  t.strictSame(await finalWith('nested', wanted), nested)
  t.strictSame(await finalWith('beside', wanted), { transcription, voiceProfile: PROFILE })
  t.strictSame(await finalWith('absent', wanted), { transcription })
  const nothing = { transcription: { ...transcription, voiceProfile: null } }
  t.strictSame(await finalWith('null', wanted), nothing)
  t.strictSame(await finalWith(undefined), nothing)
  t.strictSame(await finalWith('extraClasses'), nothing)
  t.strictSame(await finalWith('extraClasses', wanted), {
    transcription: {
      ...transcription,
      voiceProfile: { ...PROFILE, gender: [{ label: 'unclear', confidence: 0.5 }], aura: 'green' },
    },
  })
  t.strictSame(await finalWith(undefined, { enableVoiceProfile: true, topN: 1 }), {
    transcription: { ...transcription, voiceProfile: { ...PROFILE, emotion: [PROFILE['emotion']![0]] } },
  })
  t.strictSame(await finalWith(undefined, { enableVoiceProfile: false }), { transcription })
})

t.test('36: endTurn right before closeStream brings a second, invented final', async t => {
  const faults: Faults = { end: { hallucinatedFinal: 'thank you for watching' } }
  const finals = async (send: (client: WireClient) => WireClient, fields = {}) => {
    const client = await WireClient.connect((await serve(t, faults)).url)
    const { messages } = await send(client.configure(fields)).closeStream().closed
    return messages.filter(message => JSON.stringify(message).includes('"isFinal":true'))
  }
  const endTurn = { endTurn: {} }
  t.strictSame(await finals(client => client.sendAudio(1500).send(endTurn)), [
    ...[final('lamp on'), final('thank you for watching')],
  ])
  t.strictSame(await finals(client => client.sendAudio(1500)), [final('lamp on')])
  t.strictSame(await finals(client => client.sendAudio(1000).send(endTurn).sendAudio(500)), [
    ...[final('lamp'), final('on')],
  ])
  const manual = { inworldSttV1Config: { vadThreshold: 0 } }
  t.strictSame(await finals(client => client.sendAudio(1500).send(endTurn), manual), [final('lamp on')])
})

t.test('37: a final comes twice', async t => {
  t.strictSame(await messagesWith(t, { repeatFinals: true }), [
    ...[STARTED, ...INTERIMS, STOPPED, final('lamp on'), final('lamp on'), USAGE],
  ])
})

t.test('38: a frame that is no message stands between the messages, once', async t => {
  const framesWith = async (frame: StrayFrame, at: FaultPoint) => {
    const server = await serve(t, { stray: { frame, at } })
    const socket = new WebSocket(server.url)
    const frames: { data: Buffer; isBinary: boolean }[] = []
    socket.on('message', (data, isBinary) => frames.push({ data: data as Buffer, isBinary }))
    await once(socket, 'open')
    new WireClient(socket, { parse: false }).configure().sendAudio(3000).closeStream()
    await once(socket, 'close')
    return frames
  }
  const text = (message: unknown) => JSON.stringify(message)
  const notJson = await framesWith('notJson', { afterAudioMs: 1000 })
  t.strictSame(
    notJson.map(({ data }) => data.toString()),
    [text(STARTED), text(interim('lamp')), '{"result":', ...BASELINE.slice(2).map(text)],
  )
  const [notObject] = await framesWith('notObject', 'config')
  t.equal(notObject?.data.toString(), '["result"]')
  const [binary] = await framesWith('binary', 'open')
  t.strictSame(binary, { data: Buffer.from([0, 1, 2, 255]), isBinary: true })
  const large = (await framesWith('large', 'closeStream')).at(-2)!
  t.ok(large.data.length > 8 * 1024 * 1024)
  t.match(JSON.parse(large.data.toString()), { result: { filler: /^x+$/ } })
})

t.test('38: messages come in fragments', async t => {
  const server = await serve(t, { results: { fragments: 3 } })
  const client = await WireClient.connect(server.url)
  const headers = frameHeaders(client.socket)
  t.strictSame((await client.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
  // Opcode and the bit that tells the last fragment: text that goes on, more of it, the rest.
  const [first, more, last, close] = [0x01, 0x00, 0x80, 0x88]
  t.strictSame(headers(), [...BASELINE.flatMap(() => [first, more, last]), close])
})

t.test('39: an error strikes in every state, after what came before it, and 1000 follows', async t => {
  const failure = { code: 14, message: 'backend is gone' }
  const frame = { error: { ...failure, details: [] } }
  const points: [NonNullable<Faults['error']>['at'], unknown[]][] = [
    ['open', []],
    ['config', []],
    [{ afterAudioMs: 1000 }, [STARTED, interim('lamp')]],
    ['closeStream', BASELINE.slice(0, -1)],
  ]
  for (const [at, before] of points) {
    const server = await serve(t, { error: { ...failure, at } })
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(3000).closeStream()
    t.strictSame(await client.closed, { messages: [...before, frame], closeCode: 1000 }, JSON.stringify(at))
    t.strictSame(server.sessions[0]?.error, failure)
  }
})

t.test('40: an error takes every shape', async t => {
  const body = { code: 8, message: 'quota', details: [] }
  const shapes: [NonNullable<Faults['error']>['shape'], unknown][] = [
    ['object', { error: body }],
    ['text', { error: 'quota' }],
    ['flat', { code: 8, message: 'quota' }],
    ['result.error', { result: { error: body } }],
    ['result.status', { result: { status: body } }],
  ]
  for (const [shape, frame] of shapes) {
    const error = { code: 8, message: 'quota', shape, at: 'config' } as const
    t.strictSame(await answer(t, { error }), { messages: [frame], closeCode: 1000 })
  }
})

t.test('42: the connection is cut right behind the error frame', async t => {
  const error = { code: 13, message: 'gone', at: { afterAudioMs: 500 }, racingClose: true } as const
  const server = await serve(t, { error })
  const client = await WireClient.connect(server.url)
  const ended = once(server, 'session')
  client.configure().sendAudio(500)
  const { messages } = await client.closed
  t.strictSame(messages, [{ error: { code: 13, message: 'gone', details: [] } }])
  await ended
  t.equal(server.sessions[0]?.closeCode, 1006, 'the server did not wait for the close of the client')
})

t.test('43, 45: the server never closes, with usage or without', async t => {
  for (const [shape, expected] of [
    ['number', BASELINE],
    ['missing', BASELINE.slice(0, -1)],
  ] as const) {
    const server = await serve(t, { end: { neverClose: true }, usage: shape })
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(3000).closeStream()
    t.strictSame(await client.messages(expected.length), expected)
    // A pong is read after all that was sent before it: nothing else is on its way.
    client.socket.ping()
    await once(client.socket, 'pong')
    t.equal(client.socket.readyState, WebSocket.OPEN)
    t.equal((await client.messages(0)).length, expected.length)
    const ended = once(server, 'session')
    client.socket.close(1001)
    await ended
    t.equal(server.sessions[0]?.closeCode, 1001)
  }
})

t.test('46: the last final comes late', async t => {
  const clock = heldClock()
  const server = await serve(t, { end: { finalDelayMs: 5000 } }, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000).closeStream()
  await client.messages(2)
  client.socket.ping()
  await once(client.socket, 'pong')
  t.strictSame(await client.messages(0), [STARTED, interim('lamp')])
  await clock.pass(5000)
  const { messages, closeCode } = await client.closed
  t.match(messages.slice(-2), [final('lamp'), { result: { usage: { transcribedAudioMs: 1000 } } }])
  t.equal(closeCode, 1000)
})

t.test('46: a client that leaves meanwhile ends the wait', async t => {
  const clock = heldClock()
  const server = await serve(t, { end: { finalDelayMs: 5000 } }, { startTimer: clock.startTimer })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000).closeStream()
  await client.messages(2)
  const ended = once(server, 'session')
  client.socket.terminate()
  await ended
  t.equal(server.sessions[0]?.closeCode, 1006)
})

t.test('47: only an interim comes, then close 1000', async t => {
  const server = await serve(t, { end: { interimOnly: true }, usage: 'missing' })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000).closeStream()
  const { messages, closeCode } = await client.closed
  t.strictSame(messages[1], interim('lamp'))
  t.strictSame(messages.at(-1), interim('lamp'))
  t.notMatch(JSON.stringify(messages), /"isFinal":true/)
  t.equal(closeCode, 1000)
})

t.test('48: what is pending at closeStream comes as several finals', async t => {
  const server = await serve(t, { end: { splitFinals: true } })
  const client = await WireClient.connect(server.url)
  client.configure({ includeWordTimestamps: true }).sendAudio(1500).closeStream()
  const { messages } = await client.closed
  const word = (transcript: string, startTimeMs: number, endTimeMs: number) => ({
    ...{ transcript, isFinal: true, voiceProfile: null },
    wordTimestamps: [{ word: transcript, confidence: 0.9, startTimeMs, endTimeMs }],
  })
  t.strictSame(messages.slice(-3), [
    { result: { transcription: word('lamp', 500, 900) } },
    { result: { transcription: word('on', 900, 1300) } },
    usage(1500),
  ])
  const whole = await answer(t, { end: { splitFinals: true } })
  t.strictSame(whole.messages, BASELINE, 'a final before closeStream stays whole')
})

t.test('49: the connection closes with any code, or is cut, in mid-turn and at the end', async t => {
  for (const code of [1001, 1006, 1008, 1011]) {
    const midTurn = await answer(t, { close: { code, at: { afterAudioMs: 1000 } } })
    t.strictSame(midTurn, { messages: [STARTED, interim('lamp')], closeCode: code })
    const atEnd = await answer(t, { close: { code, at: 'closeStream' } })
    t.strictSame(atEnd, { messages: BASELINE.slice(0, -1), closeCode: code })
  }
})

t.test('49: at its maximum duration a connection gets its finals and usage before the close', async t => {
  for (const code of [1000, 1001, 1006, 1008]) {
    const close = { code, at: { afterAudioMs: 1000 }, afterFinals: true }
    const stopped = { result: { speechStopped: { silenceDurationMs: 0 } } }
    t.strictSame(await answer(t, { close }), {
      messages: [STARTED, interim('lamp'), stopped, final('lamp'), usage(1000)],
      closeCode: code,
    })
    const atEnd = await answer(t, { close: { code, at: 'closeStream', afterFinals: true } })
    t.strictSame(atEnd, { messages: BASELINE, closeCode: code })
  }
})

t.test('50: a connection that is cut without closeStream loses its turn', async t => {
  const server = await serve(t, {})
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1300)
  await client.messages(3)
  const ended = once(server, 'session')
  client.socket.terminate()
  await ended
  t.strictSame(server.sessions[0]?.sent, [STARTED, ...INTERIMS])
})

t.test('51: the server stops reading, at once or after so much audio', async t => {
  for (const stopReading of [true, { afterAudioMs: 1000 }] as const) {
    const server = await serve(t, { stopReading })
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(600_000, 1000)
    const record = server.sessions[0]
    let before = -1
    for (let quiet = 0; quiet < 200; quiet = record?.audioMs === before ? quiet + 1 : 0) {
      before = record?.audioMs ?? -1
      await new Promise(setImmediate)
    }
    // What one read from the kernel brought along is still taken: 64 KiB hold two chunks of 1 s.
    t.ok(before <= 4000, `${before} ms were read`)
    t.ok(client.socket.bufferedAmount > 1_000_000)
    client.socket.terminate()
  }
})

t.test('faults by connection: the first fails, the second succeeds', async t => {
  const server = await serve(t, index => (index === 0 ? { upgrade: { status: 503 } } : undefined))
  t.equal((await refusalOf(server.url)).httpStatus, 503)
  const client = await WireClient.connect(server.url)
  t.strictSame((await client.configure().sendAudio(3000).closeStream().closed).messages, BASELINE)
  t.equal(server.sessions[0]?.index, 1)
})

t.test('faults combine', async t => {
  const faults: Faults = { results: { snakeCase: true, bare: true, omitZeros: true }, usage: 'string' }
  const { messages } = await answer(t, faults)
  t.strictSame(messages.slice(-2), [
    { transcription: { transcript: 'lamp on', is_final: true } },
    { usage: { transcribed_audio_ms: '3000', model_id: 'inworld/inworld-stt-1' } },
  ])
})

t.test('a switch that does not exist is refused, in a group too', async t => {
  const refused = (faults: object) => serve(t, faults)
  await t.rejects(refused({ repeatInterims: true }), {
    name: 'TypeError',
    message: /^faults must be one of /,
  })
  await t.rejects(refused({ results: { repeatInterim: true } }), {
    name: 'TypeError',
    message: /^faults\.results must be one of emptyFinalFirst, .*; got repeatInterim$/,
  })
})

import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import {
  scriptedRecognizer,
  startLocalServer,
  type FaultPlan,
  type Faults,
  type LocalServerOptions,
  type ResultFaults,
  type Script,
} from '#dist/testing.js'
import { refusalOf, WireClient } from './fixtures/wire-client.js'

const SCRIPT: Script = [{ startMs: 500, endMs: 1300, text: 'lamp on' }]

async function serve(test: Test, faults: FaultPlan, options: LocalServerOptions = {}) {
  const server = await startLocalServer({ recognizer: scriptedRecognizer(SCRIPT), faults, ...options })
  test.teardown(() => server.close())
  return server
}

/** A clock that stands still until a test moves it. */
function heldClock() {
  const timers = new Set<{ callback: () => void; delayMs: number }>()
  return {
    startTimer: (callback: () => void, delayMs: number) => {
      const timer = { callback, delayMs }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    /** Lets the timers of this delay strike; waits until there is one. */
    async pass(delayMs: number) {
      for (;;) {
        const due = [...timers].filter(timer => timer.delayMs === delayMs)
        for (const timer of due) {
          timers.delete(timer)
          timer.callback()
        }
        if (due.length > 0) return
        await new Promise(setImmediate)
      }
    },
  }
}

/** The whole answer to one scripted turn of 3 s. */
async function answer(test: Test, faults: Faults, fields: Record<string, unknown> = {}) {
  const server = await serve(test, faults)
  const client = await WireClient.connect(server.url)
  return client.configure(fields).sendAudio(3000).closeStream().closed
}

const messagesWith = async (test: Test, results: ResultFaults, fields = {}) =>
  (await answer(test, { results }, fields)).messages

const interim = (transcript: string) => ({
  result: { transcription: { transcript, isFinal: false, wordTimestamps: [], voiceProfile: null } },
})
const final = (transcript: string) => ({
  result: { transcription: { transcript, isFinal: true, wordTimestamps: [], voiceProfile: null } },
})
const STARTED = { result: { speechStarted: { startTimeMs: 500, confidence: 1 } } }
const STOPPED = { result: { speechStopped: { silenceDurationMs: 300 } } }
const USAGE = { result: { usage: { transcribedAudioMs: 3000, modelId: 'inworld/inworld-stt-1' } } }
const INTERIMS = [interim('lamp'), interim('lamp on')]
const BASELINE = [STARTED, ...INTERIMS, STOPPED, final('lamp on'), USAGE]

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
  for (const [usage, expected] of shapes) {
    t.strictSame(await answer(t, { usage }), {
      messages: [...BASELINE.slice(0, -1), ...expected],
      closeCode: 1000,
    })
  }
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
  for (const [usage, expected] of [
    ['number', BASELINE],
    ['missing', BASELINE.slice(0, -1)],
  ] as const) {
    const server = await serve(t, { end: { neverClose: true }, usage })
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

t.test('49: the connection closes with any code, or is cut, in mid-turn and at the end', async t => {
  for (const code of [1001, 1006, 1008, 1011]) {
    const midTurn = await answer(t, { close: { code, at: { afterAudioMs: 1000 } } })
    t.strictSame(midTurn, { messages: [STARTED, interim('lamp')], closeCode: code })
    const atEnd = await answer(t, { close: { code, at: 'closeStream' } })
    t.strictSame(atEnd, { messages: BASELINE.slice(0, -1), closeCode: code })
  }
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

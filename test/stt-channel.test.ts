import { once } from 'node:events'
import t, { type Test } from 'tap'
import { scriptedRecognizer, startLocalServer, type LocalServerOptions, type Script } from '#dist/testing.js'
import { WireClient } from './fixtures/wire-client.js'

const LAMP: Script = [{ startMs: 500, endMs: 1300, text: 'turn the lamp on' }]

async function serve(test: Test, options: LocalServerOptions & { script?: Script } = {}) {
  const { script = LAMP, ...others } = options
  const server = await startLocalServer({ recognizer: scriptedRecognizer(script), ...others })
  test.teardown(() => server.close())
  return server
}

const interim = (transcript: string) => ({
  result: { transcription: { transcript, isFinal: false, wordTimestamps: [], voiceProfile: null } },
})
const final = (transcript: string, wordTimestamps: unknown[] = []) => ({
  result: { transcription: { transcript, isFinal: true, wordTimestamps, voiceProfile: null } },
})
const started = (startTimeMs: number) => ({ result: { speechStarted: { startTimeMs, confidence: 1 } } })
const stopped = (silenceDurationMs: number) => ({ result: { speechStopped: { silenceDurationMs } } })
const usage = (transcribedAudioMs: number, modelId = 'inworld/inworld-stt-1') => ({
  result: { usage: { transcribedAudioMs, modelId } },
})
const error = (code: number, message: string) => ({ error: { code, message, details: [] } })

const GROWING = ['turn', 'turn the', 'turn the lamp', 'turn the lamp on'].map(interim)
const LAMP_TURN = [started(500), ...GROWING, stopped(300), final('turn the lamp on')]

t.test(
  'a turn comes as speechStarted, growing interims, speechStopped, final; usage and close 1000 follow',
  async t => {
    const server = await serve(t)
    const client = await WireClient.connect(server.url)
    client.configure().sendAudio(3000).closeStream()
    t.strictSame(await client.closed, { messages: [...LAMP_TURN, usage(3000)], closeCode: 1000 })
  },
)

t.test('many turns share one connection, and nothing acknowledges the config', async t => {
  const script = [
    { startMs: 200, endMs: 700, text: 'one' },
    { startMs: 2000, endMs: 2600, text: 'two' },
  ]
  const server = await serve(t, { script })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(4000).closeStream()
  const { messages } = await client.closed
  t.strictSame(messages, [
    ...[started(200), interim('one'), stopped(300), final('one')],
    ...[started(2000), interim('two'), stopped(300), final('two')],
    usage(4000),
  ])
})

t.test('word times count from the beginning of the audio, and come only where asked for', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure({ includeWordTimestamps: true }).sendAudio(3000).closeStream()
  const { messages } = await client.closed
  t.strictSame(
    messages.at(-2),
    final('turn the lamp on', [
      { word: 'turn', confidence: 0.9, startTimeMs: 500, endTimeMs: 700 },
      { word: 'the', confidence: 0.9, startTimeMs: 700, endTimeMs: 900 },
      { word: 'lamp', confidence: 0.9, startTimeMs: 900, endTimeMs: 1100 },
      { word: 'on', confidence: 0.9, startTimeMs: 1100, endTimeMs: 1300 },
    ]),
  )
})

t.test('closeStream gives the pending turn its final', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000).closeStream()
  const { messages } = await client.closed
  t.strictSame(messages.slice(-2), [final('turn the'), usage(1000)])
})

t.test('snake_case is read as well, fields as well as outer keys', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  const content = Buffer.alloc(3200).toString('base64')
  client.send({
    transcribe_config: {
      model_id: 'inworld/inworld-stt-1',
      audio_encoding: 'LINEAR16',
      include_word_timestamps: true,
      inworld_stt_v1_config: { vad_threshold: 0 },
    },
  })
  for (let i = 0; i < 8; i++) client.send({ audio_chunk: { content } })
  client.send({ end_turn: {} }).send({ close_stream: {} })
  const { messages } = await client.closed
  t.strictSame(messages, [
    interim('turn'),
    final('turn', [{ word: 'turn', confidence: 0.9, startTimeMs: 500, endTimeMs: 700 }]),
    usage(800),
  ])
})

t.test('manual turns end with endTurn alone, without speech events', async t => {
  const script = [
    { startMs: 0, endMs: 500, text: 'left' },
    { startMs: 2000, endMs: 2500, text: 'right' },
    { startMs: 3000, endMs: 3500, text: 'centre' },
  ]
  const server = await serve(t, { script })
  const client = await WireClient.connect(server.url)
  client.configure({ inworldSttV1Config: { vadThreshold: 0 } })
  client.sendAudio(2600).send({ endTurn: {} }).sendAudio(1000).closeStream()
  const { messages } = await client.closed
  t.strictSame(messages, [
    ...[interim('left'), interim('left right'), final('left right')],
    ...[interim('centre'), final('centre'), usage(3600)],
  ])
})

t.test('a manual turn of 30 s is split, and the next goes on from there', async t => {
  const script = [{ startMs: 29_000, endMs: 31_000, text: 'before after' }]
  const server = await serve(t, { script })
  const client = await WireClient.connect(server.url)
  client
    .configure({ inworldSttV1Config: { vadThreshold: 0 } })
    .sendAudio(32_000, 800)
    .closeStream()
  const { messages } = await client.closed
  t.strictSame(messages, [
    ...[interim('before'), final('before'), interim('after'), final('after')],
    usage(32_000),
  ])
})

t.test('endTurn in automatic mode ends the turn at once', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(1000).send({ endTurn: {} })
  t.strictSame((await client.messages(5)).slice(0, 5), [
    ...[started(500), interim('turn'), interim('turn the'), stopped(0), final('turn the')],
  ])
  client.sendAudio(1500).closeStream()
  const { messages } = await client.closed
  t.strictSame(messages.slice(5), [
    ...[started(1000), interim('lamp'), interim('lamp on'), stopped(300), final('lamp on')],
    usage(2500),
  ])
})

t.test('endTurn with nothing pending yields one empty final', async t => {
  const server = await serve(t, { script: [] })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(500).send({ endTurn: {} }).closeStream()
  t.strictSame((await client.closed).messages, [final(''), usage(500)])
})

t.test('voice activity without words yields an empty final', async t => {
  const server = await serve(t, { script: [{ startMs: 100, endMs: 400, text: '' }] })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(2000).closeStream()
  t.strictSame((await client.closed).messages, [started(100), stopped(300), final(''), usage(2000)])
})

t.test('silence alone brings usage and nothing else', async t => {
  const server = await serve(t, { script: [] })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(2000).closeStream()
  t.strictSame((await client.closed).messages, [usage(2000)])
})

t.test('minEndOfTurnSilenceWhenConfident moves the end of the turn', async t => {
  const script = [
    { startMs: 0, endMs: 500, text: 'one' },
    { startMs: 1000, endMs: 1500, text: 'two' },
  ]
  const finals = async (minEndOfTurnSilenceWhenConfident: number) => {
    const server = await serve(t, { script })
    const client = await WireClient.connect(server.url)
    client
      .configure({ inworldSttV1Config: { minEndOfTurnSilenceWhenConfident } })
      .sendAudio(3500)
      .closeStream()
    const { messages } = await client.closed
    return (messages as ReturnType<typeof final>[])
      .filter(({ result }) => result.transcription?.isFinal)
      .map(({ result }) => result.transcription.transcript)
  }
  t.strictSame(await finals(200), ['one', 'two'])
  t.strictSame(await finals(1200), ['one two'])
})

t.test('a voice profile is null unless it was switched off, then it is absent', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client
    .configure({ voiceProfileConfig: { enableVoiceProfile: false } })
    .sendAudio(800)
    .closeStream()
  t.strictSame((await client.closed).messages.at(-2), {
    result: { transcription: { transcript: 'turn', isFinal: true, wordTimestamps: [] } },
  })
})

for (const [sampleRateHertz, numberOfChannels] of [
  [8000, 1],
  [48_000, 2],
  [44_100, 1],
] as const) {
  t.test(`audio at ${sampleRateHertz} Hz, ${numberOfChannels} channels, keeps the same clock`, async t => {
    const server = await serve(t)
    const client = await WireClient.connect(server.url)
    client.configure({ sampleRateHertz, numberOfChannels: String(numberOfChannels) })
    const chunk = Buffer.alloc((sampleRateHertz / 10) * 2 * numberOfChannels)
    for (let i = 0; i < 30; i++) client.sendChunk(chunk)
    client.closeStream()
    const { messages } = await client.closed
    t.strictSame(messages.at(0), started(500))
    t.strictSame(messages.slice(-2), [final('turn the lamp on'), usage(3000)])
  })
}

t.test('bytes may be cut within a sample', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure()
  for (let i = 0; i < 15; i++) client.sendChunk(Buffer.alloc(3201)).sendChunk(Buffer.alloc(3199))
  client.closeStream()
  t.strictSame((await client.closed).messages, [...LAMP_TURN, usage(3000)])
})

t.test('the audio that reaches the recogniser is the audio that was sent', async t => {
  const pushed: Int16Array[] = []
  const recognizer = {
    name: 'listener',
    open: async () => ({
      onError: undefined,
      start: () => {},
      push: async (pcm: Int16Array) => {
        pushed.push(pcm)
        return ''
      },
      finish: async () => ({ text: '', words: [] }),
      close: async () => {},
    }),
    close: async () => {},
  }
  const server = await startLocalServer({ recognizer })
  t.teardown(() => server.close())
  const client = await WireClient.connect(server.url)
  const samples = Int16Array.from({ length: 16_000 }, (_, index) => (index * 7919) % 30_000)
  const bytes = Buffer.from(samples.buffer)
  client.configure({ inworldSttV1Config: { vadThreshold: 0 } })
  for (let at = 0; at < bytes.length; at += 1111) client.sendChunk(bytes.subarray(at, at + 1111))
  client.closeStream()
  const { closeCode } = await client.closed
  t.equal(closeCode, 1000)
  t.strictSame(
    Buffer.concat(pushed.map(pcm => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength))),
    bytes,
  )
})

t.test('a config that is missing, unwrapped or late is answered by a close without a frame', async t => {
  const silently = { messages: [], closeCode: 1000 }
  const server = await serve(t)
  const connect = () => WireClient.connect(server.url)
  const bare = { modelId: 'inworld/inworld-stt-1', audioEncoding: 'LINEAR16' }
  t.strictSame(await (await connect()).send(bare).closed, silently, 'unwrapped')
  t.strictSame(await (await connect()).sendAudio(100).configure().closed, silently, 'audio first')
  t.strictSame(await (await connect()).closeStream().closed, silently, 'closeStream first')
  t.strictSame(await (await connect()).send('not json').closed, silently, 'no JSON')

  let expire = () => {}
  const waiting = await serve(t, {
    startTimer: (callback, delayMs) => {
      if (delayMs === 3000) expire = callback
      return () => {}
    },
    limits: { configTimeoutMs: 3000 },
  })
  const client = await WireClient.connect(waiting.url)
  expire()
  t.strictSame(await client.closed, silently, 'late')
})

t.test('a config that the service refuses brings code 3, then close 1000', async t => {
  const server = await serve(t)
  const cases: [Record<string, unknown>, RegExp | string][] = [
    [{ modelId: 'inworld/stt-v1' }, 'No STT client found for model: inworld/stt-v1'],
    [{ modelId: 'nobody/nothing' }, 'No STT client found for model: nobody/nothing'],
    [{ modelId: '' }, 'invalid transcribe config: model_id is required'],
    [{ modelId: null }, 'invalid transcribe config: model_id is required'],
    [{ modelId: 7 }, /^invalid transcribe config: modelId/],
    [{ audioEncoding: 'MP3' }, /^invalid transcribe config: audio_encoding must be LINEAR16; got MP3$/],
    [{ audioEncoding: null }, /^invalid transcribe config: audio_encoding/],
    [{ sampleRateHertz: 100 }, /^invalid transcribe config: sampleRateHertz/],
    [{ sampleRateHertz: 'fast' }, /^invalid transcribe config: sampleRateHertz/],
    [{ numberOfChannels: 9 }, /^invalid transcribe config: numberOfChannels/],
    [{ prompts: ['plain words', 'user@example.com'] }, /^invalid transcribe config: prompts/],
    [{ prompts: ['a\u0000b'] }, /^invalid transcribe config: prompts/],
    [{ prompts: 'one' }, /^invalid transcribe config: prompts/],
    [{ assemblyaiConfig: {} }, /^invalid transcribe config: assemblyaiConfig does not belong/],
    [{ modelId: 'soniox/stt-rt-v4', inworldSttV1Config: {} }, /inworldSttV1Config does not belong/],
    [{ endOfTurnConfidenceThreshold: 1.5 }, /^invalid transcribe config: endOfTurnConfidenceThreshold/],
    [
      { inworldSttV1Config: { vadThreshold: 2 } },
      /^invalid transcribe config: inworldSttV1Config.vadThreshold/,
    ],
    [
      { inworldSttV1Config: { maxTurnSilence: 100, minEndOfTurnSilenceWhenConfident: 200 } },
      /^invalid transcribe config: inworldSttV1Config: max_turn_silence/,
    ],
    [
      { voiceProfileConfig: { topN: 3 } },
      /^invalid transcribe config: voiceProfileConfig.enableVoiceProfile/,
    ],
  ]
  for (const [fields, message] of cases) {
    const client = await WireClient.connect(server.url)
    const { messages, closeCode } = await client.configure(fields).closed
    t.match(messages, [{ error: { code: 3, message, details: [] } }], JSON.stringify(fields))
    t.equal(messages.length, 1)
    t.equal(closeCode, 1000)
  }
})

t.test(
  'every model of the table is taken, with the block of its vendor; unknown fields are dropped',
  async t => {
    const server = await serve(t)
    const configs = [
      { modelId: 'assemblyai/u3-rt-pro', assemblyaiConfig: { vadThreshold: 0.4, prompt: 'x' } },
      { modelId: 'soniox/stt-rt-v5', sonioxConfig: { context: { general: { a_b: 'c' }, terms: ['term'] } } },
      { modelId: 'deepgram/flux-general-en' },
      { modelId: 'groq/whisper-large-v3', groqConfig: { temperature: 0 } },
      {
        language: 'en-US',
        prompts: ["Don't, (really)!"],
        audioEncoding: 'AUTO_DETECT',
        aField: { of: 'tomorrow' },
      },
      { language: null, prompts: null, inworldSttV1Config: null },
    ]
    for (const config of configs) {
      const client = await WireClient.connect(server.url)
      client.configure(config).sendAudio(3000).closeStream()
      const { messages } = await client.closed
      t.match(messages.slice(-2), [
        { result: { transcription: { transcript: 'turn the lamp on', isFinal: true } } },
        usage(3000, config.modelId),
      ])
    }
  },
)

t.test('language, prompts and model reach the recogniser', async t => {
  let opened: unknown
  const scripted = scriptedRecognizer(LAMP)
  const recognizer = { ...scripted, open: (options: never) => ((opened = options), scripted.open(options)) }
  const server = await serve(t, { recognizer })
  const client = await WireClient.connect(server.url)
  client.configure({
    modelId: 'soniox/stt-rt-v4',
    language: 'en-GB',
    prompts: ['lamp'],
    sonioxConfig: { context: { terms: ['shade'] } },
  })
  await client.closeStream().closed
  t.strictSame(opened, { language: 'en-GB', modelId: 'soniox/stt-rt-v4', prompts: ['lamp', 'shade'] })
})

t.test('a chunk outside 20 to 1000 ms is refused, the bounds themselves are not', async t => {
  const server = await serve(t, { script: [] })
  const outcome = async (bytes: number, modelId = 'inworld/inworld-stt-1') => {
    const client = await WireClient.connect(server.url)
    client.configure({ modelId }).sendChunk(Buffer.alloc(bytes)).closeStream()
    return (await client.closed).messages
  }
  const refused = [error(3, 'invalid audio chunk duration')]
  t.strictSame(await outcome(638), refused)
  t.strictSame(await outcome(640), [usage(20)])
  t.strictSame(await outcome(32_000), [usage(1000)])
  t.strictSame(await outcome(32_002), refused)
  t.strictSame(await outcome(0), refused)
  t.strictSame(await outcome(1598, 'assemblyai/u3-rt-pro'), refused, '50 ms for AssemblyAI')
  t.strictSame(await outcome(1600, 'assemblyai/u3-rt-pro'), [usage(50, 'assemblyai/u3-rt-pro')])
})

t.test('an error comes after the results of the audio before it', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(3000).sendChunk(Buffer.alloc(2)).sendAudio(1000).closeStream()
  const { messages, closeCode } = await client.closed
  t.strictSame(messages, [...LAMP_TURN, error(3, 'invalid audio chunk duration')])
  t.equal(closeCode, 1000)
})

t.test('binary frames are ignored', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.socket.send(Buffer.alloc(3200))
  client.configure()
  client.socket.send(Buffer.alloc(3200))
  client.sendAudio(3000).closeStream()
  t.strictSame((await client.closed).messages, [...LAMP_TURN, usage(3000)])
})

t.test('a RIFF header in the audio makes the stream silent, not an error', async t => {
  const server = await serve(t)
  const header = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), Buffer.alloc(28)])
  for (const first of [header, Buffer.concat([header, Buffer.alloc(3200)])]) {
    const client = await WireClient.connect(server.url)
    client.configure().sendChunk(first).sendAudio(3000).send({ endTurn: {} }).closeStream()
    const { messages, closeCode } = await client.closed
    t.match(messages, [{ result: { usage: { modelId: 'inworld/inworld-stt-1' } } }])
    t.equal(messages.length, 1)
    t.equal(closeCode, 1000)
  }
})

t.test('a message that cannot be read is code 3', async t => {
  const server = await serve(t, { script: [] })
  const invalid: [unknown, string][] = [
    [{ audioChunk: { content: 'AA$A' } }, 'proto: invalid value for bytes field content'],
    [{ audioChunk: { content: 'AAAAA' } }, 'proto: invalid value for bytes field content'],
    [{ audioChunk: { content: 5 } }, 'proto: invalid value for bytes field content'],
    [{ audioChunk: [] }, 'proto: invalid value for message field audioChunk'],
    ['{"audioChunk":', 'proto: syntax error: a JSON object was expected'],
    ['[]', 'proto: syntax error: a JSON object was expected'],
    [{ endTurn: {}, closeStream: {} }, 'proto: one message holds one kind; got endTurn, closeStream'],
  ]
  for (const [message, text] of invalid) {
    const client = await WireClient.connect(server.url)
    const { messages, closeCode } = await client.configure().send(message).closed
    t.strictSame(messages, [error(3, text)])
    t.equal(closeCode, 1000)
  }
})

t.test('base64 without padding or in the URL-safe alphabet is read', async t => {
  const server = await serve(t, { script: [] })
  const client = await WireClient.connect(server.url)
  const audio = Buffer.alloc(640, 0xff)
  client.configure().send({ audioChunk: { content: audio.toString('base64url') } })
  client.send({ audioChunk: { content: audio.toString('base64').replace(/=+$/, '') } }).closeStream()
  t.strictSame((await client.closed).messages, [usage(40)])
})

t.test('messages of an unknown kind are dropped', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure().send({}).send({ audioChunks: {} }).send({ endTurn: null }).sendAudio(3000).closeStream()
  t.strictSame((await client.closed).messages, [...LAMP_TURN, usage(3000)])
})

t.test('a second config is an error', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  const { messages, closeCode } = await client.configure().configure().closed
  t.strictSame(messages, [error(3, 'transcribe_config may be sent only once')])
  t.equal(closeCode, 1000)
})

t.test('inactivityTimeoutSeconds without audio ends the stream as closeStream does', async t => {
  const timers: { callback: () => void; delayMs: number; cancelled: boolean }[] = []
  const server = await serve(t, {
    startTimer: (callback, delayMs) => {
      const timer = { callback, delayMs, cancelled: false }
      timers.push(timer)
      return () => (timer.cancelled = true)
    },
  })
  const client = await WireClient.connect(server.url)
  client.configure({ inactivityTimeoutSeconds: 7 }).sendAudio(1000)
  await client.messages(3)
  const running = timers.filter(({ delayMs, cancelled }) => delayMs === 7000 && !cancelled)
  t.equal(running.length, 1, 'each chunk starts it anew')
  running[0]?.callback()
  const { messages, closeCode } = await client.closed
  t.strictSame(messages.slice(-2), [final('turn the'), usage(1000)])
  t.equal(closeCode, 1000)
})

t.test('an inactivity timeout longer than any timer does not strike', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure({ inactivityTimeoutSeconds: 2 ** 31 - 1 }).sendAudio(3000)
  await client.messages(LAMP_TURN.length)
  client.socket.ping()
  await once(client.socket, 'pong')
  t.equal(client.socket.readyState, client.socket.OPEN)
  client.closeStream()
  t.strictSame((await client.closed).messages, [...LAMP_TURN, usage(3000)])
})

t.test('a session limit ends the stream as closeStream does', async t => {
  let expire = () => {}
  const server = await serve(t, {
    limits: { sessionMs: 60_000 },
    startTimer: (callback, delayMs) => {
      if (delayMs === 60_000) expire = callback
      return () => {}
    },
  })
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(3000)
  await client.messages(LAMP_TURN.length)
  expire()
  t.strictSame(await client.closed, { messages: [...LAMP_TURN, usage(3000)], closeCode: 1000 })
})

t.test('a message above the limit is close code 1009', async t => {
  const server = await serve(t, { limits: { maxMessageBytes: 1000 } })
  const client = await WireClient.connect(server.url)
  t.equal((await client.configure().sendAudio(100).closed).closeCode, 1009)
})

t.test('random and hostile messages never break the server', async t => {
  const server = await serve(t)
  let seed = 42
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed % below
  }
  const scalars = [null, true, 0, -1, 1e308, '', 'LINEAR16', '__proto__', 'AAAA', '\u0000', [], {}]
  const keys = [
    'transcribeConfig',
    'audioChunk',
    'content',
    'modelId',
    'model_id',
    '__proto__',
    'constructor',
    'prompts',
  ]
  const value = (depth: number): unknown => {
    if (depth === 0 || random(3) === 0) return scalars[random(scalars.length)]
    if (random(3) === 0) return Array.from({ length: random(4) }, () => value(depth - 1))
    const entries = Array.from(
      { length: random(4) },
      () => [keys[random(keys.length)], value(depth - 1)] as const,
    )
    return Object.fromEntries(entries)
  }
  const hostile = [
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    `{"transcribeConfig":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
    '{"transcribeConfig":{"__proto__":{"modelId":"inworld/inworld-stt-1"},"constructor":1}}',
    JSON.stringify({ transcribeConfig: { modelId: 'x'.repeat(500_000), audioEncoding: 'LINEAR16' } }),
  ]
  const fuzz = Array.from({ length: 150 }, () => JSON.stringify(value(5)))
  for (const message of [...hostile, ...fuzz]) {
    const first = await WireClient.connect(server.url)
    first.send(message).send(message).closeStream()
    t.equal((await first.closed).closeCode, 1000)
    const second = await WireClient.connect(server.url)
    second.configure().send(message).closeStream()
    t.equal((await second.closed).closeCode, 1000)
  }
  const client = await WireClient.connect(server.url)
  client.configure().sendAudio(3000).closeStream()
  t.strictSame((await client.closed).messages, [...LAMP_TURN, usage(3000)])
})

import t, { type Test } from 'tap'
import { resolveOptions, withConfigChanges } from '#dist/options.js'
import { wireConfig } from './fixtures/wire-config.js'

const url = 'ws://127.0.0.1:1/'
const cloud = 'wss://stt.example/'
const refuse = (t: Test, options: object, type: typeof TypeError | typeof RangeError, message: RegExp) =>
  t.throws(() => resolveOptions({ url, ...options }), { name: type.name, message }, String(message))

t.test('fills in the defaults and asks the wire for word times', async t => {
  const { session, frame, paceRate, local } = resolveOptions({ url })
  t.strictSame(session.config, wireConfig)
  t.strictSame(frame, { frameMs: 100, minFrameMs: 20, startMs: 0 })
  t.equal(local, false)
  t.equal(paceRate, false)
})

t.test('passes every field of transcribeConfig, typed ones and unknown ones', async t => {
  const fields = {
    modelId: 'inworld/inworld-stt-1',
    language: 'en-US',
    inactivityTimeoutSeconds: 30,
    endOfTurnConfidenceThreshold: 0.6,
    prompts: ['Inworld', "it's 9 o'clock, isn't it?"],
    enableSpeakerDiarization: true,
    inworldSttV1Config: { vadThreshold: 0, minEndOfTurnSilenceWhenConfident: 250, maxTurnSilence: 900 },
    voiceProfileConfig: { enableVoiceProfile: true, topN: 3 },
  }
  const { config } = resolveOptions({
    url,
    ...fields,
    transcribeConfig: { future: { a: 1 }, language: 'de' },
  }).session
  t.match(config, { ...fields, language: 'de', future: { a: 1 } })
  for (const [vendor, block] of Object.entries({
    groq: { groqConfig: { temperature: 0.5 } },
    assemblyai: { assemblyaiConfig: { maxTurnSilence: 900, vadThreshold: 0.2, prompt: 'p' } },
    soniox: {
      sonioxConfig: {
        languageHints: ['en'],
        maxEndpointDelayMs: 500,
        context: { terms: ['a'], general: { topic: 'b' } },
      },
    },
  })) {
    t.match(resolveOptions({ url, modelId: `${vendor}/any-model`, ...block }).session.config, block)
  }
})

t.test('refuses misspelt and mistyped options by name', async t => {
  refuse(t, { lanugage: 'en' }, TypeError, /unknown option 'lanugage'$/)
  refuse(t, { frame_ms: 100 }, TypeError, /unknown option 'frame_ms'; it is spelt 'frameMs'$/)
  refuse(t, { model_id: 'a/b' }, TypeError, /unknown option 'model_id'; it is spelt 'modelId'$/)
  refuse(
    t,
    { inworldSttV1Config: { vadTreshold: 0 } },
    TypeError,
    /unknown option of inworldSttV1Config 'vadTreshold'. The service drops/,
  )
  refuse(t, { language: 5 }, TypeError, /^language: .*BCP-47.*got 5/)
  refuse(t, { interimResults: 'yes' }, TypeError, /^interimResults: .*boolean.*got string/)
  refuse(t, { signal: {} }, TypeError, /^signal: .*AbortSignal/)
  refuse(t, { apiKey: 42 }, TypeError, /^apiKey: .*string or a function/)
  refuse(t, { pace: 'fast' }, TypeError, /^pace: /)
  refuse(t, { input: 'raw' }, TypeError, /^input: /)
  t.throws(() => resolveOptions(null as never), {
    name: 'TypeError',
    message: /options must be an object; got null/,
  })
})

t.test('refuses values out of range', async t => {
  refuse(t, { frameMs: 19 }, RangeError, /^frameMs: .*20.*got 19/)
  refuse(t, { frameMs: 1_001 }, RangeError, /^frameMs/)
  refuse(t, { frameMs: 99.5 }, RangeError, /^frameMs/)
  refuse(t, { frameMs: 40, modelId: 'assemblyai/u3-rt-pro' }, RangeError, /at least 50 ms/)
  const passed = { transcribeConfig: { modelId: 'assemblyai/u3-rt-pro' } }
  refuse(t, { frameMs: 40, ...passed }, RangeError, /at least 50 ms/)
  t.equal(resolveOptions({ url, ...passed }).frame.minFrameMs, 50)
  refuse(t, { endOfTurnConfidenceThreshold: 1.1 }, RangeError, /^endOfTurnConfidenceThreshold/)
  refuse(t, { inworldSttV1Config: { vadThreshold: -0.1 } }, RangeError, /^inworldSttV1Config.vadThreshold/)
  refuse(
    t,
    { inworldSttV1Config: { maxTurnSilence: 100, minEndOfTurnSilenceWhenConfident: 200 } },
    RangeError,
    /maxTurnSilence: expected at least .*200 ms.*got 100/,
  )
  refuse(t, { voiceProfileConfig: { enableVoiceProfile: true, topN: 21 } }, RangeError, /topN/)
  refuse(t, { pace: 0 }, RangeError, /^pace/)
  refuse(t, { pace: -1 }, RangeError, /^pace/)
  refuse(t, { finishTimeoutMs: 0 }, RangeError, /^finishTimeoutMs/)
  refuse(t, { idleTimeoutMs: NaN }, RangeError, /^idleTimeoutMs/)
  refuse(
    t,
    { input: { encoding: 's16le', sampleRateHertz: 3_999, channels: 1 } },
    RangeError,
    /^input.sampleRateHertz/,
  )
  refuse(
    t,
    { input: { encoding: 's16le', sampleRateHertz: 8_000, channels: 9 } },
    RangeError,
    /^input.channels/,
  )
  refuse(t, { input: { encoding: 'mp3', sampleRateHertz: 8_000, channels: 1 } }, TypeError, /^input.encoding/)
})

t.test('takes channels or a mix, and refuses what does not fit the declared input', async t => {
  const input = { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 2 } as const
  const unset = { channels: undefined, mix: undefined, quality: undefined }
  t.strictSame(resolveOptions({ url }).resample, unset)
  t.strictSame(resolveOptions({ url, channels: [7] }).resample, { ...unset, channels: [7] })
  t.strictSame(resolveOptions({ url, input, mix: [1, 0] }).resample, { ...unset, mix: [1, 0] })
  t.strictSame(resolveOptions({ url, resamplerQuality: 'fast' }).resample, { ...unset, quality: 'fast' })
  t.match(resolveOptions({ url, input, channels: 'separate' }), { resample: unset, separate: true })
  refuse(t, { resamplerQuality: 'best' }, TypeError, /^resamplerQuality: /)
  refuse(
    t,
    { channels: 0 },
    TypeError,
    /^channels: an array of channels, counted from 0, or 'separate'; got 0/,
  )
  refuse(t, { mix: 'left' }, TypeError, /^mix: an array of a gain for each channel; got string/)
  refuse(t, { channels: [8] }, RangeError, /^channels must be .*got \[8\]/)
  refuse(t, { channels: [0], mix: [1] }, TypeError, /^channels and mix exclude one another/)
  refuse(
    t,
    { channels: 'separate', mix: [1] },
    TypeError,
    /^channels: 'separate' and mix exclude one another/,
  )
  refuse(t, { channels: 'left' }, TypeError, /^channels: .*got string/)
  refuse(t, { mergeWaitMs: -1 }, RangeError, /^mergeWaitMs: /)
  refuse(t, { input, channels: [2] }, RangeError, /^channels must name .*2 channels.*got 2/)
  refuse(t, { input, mix: [1] }, RangeError, /^mix must have a gain for each .*got 1/)
})

t.test('refuses what is the pipeline own business, naming input', async t => {
  for (const field of ['audioEncoding', 'sampleRateHertz', 'numberOfChannels', 'sample_rate_hertz']) {
    refuse(t, { [field]: 1 }, TypeError, new RegExp(`^${field}.*'input'`))
    refuse(
      t,
      { transcribeConfig: { [field]: 1 } },
      TypeError,
      new RegExp(`^transcribeConfig.${field}.*'input'`),
    )
  }
})

t.test('checks the config that is sent: options and what is passed through, together', async t => {
  refuse(t, { modelId: 'soniox/a', inworldSttV1Config: {} }, TypeError, /expected a model inworld/)
  refuse(
    t,
    { inworldSttV1Config: {}, transcribeConfig: { modelId: 'soniox/a' } },
    TypeError,
    /a model inworld/,
  )
  refuse(
    t,
    { inworldSttV1Config: {}, transcribeConfig: { groqConfig: {} } },
    TypeError,
    /exclude one another/,
  )
  refuse(t, { transcribeConfig: { model_id: 'a/b' } }, TypeError, /^model_id: .*'modelId'/)
  const speakers = { enableSpeakerDiarization: true }
  t.match(resolveOptions({ url, ...speakers }).session.config, { includeWordTimestamps: true, ...speakers })
  refuse(t, { ...speakers, transcribeConfig: { includeWordTimestamps: false } }, TypeError, /^enableSpeaker/)
})

t.test('takes ws, wss and local as url, and only those', async t => {
  for (const bad of ['http://a/', 'a', '', 'locale', 'file:///x'])
    refuse(t, { url: bad }, TypeError, /^url must be a ws: or wss: URL or 'local'/)
  t.ok(resolveOptions({ url: 'local' }).local)
})

t.test('gives the local server the time that a busy machine takes, unless told otherwise', async t => {
  const deadlines = { handshakeTimeoutMs: 120_000, finishTimeoutMs: 120_000 }
  t.match(resolveOptions({ url: 'local' }).session, deadlines)
  const given = { handshakeTimeoutMs: 50, finishTimeoutMs: 60 }
  t.match(resolveOptions({ url: 'local', ...given }).session, given)
  t.equal(resolveOptions({ url }).session.handshakeTimeoutMs, undefined, 'the default of connections')
})

t.test('paces at real time but for the local server and loopback', async t => {
  t.equal(resolveOptions({ url: cloud }).paceRate, 1.001, 'and no live source is held back')
  for (const loopback of ['local', url, 'ws://localhost:8765/', 'ws://[::1]:1/']) {
    t.equal(resolveOptions({ url: loopback }).paceRate, false, loopback)
  }
  t.equal(resolveOptions({ url, pace: 'realtime' }).paceRate, 1)
  t.equal(resolveOptions({ url: cloud, pace: 4 }).paceRate, 4)
  t.equal(resolveOptions({ url: cloud, pace: false }).paceRate, false)
})

t.test('wants a key for the service, takes it from the environment, and sends that nowhere else', async t => {
  t.intercept(process, 'env', { value: { ...process.env, INWORLD_API_KEY: '' } })
  t.throws(() => resolveOptions(), { name: 'TypeError', message: /INWORLD_API_KEY.*url: 'local'/ })
  t.intercept(process, 'env', { value: { ...process.env, INWORLD_API_KEY: 'c2VjcmV0' } })
  t.equal(resolveOptions().session.apiKey, 'c2VjcmV0')
  t.notOk('apiKey' in resolveOptions({ url: cloud }).session)
})

t.test('never shows a value that may be a secret', async t => {
  try {
    resolveOptions({ url, apiKey: { toString: () => 'hunter2' } as never, headers: { 'x-key': 5 } as never })
    t.fail('accepted')
  } catch (error) {
    t.notMatch((error as Error).message, /hunter2/)
  }
})

t.test('lets a change win over what was passed through', async t => {
  const before = { url, transcribeConfig: { language: 'en', novelty: 1 } }
  const changed = withConfigChanges(before, { language: 'de', transcribeConfig: { other: 2 } })
  t.match(resolveOptions(changed).session.config, { language: 'de', novelty: 1, other: 2 })
  t.throws(() => withConfigChanges(before, { frameMs: 50 } as never), {
    name: 'TypeError',
    message: /'frameMs' cannot be changed/,
  })
})

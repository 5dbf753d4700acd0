import t, { type Test } from 'tap'
import {
  changeTranscribeConfig,
  checkTranscribeConfig,
  WHOLE_FILE_ENCODINGS,
} from '#dist/stt/config-guard.js'
import { wireConfig } from './fixtures/wire-config.js'

const accept = (t: Test, fields: object, name = JSON.stringify(fields)) =>
  t.doesNotThrow(() => checkTranscribeConfig({ ...wireConfig, ...fields }), name)
const refuse = (t: Test, fields: object, error: typeof TypeError | typeof RangeError, message: RegExp) =>
  t.throws(
    () => checkTranscribeConfig({ ...wireConfig, ...fields }),
    { name: error.name, message },
    String(message),
  )
const inworld = (fields: object) => ({ inworldSttV1Config: fields })
const assemblyai = (fields: object) => ({ modelId: 'assemblyai/u3-rt-pro', assemblyaiConfig: fields })
const soniox = (fields: object) => ({ modelId: 'soniox/stt-rt-v4', sonioxConfig: fields })

t.test('lets pass what it does not know', async t => {
  accept(t, { modelId: 'acme/next-year' })
  accept(t, { future: { any_case: [1, null] }, inworldConfig: { voiceProfileThreshold: 0.5 } })
  accept(t, inworld({ future_field: 1 }))
  accept(t, soniox({ context: { general: { Terms: 'a key of the caller' } } }))
})

t.test('refuses an encoding that is not streamed', async t => {
  accept(t, { audioEncoding: 'AUTO_DETECT' })
  for (const audioEncoding of ['MP3', 'AUDIO_ENCODING_UNSPECIFIED', 'linear16', '']) {
    const message = new RegExp(
      `^audioEncoding: expected LINEAR16 .*got '${audioEncoding}'. The service streams`,
    )
    refuse(t, { audioEncoding }, TypeError, message)
  }
  refuse(t, { audioEncoding: undefined }, TypeError, /^audioEncoding: .*got undefined/)
  const file = { modelId: 'groq/whisper-large-v3', audioEncoding: 'FLAC' }
  t.doesNotThrow(() => checkTranscribeConfig(file, WHOLE_FILE_ENCODINGS))
})

t.test('refuses blocks of another vendor, and two of them', async t => {
  const blocks = {
    groq: 'groqConfig',
    assemblyai: 'assemblyaiConfig',
    inworld: 'inworldSttV1Config',
    soniox: 'sonioxConfig',
  }
  for (const [vendor, block] of Object.entries(blocks)) {
    accept(t, { modelId: `${vendor}/any`, [block]: {} })
    refuse(
      t,
      { modelId: 'deepgram/flux', [block]: {} },
      TypeError,
      new RegExp(`^${block}: .*${vendor}/\\*; .*code 3`),
    )
    refuse(t, { modelId: `${vendor}x/any`, [block]: {} }, TypeError, new RegExp(`^${block}`))
  }
  refuse(
    t,
    { ...inworld({}), groqConfig: {} },
    TypeError,
    /groqConfig and inworldSttV1Config exclude.*code 3/,
  )
})

t.test('refuses numbers out of range', async t => {
  const ranges: [object, object, RegExp][] = [
    [
      { endOfTurnConfidenceThreshold: 1 },
      { endOfTurnConfidenceThreshold: 1.01 },
      /^endOfTurn.*0 to 1; got 1.01/,
    ],
    [{ inactivityTimeoutSeconds: 0 }, { inactivityTimeoutSeconds: -1 }, /^inactivity.*from 0 s; got -1/],
    [{ inactivityTimeoutSeconds: 1 }, { inactivityTimeoutSeconds: 1.5 }, /^inactivity.*integer.*got 1.5/],
    [
      inworld({ vadThreshold: 0 }),
      inworld({ vadThreshold: NaN }),
      /^inworldSttV1Config.vadThreshold.*got NaN/,
    ],
    [inworld({ maxTurnSilence: 20 }), inworld({ maxTurnSilence: 19 }), /20 to 5000 ms; got 19\. Outside/],
    [inworld({ maxTurnSilence: 5_000 }), inworld({ maxTurnSilence: 5_001 }), /20 to 5000 ms; got 5001/],
    [assemblyai({ maxTurnSilence: 9_000 }), assemblyai({ maxTurnSilence: -1 }), /from 0 ms; got -1/],
    [
      assemblyai({ vadThreshold: 1 }),
      assemblyai({ vadThreshold: 2 }),
      /^assemblyaiConfig.vadThreshold.*got 2/,
    ],
    [soniox({ maxEndpointDelayMs: 500 }), soniox({ maxEndpointDelayMs: 499 }), /500 to 5000 ms; got 499/],
    [
      { modelId: 'groq/a', groqConfig: { temperature: 1 } },
      { modelId: 'groq/a', groqConfig: { temperature: -0.1 } },
      /^groqConfig.temperature/,
    ],
    [
      { voiceProfileConfig: { enableVoiceProfile: true, topN: 20 } },
      { voiceProfileConfig: { enableVoiceProfile: true, topN: 0 } },
      /^voiceProfileConfig.topN.*1 to 20.*got 0/,
    ],
    [
      inworld({ maxTurnSilence: 300, minEndOfTurnSilenceWhenConfident: 300 }),
      inworld({ maxTurnSilence: 300, minEndOfTurnSilenceWhenConfident: 301 }),
      /^inworldSttV1Config.maxTurnSilence: .*301 ms.*got 300.*code 3/,
    ],
  ]
  for (const [inside, outside, message] of ranges) {
    accept(t, inside)
    refuse(t, outside, RangeError, message)
  }
})

t.test('refuses wrong types', async t => {
  refuse(t, { modelId: '' }, TypeError, /^modelId: .*got ''. .*model_id is required/)
  refuse(t, inworld({ vadThreshold: '0' }), TypeError, /vadThreshold: .*number.*got '0'. .*wrong type/)
  refuse(t, { prompts: 'lamp' }, TypeError, /^prompts: expected an array of strings/)
  refuse(
    t,
    { voiceProfileConfig: { topN: 3 } },
    TypeError,
    /enableVoiceProfile: expected true or false; got undefined/,
  )
  refuse(
    t,
    soniox({ context: { general: { topic: 7 } } }),
    TypeError,
    /context.general.topic: .*string; got number/,
  )
  refuse(t, soniox([]), TypeError, /^sonioxConfig: expected an object; got an array/)
  refuse(
    t,
    { enableSpeakerDiarization: true, includeWordTimestamps: false },
    TypeError,
    /^enableSpeakerDiarization/,
  )
})

t.test('refuses a known field in another spelling, at every depth', async t => {
  const spellings: [object, RegExp][] = [
    [
      { end_of_turn_confidence_threshold: 0.4 },
      /^end_of_turn.*'endOfTurnConfidenceThreshold'. The service drops/,
    ],
    [{ modelID: 'a/b' }, /^modelID: .*'modelId'/],
    [{ inworld_stt_v1_config: {} }, /'inworldSttV1Config'/],
    [{ include_word_timestamps: true }, /'includeWordTimestamps'/],
    [inworld({ vad_threshold: 0 }), /^inworldSttV1Config.vad_threshold: .*'vadThreshold'/],
    [soniox({ context: { TERMS: [] } }), /^sonioxConfig.context.TERMS: .*'terms'/],
    [{ voiceProfileConfig: { enableVoiceProfile: true, topn: 3 } }, /^voiceProfileConfig.topn: .*'topN'/],
  ]
  for (const [fields, message] of spellings) refuse(t, fields, TypeError, message)
})

t.test(
  'takes prompts of letters, digits, spaces and punctuation, and names the first other character',
  async t => {
    accept(t, {
      prompts: [
        "it's 9 o'clock, isn't it?",
        'AT&T (the C++ one) - 50 %',
        '',
        '電話、番号。',
        'نیم\u200cفاصله',
        'हिन्दी',
      ],
    })
    for (const character of ['#', '/', '@', '|', '<', '😀']) {
      const message = new RegExp(`^prompts.1: .*; got ${character.replace('|', '\\|')}\\. .*code 3`)
      refuse(t, { prompts: ['lamp', `secret${character}word`] }, TypeError, message)
    }
    for (const [character, name] of [
      ['\n', 'U+000a'],
      ['\u0000', 'U+0000'],
      ['\u0085', 'U+0085'],
    ]) {
      refuse(t, { prompts: [`a${character}b`] }, TypeError, new RegExp(`got ${name?.replace('+', '\\+')}\\.`))
    }
    try {
      checkTranscribeConfig({ ...wireConfig, prompts: ['secret#word'] })
      t.fail('accepted')
    } catch (error) {
      t.notMatch(String(error), /secret/, 'and shows no more of it')
    }
  },
)

t.test('takes languages of any name, as long as they look like one', async t => {
  for (const language of ['en', 'en-US', 'yue', 'es-419', 'zh-Hant-TW', 'tlh', 'de-DE-1996'])
    accept(t, { language })
  for (const language of ['en_US', 'english', 'auto', 'e', 'en-', 'en-US ', '', 'deutsch (Schweiz)']) {
    refuse(t, { language }, TypeError, /^language: expected a BCP-47 tag .*The service may ignore/)
  }
  accept(t, soniox({ languageHints: ['en', 'de-CH'] }))
  refuse(
    t,
    soniox({ languageHints: ['en', 'de_CH'] }),
    TypeError,
    /^sonioxConfig.languageHints.1: .*got 'de_CH'/,
  )
})

t.test('refuses what JSON cannot hold', async t => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  for (const future of [1n, circle])
    refuse(t, { future }, TypeError, /^transcribeConfig: expected what JSON can hold/)
})

t.test('changes a config: typed fields, passed ones over them, undefined takes away', async t => {
  const before = { ...wireConfig, language: 'en', ...inworld({ vadThreshold: 0.5 }) }
  t.strictSame(changeTranscribeConfig(before, { prompts: ['lamp'] }), { ...before, prompts: ['lamp'] })
  const passed = changeTranscribeConfig(before, {
    language: 'de',
    transcribeConfig: { language: 'fr', future: 1 },
  })
  t.strictSame(passed, { ...before, language: 'fr', future: 1 })
  const moved = { modelId: 'soniox/stt-rt-v4', inworldSttV1Config: undefined, sonioxConfig: {} }
  t.strictSame(JSON.parse(JSON.stringify(changeTranscribeConfig(before, moved))), {
    ...wireConfig,
    language: 'en',
    modelId: 'soniox/stt-rt-v4',
    sonioxConfig: {},
  })
  const wrong: [object, RegExp][] = [
    [{ modelId: 'soniox/stt-rt-v4' }, /^inworldSttV1Config: expected a model inworld/],
    [{ lanugage: 'en' }, /^unknown option 'lanugage'. The service drops/],
    [{ inworldSttV1Config: { vadTreshold: 1 } }, /^unknown option of inworldSttV1Config 'vadTreshold'/],
    [{ sampleRateHertz: 8_000 }, /^sampleRateHertz is the pipeline's own/],
    [
      { transcribeConfig: { audio_encoding: 'MP3' } },
      /^transcribeConfig.audio_encoding is the pipeline's own/,
    ],
  ]
  for (const [changes, message] of wrong)
    t.throws(() => changeTranscribeConfig(before, changes), { name: 'TypeError', message }, String(message))
})

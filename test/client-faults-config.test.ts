import t from 'tap'
import { sttStream, type SttStreamOptions } from '#dist/index.js'
import type { ErrorFault } from '#dist/testing.js'
import { faultRun, FINALS, first, named, SOURCE, texts } from './fixtures/fault-run.js'

/** Faults 10 to 15: what the service does with a config. 11 is among the upgrades: it looks like one. */

t.test('10: an unknown model is the error at once, although the service closes with 1000', async t => {
  const outcome = await faultRun(t, { faults: first({ unknownModel: true }) })
  t.match(outcome.error, {
    code: 'STT_ERR_BAD_REQUEST',
    grpcCode: 3,
    retryable: false,
    message: /No STT client found for model: inworld\/inworld-stt-1/,
  })
  t.equal(outcome.upgrades, 1)
})

t.test('11: the config goes first, wrapped, on every connection', async t => {
  const outcome = await faultRun(t, {
    faults: index => ({
      upgrade: { delayMs: 500 },
      messageBeforeConfig: 'error',
      ...(index === 0 && { close: { code: 1011, at: { afterAudioMs: 1_000 } } }),
    }),
  })
  t.strictSame(texts(outcome), FINALS)
  for (const { messages } of outcome.sessions) {
    t.equal(messages[0]?.kind, 'transcribeConfig')
    t.equal(messages.filter(({ kind }) => kind === 'transcribeConfig').length, 1)
  }
})

t.test('12: what the service would drop in silence throws before anything opens', t => {
  const refused: [string, SttStreamOptions, RegExp][] = [
    ['an option', { langauge: 'en-US' } as SttStreamOptions, /langauge/],
    [
      'a field in another spelling',
      { transcribeConfig: { model_id: 'x/y' } },
      /expected the spelling 'modelId'/,
    ],
    ['an encoding', { transcribeConfig: { audioEncoding: 'FLAC' } }, /audioEncoding/],
    ['a number', { endOfTurnConfidenceThreshold: 2 }, /endOfTurnConfidenceThreshold/],
    ['a field of a block', { inworldSttV1Config: { vad: 0 } } as SttStreamOptions, /'vad'/],
  ]
  for (const [what, options, message] of refused)
    t.throws(() => sttStream({ url: 'ws://127.0.0.1:9', ...options }), { message }, what)
  t.end()
})

t.test('12: a field of tomorrow passes, and does no harm where it is dropped', async t => {
  const outcome = await faultRun(t, { options: { transcribeConfig: { aurora: 'green' } } })
  t.match(outcome.sessions, [{ config: { aurora: 'green' } }])
  t.strictSame(texts(outcome), FINALS)
})

for (const [title, options, message] of [
  ['13: characters that no prompt may hold', { prompts: ['lamp\u0007'] }, /prompts/],
  [
    '14: a provider block of another vendor',
    { sonioxConfig: { languageHints: ['en'] } },
    /sonioxConfig: expected a model soniox/,
  ],
] as [string, SttStreamOptions, RegExp][]) {
  t.test(`${title} throw before anything opens`, t => {
    t.throws(() => sttStream({ url: 'ws://127.0.0.1:9', ...options }), { message })
    t.end()
  })

  t.test(`${title}, by the service's own measure, bring its own words as the error`, async t => {
    const text = 'invalid transcribe config: not to our taste'
    const error: ErrorFault = { code: 3, message: text, at: 'config' }
    const outcome = await faultRun(t, { faults: first({ error }) })
    t.match(outcome.error, { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3, message: text })
    t.equal(outcome.upgrades, 1)
  })
}

for (const secondConfig of ['error', 'ignore', 'close'] as const) {
  t.test(
    `15: a changed config goes over a connection of its own, were a second one to bring ${secondConfig}`,
    async t => {
      const outcome = await faultRun(t, {
        faults: { secondConfig },
        feed: async stream => {
          stream.write(SOURCE.subarray(0, 2_000 * 32))
          await stream.updateConfig({ language: 'en-US' })
          stream.end(SOURCE.subarray(2_000 * 32))
        },
      })
      t.match(named(outcome, 'rotated'), [{ cause: 'config' }])
      t.strictSame(texts(outcome), FINALS)
      t.match(outcome.sessions, [{ config: { language: undefined } }, { config: { language: 'en-US' } }])
      for (const { messages } of outcome.sessions)
        t.equal(messages.filter(({ kind }) => kind === 'transcribeConfig').length, 1)
    },
  )
}

t.test('15: a changed config that is refused leaves the stream as it was', async t => {
  let refusal: unknown
  const outcome = await faultRun(t, {
    faults: index => (index === 1 ? { unknownModel: true } : {}),
    feed: async stream => {
      stream.write(SOURCE.subarray(0, 2_000 * 32))
      refusal = await stream.updateConfig({ modelId: 'inworld/none' }).catch((error: unknown) => error)
      stream.end(SOURCE.subarray(2_000 * 32))
    },
  })
  t.match(refusal, { code: 'STT_ERR_BAD_REQUEST', grpcCode: 3 })
  t.strictSame(texts(outcome), FINALS)
  t.strictSame(named(outcome, 'reconnecting'), [])
})

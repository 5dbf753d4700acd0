import t, { type Test } from 'tap'
import type { TranscriptionEvent } from '#dist/index.js'
import type { Faults, ResultFaults, Script, StrayFrame } from '#dist/testing.js'
import {
  checkRecovery,
  faultRun,
  FINALS,
  first,
  named,
  SOURCE,
  texts,
  type Outcome,
} from './fixtures/fault-run.js'
import { LAMP } from './fixtures/scripted.js'

/** Faults 24 to 38: how results are told, on a connection that holds and over one that breaks in the second turn. */

const interims = ({ events }: Outcome) =>
  events.flatMap(event => (event.type === 'transcription' && !event.isFinal ? [event.transcript] : []))
const BASELINE = ['turn the', 'turn the lamp', 'turn the lamp on', 'thank', 'thank you']
const count = ({ events }: Outcome, type: string) => events.filter(event => event.type === type).length

/** No fault of this kind shows in what is said, and when. */
for (const [title, results, check] of [
  ['24: empty finals before each turn', { emptyFinalFirst: true }],
  [
    '26: interims that come twice',
    { repeatInterims: true },
    (t, outcome) => t.strictSame([...new Set(interims(outcome))], BASELINE),
  ],
  ['26: interims that get shorter in between', { shrinkInterims: true }],
  ['27: zeros that are left out', { omitZeros: true }],
  [
    '28: explicit null and []',
    {},
    (t, { events, sessions }) => {
      t.match(sessions[0]?.sent[1], {
        result: { transcription: { wordTimestamps: [], voiceProfile: null } },
      })
      t.notOk(events.some(event => 'voiceProfile' in event))
    },
  ],
  ['29: keys in snake_case', { snakeCase: true }],
  ['30: payloads without a result', { bare: true }],
  ['31: fields that nobody knows', { unknownFields: true }],
  [
    '31: messages that nobody knows',
    { unknownKinds: true },
    (t, { events }) =>
      t.match(events[0], { type: 'unknown', message: { result: { aurora: { hue: 'green' } } } }),
  ],
  [
    '31: several kinds in one message',
    { severalKinds: true },
    (t, outcome) => t.equal(count(outcome, 'speechStarted'), 2),
  ],
  ['32: speechStopped behind the final', { lateSpeechStopped: true }],
  [
    '32: no speech events',
    { noSpeechEvents: true },
    (t, outcome) => t.equal(count(outcome, 'speechStarted') + count(outcome, 'speechStopped'), 0),
  ],
  ['33: word times as startTimeMs', { wordTimes: 'startTimeMs' }],
  ['33: word times as startTime, in seconds', { wordTimes: 'startTime' }],
  ['33: word times as startTimeSeconds', { wordTimes: 'startTimeSeconds' }],
  [
    '33: a speaker on each word',
    { speaker: 'S1' },
    (t, { finals }) =>
      t.ok(finals.every(({ wordTimestamps }) => wordTimestamps.every(({ speaker }) => speaker === 'S1'))),
  ],
  ['37: each final twice', { repeatFinals: true }],
  ['38: messages in seven fragments', { fragments: 7 }],
  [
    '24, 26, 27, 29, 30, 31, 32, 33, 37, 38: all of these at once',
    {
      ...{ emptyFinalFirst: true, repeatInterims: true, shrinkInterims: true, omitZeros: true },
      ...{ snakeCase: true, bare: true, unknownFields: true, unknownKinds: true, lateSpeechStopped: true },
      ...{ wordTimes: 'startTimeSeconds', repeatFinals: true, fragments: 3 },
    },
  ],
] as [string, ResultFaults, ((t: Test, outcome: Outcome) => unknown)?][]) {
  t.test(`${title} do not show in the finals`, async t => {
    const outcome = await faultRun(t, { faults: { results } })
    t.equal(outcome.error, undefined)
    t.strictSame(texts(outcome), FINALS)
    t.match(outcome.finals, [
      { turnId: 1, startMs: 200, endMs: 900, wordTimestamps: { length: 4 } },
      { turnId: 2, startMs: 2_200, endMs: 2_700, wordTimestamps: { length: 2 } },
    ])
    t.strictSame(outcome.notices, [{ name: 'open' }])
    check?.(t, outcome)
  })

  t.test(`${title} do not show over two connections`, async t => {
    const outcome = await faultRun(t, {
      faults: index => ({
        results,
        ...(index === 0 && { close: { code: 1011, at: { afterAudioMs: 2_500 } } }),
      }),
    })
    checkRecovery(t, outcome, { closeCode: 1011 })
    t.ok(count(outcome, 'speechStarted') <= 2, 'no speech is told twice')
  })
}

t.test('25: a final takes the place of the interim that it rewrites', async t => {
  const outcome = await faultRun(t, { faults: { results: { rewriteFinal: text => text.toUpperCase() } } })
  t.strictSame(texts(outcome), ['TURN THE LAMP ON', 'THANK YOU'])
  t.strictSame(interims(outcome), BASELINE)
})

t.test('25: a final that is empty withdraws the interims of its turn', async t => {
  const outcome = await faultRun(t, {
    faults: { results: { rewriteFinal: text => (text === 'thank you' ? '' : text) } },
  })
  t.strictSame(texts(outcome), ['turn the lamp on', ''])
})

t.test('27: speech that starts at 0 is told without a time', async t => {
  const script: Script = [{ startMs: 0, endMs: 900, text: 'turn the lamp on' }]
  const outcome = await faultRun(t, { script, faults: { results: { omitZeros: true, bare: true } } })
  t.match(outcome.sessions[0]?.sent[0], { speechStarted: { startTimeMs: undefined } })
  t.match(outcome.events[0], { type: 'speechStarted', startMs: 0 })
})

for (const [usage, transcribedAudioMs] of [
  ['number', [3_000]],
  ['string', [3_000]],
  ['twice', [/\d+/, 3_000]],
  ['topLevel', [3_000]],
  ['durationSeconds', [3_000]],
  ['missing', []],
] as const) {
  t.test(`34, 44: usage as ${usage} comes to its sum, and its stream to its end`, async t => {
    const outcome = await faultRun(t, { faults: { usage } })
    const sums = outcome.events.flatMap(event => (event.type === 'usage' ? [event.transcribedAudioMs] : []))
    t.match(sums, transcribedAudioMs)
    t.equal(sums.length, transcribedAudioMs.length)
    t.equal(outcome.stats.transcribedAudioMs, sums.at(-1) ?? 0)
    t.strictSame(texts(outcome), FINALS)
    t.ok(outcome.elapsedMs <= 3_500, 'the close is the end')
  })
}

t.test('34: usage of all connections is summed', async t => {
  const outcome = await faultRun(t, {
    faults: first({ close: { code: 1001, at: { afterAudioMs: 1_000 }, afterFinals: true } }),
  })
  t.strictSame(texts(outcome), FINALS)
  const [before, after] = outcome.sessions
  t.equal(outcome.stats.transcribedAudioMs, before!.audioMs + after!.audioMs)
})

const voiceProfile = { emotion: [{ label: 'calm', confidence: 0.9 }] }
const profiled: Script = LAMP.map(utterance => ({ ...utterance, voiceProfile }))
for (const place of ['nested', 'beside', 'null', 'absent', 'extraClasses'] as const) {
  t.test(`35: a voice profile (${place}) stands on the final, or nowhere`, async t => {
    const outcome = await faultRun(t, {
      script: profiled,
      faults: { results: { voiceProfile: place } },
      options: { voiceProfileConfig: { enableVoiceProfile: true } },
    })
    t.strictSame(texts(outcome), FINALS)
    const expected = place === 'null' || place === 'absent' ? undefined : voiceProfile
    const found = (outcome.finals as Partial<TranscriptionEvent>[]).map(final => final.voiceProfile)
    t.match(found, [expected, expected])
  })
}

t.test('36: in automatic mode the end of a stream is told by closeStream alone', async t => {
  const outcome = await faultRun(t, { faults: { end: { hallucinatedFinal: 'thanks for watching' } } })
  t.strictSame(texts(outcome), FINALS)
  t.equal(outcome.sessions[0]?.endTurns, 0)
})

for (const awaited of [true, false]) {
  const how = awaited ? 'awaited' : 'not awaited'
  t.test(`36: a turn ended right before the stream, ${how}, brings no invented final`, async t => {
    const outcome = await faultRun(t, {
      faults: { end: { hallucinatedFinal: 'thanks for watching' } },
      feed: async stream => {
        stream.write(SOURCE)
        const answer = stream.endTurn()
        if (awaited) await answer
        stream.end()
        t.match(await answer, { transcript: FINALS[1] })
      },
    })
    t.strictSame(texts(outcome), FINALS)
    t.equal(outcome.sessions[0]?.endTurns, 1)
    t.match(outcome.sessions[0]?.sent.at(-2), {
      result: { transcription: { transcript: 'thanks for watching' } },
    })
  })
}

for (const frame of ['notJson', 'notObject', 'binary', 'large'] as StrayFrame[]) {
  t.test(`38: a frame that is ${frame} is a protocol error, and not tried again`, async t => {
    const stray: Faults['stray'] = { frame, at: { afterAudioMs: 1_000 } }
    const outcome = await faultRun(t, { faults: first({ stray }) })
    t.match(outcome.error, { code: 'STT_ERR_PROTOCOL', retryable: false })
    t.match(outcome.error?.interim, { transcript: 'turn the lamp on' })
    t.equal(outcome.upgrades, 1)
    t.strictSame(named(outcome, 'reconnecting'), [])
  })
}

import t from 'tap'
import { Endpointer, endpointerOptions, type EndpointerEvent } from '#dist/local/endpointer.js'

/** Pushes `ms` of hops of one probability. */
function feed(endpointer: Endpointer, ms: number, probability: number): EndpointerEvent[] {
  return Array.from({ length: ms / 10 }, () => endpointer.push(probability)).flat()
}

const types = (events: readonly EndpointerEvent[]) => events.map(({ type }) => type)

t.test('tells start, stop and end of a turn with their times', async t => {
  const endpointer = new Endpointer({ minSilenceMs: 600, speechStopMs: 300 })
  t.same(feed(endpointer, 1_000, 0.1), [])
  t.same(feed(endpointer, 500, 0.75), [
    { type: 'speechStarted', startMs: 1_000, turnStartMs: 700, confidence: 0.75 },
  ])
  t.same(endpointer.turn, { startMs: 1_000, turnStartMs: 700 })
  t.same(feed(endpointer, 290, 0), [])
  t.same(feed(endpointer, 10, 0), [{ type: 'speechStopped', atMs: 1_800, silenceDurationMs: 300 }])
  t.same(feed(endpointer, 290, 0), [])
  t.same(feed(endpointer, 10, 0), [
    { type: 'endOfTurn', turnStartMs: 700, startMs: 1_000, endMs: 1_500, atMs: 2_100 },
  ])
  t.equal(endpointer.turn, undefined)
  t.same(feed(endpointer, 10_000, 0), [])
})

t.test('starts on 7 of 10 hops, and at the first of them', async t => {
  const endpointer = new Endpointer()
  feed(endpointer, 100, 0)
  const hops = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1]
  const events = hops.map(p => endpointer.push(p))
  t.same(events.slice(0, 9).flat(), [])
  t.match(events[9], [{ type: 'speechStarted', startMs: 100, turnStartMs: 0, confidence: 0.7 }])
})

t.test('does not start on 6 of 10 hops, however long', async t => {
  const endpointer = new Endpointer()
  for (let i = 0; i < 50; i++) {
    t.same(
      [1, 1, 1, 0, 0, 1, 1, 1, 0, 0].flatMap(p => endpointer.push(p)),
      [],
    )
  }
  t.same(endpointer.finish(), [])
})

t.test('goes on at probabilities that would not start speech', async t => {
  const endpointer = new Endpointer({ minSilenceMs: 500, maxTurnSilenceMs: 1_500 })
  t.same(types(feed(endpointer, 100, 0.5)), ['speechStarted'])
  t.same(feed(endpointer, 1_400, 0.36), [], 'above 70 % of the threshold')
  const other = new Endpointer({ minSilenceMs: 500, maxTurnSilenceMs: 1_500 })
  feed(other, 100, 0.5)
  t.same(types(feed(other, 1_400, 0.34)), ['speechStopped', 'endOfTurn'], 'below it')
})

t.test('ends a turn without clear speech after the maximum, though hops flicker', async t => {
  const endpointer = new Endpointer({ minSilenceMs: 500, maxTurnSilenceMs: 1_500 })
  feed(endpointer, 200, 0.9)
  const events: EndpointerEvent[] = []
  for (let i = 0; i < 20; i++) events.push(...feed(endpointer, 90, 0), ...feed(endpointer, 10, 0.9))
  t.same(types(events), ['speechStopped', 'endOfTurn'])
  t.match(events[1], { startMs: 0, atMs: 1_730 }, '1500 ms after the last window of clear speech')
})

t.test('keeps the turn open through a pause that stops speech', async t => {
  const endpointer = new Endpointer({ minSilenceMs: 700, speechStopMs: 300 })
  const events = [
    ...feed(endpointer, 400, 0.9),
    ...feed(endpointer, 500, 0),
    ...feed(endpointer, 400, 0.9),
    ...feed(endpointer, 700, 0),
  ]
  t.same(types(events), ['speechStarted', 'speechStopped', 'speechStarted', 'speechStopped', 'endOfTurn'])
  t.match(events[2], { startMs: 900, turnStartMs: 0 })
  t.match(events[4], { startMs: 0, endMs: 1_300, atMs: 2_000 })
})

t.test('gives no audio of a closed turn to the next one', async t => {
  const endpointer = new Endpointer({ minSilenceMs: 100 })
  feed(endpointer, 300, 0.9)
  feed(endpointer, 150, 0)
  t.match(feed(endpointer, 200, 0.9), [{ type: 'speechStarted', startMs: 450, turnStartMs: 400 }])
})

t.test('finish() closes an open turn, and only that', async t => {
  const speaking = new Endpointer()
  feed(speaking, 500, 0.9)
  feed(speaking, 100, 0)
  t.same(speaking.finish(), [
    { type: 'speechStopped', atMs: 600, silenceDurationMs: 100 },
    { type: 'endOfTurn', turnStartMs: 0, startMs: 0, endMs: 500, atMs: 600 },
  ])
  t.same(speaking.finish(), [])
  const pausing = new Endpointer({ minSilenceMs: 700, speechStopMs: 300 })
  feed(pausing, 500, 0.9)
  feed(pausing, 400, 0)
  t.same(types(pausing.finish()), ['endOfTurn'])
  t.same(new Endpointer().finish(), [])
})

t.test('begins anew after finish(), even in the middle of speech', async t => {
  const endpointer = new Endpointer()
  feed(endpointer, 500, 0.9)
  endpointer.finish()
  t.same(feed(endpointer, 60, 0.9), [])
  t.match(feed(endpointer, 10, 0.9), [{ type: 'speechStarted', startMs: 500, turnStartMs: 500 }])
})

t.test('refuses options that are out of range, by name', async t => {
  for (const [options, name] of [
    [{ vadThreshold: 0 }, 'vadThreshold'],
    [{ vadThreshold: 1.1 }, 'vadThreshold'],
    [{ minSilenceMs: NaN }, 'minSilenceMs'],
    [{ minSilenceMs: 500, maxTurnSilenceMs: 400 }, 'maxTurnSilenceMs'],
    [{ minSilenceMs: 500, speechStopMs: 600 }, 'speechStopMs'],
    [{ minSpeechMs: 0 }, 'minSpeechMs'],
  ] as const) {
    t.throws(() => new Endpointer(options), { name: 'RangeError', message: new RegExp(`^${name} must be`) })
  }
  t.throws(() => new Endpointer({ minSilenceMs: '500' as never }), {
    name: 'TypeError',
    message: /^minSilenceMs must be .*; got string$/,
  })
})

t.test('maps the wire config to options', async t => {
  const map = (config: Parameters<typeof endpointerOptions>[0]) => endpointerOptions(config)
  t.match(map({}), { manual: false, minSilenceMs: 1_000, maxTurnSilenceMs: 2_000, vadThreshold: undefined })
  t.match(map({ inworldSttV1Config: { vadThreshold: 0.3, minEndOfTurnSilenceWhenConfident: 250 } }), {
    manual: false,
    minSilenceMs: 250,
    maxTurnSilenceMs: 2_000,
    vadThreshold: 0.3,
  })
  t.match(map({ assemblyaiConfig: { vadThreshold: 0.8, maxTurnSilence: 400 } }), {
    minSilenceMs: 400,
    maxTurnSilenceMs: 400,
    vadThreshold: 0.8,
  })
  t.match(map({ sonioxConfig: { maxEndpointDelayMs: 500 } }), { minSilenceMs: 500, maxTurnSilenceMs: 500 })
  t.match(map({ sonioxConfig: { maxEndpointDelayMs: 3_000 } }), {
    minSilenceMs: 1_000,
    maxTurnSilenceMs: 3_000,
  })
  t.match(map({ inworldSttV1Config: { vadThreshold: 0 } }), { manual: true, vadThreshold: undefined })
})

t.test('asks for longer silence the higher the confidence threshold, from minimum to maximum', async t => {
  const silence = (endOfTurnConfidenceThreshold: number) =>
    endpointerOptions({
      endOfTurnConfidenceThreshold,
      inworldSttV1Config: { minEndOfTurnSilenceWhenConfident: 400, maxTurnSilence: 1_400 },
    }).minSilenceMs
  t.same([0, 0.4, 0.5, 0.6, 0.75, 1].map(silence), [400, 400, 400, 600, 900, 1_400])
})

t.test('makes options that the endpointer takes of any config', async t => {
  for (const minEndOfTurnSilenceWhenConfident of [0, 1, 19, 5_000, 1e9]) {
    for (const maxTurnSilence of [0, 20, 5_000, 1e9]) {
      const inworldSttV1Config = { minEndOfTurnSilenceWhenConfident, maxTurnSilence }
      const options = endpointerOptions({ inworldSttV1Config, endOfTurnConfidenceThreshold: 0.9 })
      t.doesNotThrow(() => new Endpointer(options))
    }
  }
})

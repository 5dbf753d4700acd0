import t from 'tap'
import { wavHeader } from '#dist/audio/wav-header.js'
import type { SttStream } from '#dist/index.js'
import { stampedAudio, stampedRuns, type Script, type SessionRecord } from '#dist/testing.js'
import { checkRecovery, faultRun, FINALS, first, named, RAW, SOURCE, texts } from './fixtures/fault-run.js'

/** Faults 16 to 23: what the service does with audio that it dislikes, or with none. */

const wait = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))
const chunksMs = (sessions: SessionRecord[]) =>
  sessions.flatMap(({ messages }) => messages.flatMap(({ durationMs }) => durationMs ?? []))

for (const [frameMs, min, modelId] of [
  [20, 20, 'inworld/inworld-stt-1'],
  [100, 20, 'inworld/inworld-stt-1'],
  [1_000, 20, 'inworld/inworld-stt-1'],
  [50, 50, 'assemblyai/u3-rt-pro'],
  [1_000, 50, 'assemblyai/u3-rt-pro'],
] as const) {
  t.test(`16: chunks of ${frameMs} ms to ${modelId} keep to ${min} to 1000 ms, their tails too`, async t => {
    const outcome = await faultRun(t, {
      // A turn that ends, a connection that breaks, and a source that ends in the middle of a frame.
      faults: first({ close: { code: 1011, at: { afterAudioMs: 1_500 } } }),
      options: { frameMs, modelId },
      feed: stream => {
        stream.write(SOURCE.subarray(0, 1_007 * 32))
        void stream.endTurn()
        stream.end(Buffer.concat([SOURCE.subarray(1_007 * 32), SOURCE.subarray(0, 3 * 32)]))
      },
    })
    t.equal(outcome.error, undefined)
    t.strictSame(texts(outcome), FINALS)
    t.match(outcome.sessions, [{ error: undefined }, { error: undefined }])
    const sent = chunksMs(outcome.sessions)
    t.ok(
      Math.min(...sent) >= min && Math.max(...sent) <= 1_000,
      `${Math.min(...sent)} to ${Math.max(...sent)}`,
    )
  })
}

t.test('16: chunks that are refused all the same are the error at once', async t => {
  const outcome = await faultRun(t, { faults: first({ chunkMs: { min: 200, max: 1_000 } }) })
  t.match(outcome.error, {
    code: 'STT_ERR_BAD_REQUEST',
    grpcCode: 3,
    message: /invalid audio chunk duration/,
  })
  t.equal(outcome.upgrades, 1)
})

const wav = Buffer.concat([wavHeader(RAW, SOURCE.length), SOURCE])

t.test('17: a WAV header never reaches the service', async t => {
  const outcome = await faultRun(t, {
    options: { input: undefined },
    feed: stream => void stream.end(wav),
  })
  t.strictSame(texts(outcome), FINALS)
  t.strictSame(outcome.sessions[0]?.audio(), SOURCE)
})

t.test('17: a WAV that is declared raw is refused, before it could silence the service', async t => {
  const outcome = await faultRun(t, { feed: stream => void stream.end(wav) })
  t.match(outcome.error, { code: 'STT_ERR_UNEXPECTED_HEADER', message: /got a file with a header \(wav\)/ })
  t.strictSame(outcome.sessions[0]?.audio() ?? Buffer.alloc(0), Buffer.alloc(0))
})

t.test('18, 19: audio travels as text, as base64 that decodes to what the source held', async t => {
  const outcome = await faultRun(t, {})
  t.strictSame(outcome.sessions[0]?.audio(), SOURCE)
  const kinds = new Set(outcome.sessions[0]?.messages.map(({ kind }) => kind))
  t.strictSame([...kinds], ['transcribeConfig', 'audioChunk', 'closeStream'])
})

t.test('19: base64 that the service cannot read is the error at once', async t => {
  const outcome = await faultRun(t, {
    faults: first({ error: { code: 3, message: 'illegal base64 data', at: { afterAudioMs: 500 } } }),
  })
  t.match(outcome.error, { code: 'STT_ERR_BAD_REQUEST', message: /illegal base64 data/ })
  t.equal(outcome.upgrades, 1)
})

t.test('20: audio that is written early waits for the config, on the next connection too', async t => {
  for (const messageBeforeConfig of ['close', 'error'] as const) {
    await t.test(messageBeforeConfig, async t => {
      const outcome = await faultRun(t, {
        faults: index => ({
          messageBeforeConfig,
          upgrade: { delayMs: 700 },
          ...(index === 0 && { close: { code: 1011, at: { afterAudioMs: 2_500 } } }),
        }),
        options: { pace: false },
      })
      checkRecovery(t, outcome, { closeCode: 1011 })
    })
  }
})

/** Speech up to 900 ms, then the source is on hold for a minute. */
const hold = async (stream: SttStream) => {
  stream.write(SOURCE.subarray(0, 1_000 * 32))
  await wait(60_000)
  stream.end(SOURCE.subarray(1_000 * 32))
}

t.test('21: a source on hold ends its turn by silence that is no part of its clock', async t => {
  let finalsOnHold = 0
  const outcome = await faultRun(t, {
    feed: async stream => {
      stream.on('data', (event: { isFinal?: boolean }) => event.isFinal && finalsOnHold++)
      stream.write(SOURCE.subarray(0, 1_000 * 32))
      await wait(60_000)
      t.equal(finalsOnHold, 1)
      stream.end(SOURCE.subarray(1_000 * 32))
    },
  })
  t.strictSame(texts(outcome), FINALS)
  t.match(outcome.finals, [{ endMs: 900 }, { startMs: 2_200, endMs: 2_700 }])
  t.ok(outcome.stats.insertedMs >= 2_000)
  const runs = stampedRuns(outcome.sessions[0]!.audio())
  t.equal(
    runs.reduce((sum, { length }) => sum + length, 0),
    SOURCE.length,
    'all of the source, once',
  )
})

t.test('21: without keepalive, endTurn() ends the turn of a source on hold', async t => {
  let answer: unknown
  const outcome = await faultRun(t, {
    options: { keepAlive: false },
    feed: async stream => {
      stream.write(SOURCE.subarray(0, 1_000 * 32))
      await wait(10_000)
      answer = await stream.endTurn()
      stream.end(SOURCE.subarray(1_000 * 32))
    },
  })
  t.match(answer, { transcript: FINALS[0], isFinal: true, endMs: 900 })
  t.strictSame(texts(outcome), FINALS)
})

t.test('22: a session that ends for inactivity is reopened by the next audio', async t => {
  const outcome = await faultRun(t, {
    options: { keepAlive: false, inactivityTimeoutSeconds: 3 },
    feed: hold,
  })
  checkRecovery(t, outcome, { code: 'STT_ERR_CLOSED_EARLY', closeCode: 1000 })
  t.ok(outcome.elapsedMs > 60_000, 'not before')
})

t.test('22: a session that ends for inactivity is the error without retry', async t => {
  const outcome = await faultRun(t, {
    options: { keepAlive: false, inactivityTimeoutSeconds: 3, retry: false },
    feed: hold,
  })
  t.match(outcome.error, { code: 'STT_ERR_CLOSED_EARLY', closeCode: 1000, retryable: true })
  t.strictSame(texts(outcome), [FINALS[0]])
})

t.test('22: keepalive spares a source on hold the timeout', async t => {
  const outcome = await faultRun(t, { options: { inactivityTimeoutSeconds: 8 }, feed: hold })
  t.strictSame(named(outcome, 'reconnecting'), [])
  t.strictSame(texts(outcome), FINALS)
})

/** Somebody who speaks for 34 s, a word each second, with short pauses between. */
const speech: Script = Array.from({ length: 34 }, (_, index) => ({
  startMs: index * 1_000 + 100,
  endMs: index * 1_000 + 700,
  text: `word${index}`,
}))
const spoken = speech.map(({ text }) => text).join(' ')
const longTurn = {
  script: speech,
  feed: (stream: SttStream) => void stream.end(stampedAudio(speech, 35_000)),
}

for (const fault of ['split', 'error'] as const) {
  t.test(`23: a manual turn is ended before the service would ${fault} it`, async t => {
    const outcome = await faultRun(t, {
      ...longTurn,
      faults: { longTurn: fault },
      options: { inworldSttV1Config: { vadThreshold: 0 } },
    })
    t.match(named(outcome, 'warning'), [{ code: 'STT_WARN_TURN_SPLIT' }])
    t.equal(outcome.finals.length, 2)
    t.equal(texts(outcome).join(' '), spoken)
    t.equal(outcome.sessions[0]?.error, undefined)
  })
}

t.test('23: a manual turn that the service refuses is the error, with what had been heard', async t => {
  const error = { code: 3, message: 'the turn exceeds the maximum length', at: { afterAudioMs: 20_000 } }
  const outcome = await faultRun(t, {
    ...longTurn,
    faults: first({ error }),
    options: { inworldSttV1Config: { vadThreshold: 0 } },
  })
  t.match(outcome.error, { code: 'STT_ERR_BAD_REQUEST', message: /maximum length/ })
  t.match(outcome.error?.interim, { transcript: /^word0 .* word19$/, turnId: 1, startMs: undefined })
})

t.test('16, 20: what was sent over both connections is the source', async t => {
  const outcome = await faultRun(t, {
    faults: first({ close: { code: 1011, at: { afterAudioMs: 2_500 } } }),
  })
  const covered = outcome.sessions.flatMap(session => stampedRuns(session.audio()))
  const [before, after] = covered
  t.equal(before?.sourceAt, 0)
  t.equal(after!.sourceAt + after!.length, SOURCE.length)
  const [report] = named(outcome, 'reconnected')
  t.equal(report?.fromMs, after!.sourceAt / 32)
  t.ok(before!.length / 32 <= after!.sourceAt / 32 + (report?.replayedMs as number), 'nothing between')
})

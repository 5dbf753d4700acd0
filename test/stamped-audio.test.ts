import { once } from 'node:events'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { frame, type Frame } from '#dist/audio/frame.js'
import { sttStream, type SttEvent } from '#dist/index.js'
import {
  scriptedRecognizer,
  stampedAudio,
  stampedRuns,
  startLocalServer,
  type LocalServerOptions,
  type RecognizerSession,
  type Script,
} from '#dist/testing.js'
import { WireClient } from './fixtures/wire-client.js'

const SCRIPT: Script = [
  { startMs: 500, endMs: 1_300, text: 'turn the lamp on' },
  { startMs: 2_600, endMs: 3_200, text: 'thank you', confidence: 0.5 },
]
const DURATION_MS = 4_500
const SOURCE = stampedAudio(SCRIPT, DURATION_MS)
const BYTES_PER_MS = 32

const silence = (durationMs: number) => Buffer.alloc(durationMs * BYTES_PER_MS)
const piece = (fromMs: number, toMs?: number) =>
  SOURCE.subarray(Math.round(fromMs * 16) * 2, toMs === undefined ? undefined : Math.round(toMs * 16) * 2)

function samplesOf(pcm: Buffer): Int16Array {
  return Int16Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(2 * i))
}

const open = (script: Script = SCRIPT): Promise<RecognizerSession> =>
  scriptedRecognizer(script, { clock: 'stamps' }).open({})

/** What one turn over this audio is heard as. */
async function hear(...parts: Buffer[]) {
  const session = await open()
  session.start(0)
  const whole = samplesOf(Buffer.concat(parts))
  await session.push(whole)
  return session.finish()
}

async function serve(test: Test, options: LocalServerOptions = {}) {
  const recognizer = scriptedRecognizer(SCRIPT, { clock: 'stamps' })
  const server = await startLocalServer({ recognizer, recordAudio: true, ...options })
  test.teardown(() => server.close())
  return server
}

t.test('outside the script it is silence of one step, inside it is sound', t => {
  const samples = samplesOf(SOURCE)
  const isSpoken = (ms: number) => SCRIPT.some(({ startMs, endMs }) => ms >= startMs && ms < endMs)
  const loudest = (spoken: boolean) =>
    samples.reduce((max, value, i) => (isSpoken(i / 16) === spoken ? Math.max(max, Math.abs(value)) : max), 0)
  t.equal(samples.length, DURATION_MS * 16)
  t.equal(loudest(false), 1)
  t.ok(loudest(true) > 3_000 && loudest(true) < 32_000)
  t.end()
})

t.test('the voice activity detector finds speech in the utterances and in nothing else', async t => {
  // Half a minute without a pause: long enough for a detector to take for noise what does not change.
  const script = [
    { startMs: 1_000, endMs: 31_000, text: 'long' },
    { startMs: 33_000, endMs: 34_000, text: 'short' },
  ]
  const framer = frame()
  framer.end(stampedAudio(script, 36_000))
  const misjudged: number[] = []
  for await (const each of framer as AsyncIterable<Frame>) {
    const spoken = script.some(({ startMs, endMs }) => each.startMs >= startMs && each.startMs < endMs)
    // Its median lags behind by 40 ms, so the frame after an utterance may count as speech.
    const trailing = script.some(({ endMs }) => each.startMs === endMs)
    if (each.voiced !== spoken && !trailing) misjudged.push(each.startMs)
  }
  t.strictSame(misjudged, [])
})

t.test('a long source can be made piece by piece', t => {
  const parts = [0, 1_230, 2_460, 3_690].map(fromMs => stampedAudio(SCRIPT, 1_230, fromMs))
  t.ok(Buffer.concat(parts).subarray(0, SOURCE.length).equals(SOURCE))
  t.end()
})

t.test('runs tell byte by byte where a piece stands in its source', t => {
  for (const fromMs of [0, 10, 500.0625, 733.3125, 4_000]) {
    for (const durationMs of [20, 33.125, 100, 481.5]) {
      const pcm = piece(fromMs, fromMs + durationMs)
      t.strictSame(stampedRuns(Buffer.concat([silence(7), pcm, silence(13)])), [
        { at: 7 * BYTES_PER_MS, sourceAt: fromMs * BYTES_PER_MS, length: pcm.length },
      ])
    }
  }
  t.strictSame(stampedRuns(SOURCE), [{ at: 0, sourceAt: 0, length: SOURCE.length }])
  t.end()
})

t.test('runs part where the source jumps, is repeated, or something else stands between', t => {
  const kb = (ms: number) => ms * BYTES_PER_MS
  t.strictSame(stampedRuns(Buffer.concat([piece(0, 100), piece(200, 300)])), [
    { at: 0, sourceAt: 0, length: kb(100) },
    { at: kb(100), sourceAt: kb(200), length: kb(100) },
  ])
  t.strictSame(stampedRuns(Buffer.concat([piece(500, 600), piece(500, 600)])), [
    { at: 0, sourceAt: kb(500), length: kb(100) },
    { at: kb(100), sourceAt: kb(500), length: kb(100) },
  ])
  // A hop torn in two, as an end of turn and its padding tear it, belongs to both sides.
  t.strictSame(stampedRuns(Buffer.concat([piece(500, 603.5), silence(6), piece(603.5, 700)])), [
    { at: 0, sourceAt: kb(500), length: kb(103.5) },
    { at: kb(109.5), sourceAt: kb(603.5), length: kb(96.5) },
  ])
  t.strictSame(stampedRuns(silence(500)), [])
  // The upper half of one number and the lower half of another are no third number.
  const [one, other] = [stampedAudio([], 10, 0x1_0000 * 10), stampedAudio([], 10, 5 * 10)]
  t.strictSame(stampedRuns(Buffer.concat([one.subarray(0, 128), other.subarray(128)])), [])
  const noise = Buffer.from(Array.from({ length: 64_000 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24))
  t.strictSame(stampedRuns(noise), [])
  t.throws(() => stampedRuns(Buffer.alloc(3)), RangeError)
  t.end()
})

t.test('the recogniser hears by the time of the source, and tells the time of the connection', async t => {
  t.match(await hear(silence(1_000), piece(400, 1_600)), {
    text: 'turn the lamp on',
    words: [
      { word: 'turn', startMs: 1_100, endMs: 1_300, confidence: 0.9 },
      { word: 'the', startMs: 1_300, endMs: 1_500 },
      { word: 'lamp', startMs: 1_500, endMs: 1_700 },
      { word: 'on', startMs: 1_700, endMs: 1_900 },
    ],
  })
  t.match(await hear(piece(2_600)), {
    text: 'thank you',
    words: [{ word: 'thank', startMs: 0, endMs: 300, confidence: 0.5 }, {}],
  })
})

t.test('wherever a connection begins and breaks off, its whole words are heard and no others', async t => {
  for (let fromMs = 450; fromMs < 1_350; fromMs += 37.0625) {
    for (const durationMs of [20, 150, 390.5, 900]) {
      const toMs = fromMs + durationMs
      const words = ['turn', 'the', 'lamp', 'on'].filter((_, index) => {
        // 20 ms of the beginning may be missing: who begins so little late hears the word.
        const startMs = 500 + index * 200
        return startMs >= Math.ceil(fromMs / 10) * 10 - 20 && startMs + 200 <= toMs
      })
      t.equal((await hear(piece(fromMs, toMs))).text, words.join(' '), `${fromMs} to ${toMs}`)
    }
  }
})

t.test('the same is heard however the audio is cut into chunks', async t => {
  const whole = samplesOf(Buffer.concat([silence(3), piece(33.25)]))
  const probabilities = async (cut: number) => {
    const voiceActivity = (await open()).voiceActivity!()
    const all: number[] = []
    for (let at = 0; at < whole.length; at += cut)
      all.push(...voiceActivity.process(whole.subarray(at, at + cut)))
    return all
  }
  const words = async (cut: number) => {
    const session = await open()
    session.start(0)
    for (let at = 0; at < whole.length; at += cut) await session.push(whole.subarray(at, at + cut))
    return session.finish()
  }
  const expected = await probabilities(whole.length)
  t.equal(expected.filter(each => each === 1).length, 140)
  for (const cut of [1, 159, 160, 161, 1_600]) {
    t.strictSame(await probabilities(cut), expected)
    t.strictSame(await words(cut), await words(whole.length))
  }
})

t.test('what has no stamp is silence', async t => {
  const voiceActivity = (await open()).voiceActivity!()
  t.notOk(voiceActivity.process(new Int16Array(80_000)).includes(1))
  t.notOk(voiceActivity.process(new Int16Array(80_000).fill(12_001)).includes(1))
})

t.test('silence in the middle of a word stretches it, and it is heard once', async t => {
  t.match(await hear(piece(0, 603.5), silence(2_000), piece(603.5, 1_600)), {
    text: 'turn the lamp on',
    words: [{ word: 'turn', startMs: 500, endMs: 2_700 }, { word: 'the', startMs: 2_700 }, {}, {}],
  })
})

t.test('a word that lost a frame is not heard, one that came twice is heard twice', async t => {
  t.equal((await hear(piece(0, 700), piece(800))).text, 'turn lamp on thank you')
  t.equal((await hear(piece(0, 800), piece(740))).text, 'turn lamp on thank you')
  t.equal((await hear(piece(0, 900), piece(700))).text, 'turn the the lamp on thank you')
})

t.test('a word belongs to the turn in which it ends, even when it began before', async t => {
  const session = await open()
  session.start(0)
  await session.push(samplesOf(piece(0, 803.5)))
  t.match(await session.finish(), { text: 'turn', words: { length: 1 } })
  session.start()
  await session.push(samplesOf(Buffer.concat([silence(10), piece(803.5, 1_600)])))
  t.match(await session.finish(), { text: 'the lamp on', words: [{ word: 'the', startMs: -103.5 }, {}, {}] })
})

t.test('audio that is left out between two turns is not heard', async t => {
  const session = await open()
  session.start(0)
  await session.push(samplesOf(piece(0, 1_000)))
  await session.finish()
  session.start(3_000)
  t.equal(await session.push(samplesOf(piece(1_050))), 'on thank you')
  t.match(await session.finish(), { words: [{ word: 'on' }, { word: 'thank', startMs: 1_550 }, {}] })
})

t.test('through the whole pipeline, the source arrives byte for byte and is heard', async t => {
  const server = await serve(t)
  const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
  const finals: string[] = []
  const stream = sttStream({ url: server.url, input })
  Readable.from([piece(0, 777.0625), piece(777.0625)]).pipe(stream)
  for await (const event of stream as AsyncIterable<SttEvent>) {
    if (event.type === 'transcription' && event.isFinal) finals.push(event.transcript)
  }
  t.strictSame(finals, ['turn the lamp on', 'thank you'])
  t.ok(server.sessions[0]!.audio().equals(SOURCE))
})

t.test('a second connection that begins anywhere hears what is left', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure({ includeWordTimestamps: true })
  for (let atMs = 1_600; atMs < DURATION_MS; atMs += 100) client.sendChunk(piece(atMs, atMs + 100))
  const { messages } = await client.closeStream().closed
  t.match(messages.at(-2), {
    result: {
      transcription: {
        transcript: 'thank you',
        isFinal: true,
        wordTimestamps: [
          { word: 'thank', startTimeMs: 1_000, endTimeMs: 1_300 },
          { word: 'you', startTimeMs: 1_300, endTimeMs: 1_600 },
        ],
      },
    },
  })
  t.match(messages[0], { result: { speechStarted: { startTimeMs: 1_000 } } })
})

t.test('in manual mode too', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  client.configure({ inworldSttV1Config: { vadThreshold: 0 } })
  client.sendChunk(piece(0, 900)).send({ endTurn: {} }).sendChunk(piece(900, 1_500)).closeStream()
  const { messages } = await client.closed
  const finals = messages.filter(message => JSON.stringify(message).includes('"isFinal":true'))
  t.match(finals, [
    { result: { transcription: { transcript: 'turn the' } } },
    { result: { transcription: { transcript: 'lamp on' } } },
  ])
})

t.test('a record keeps the audio that was accepted, and what was answered', async t => {
  const server = await serve(t)
  const client = await WireClient.connect(server.url)
  const ended = once(server, 'session')
  client.configure().sendChunk(piece(0, 900)).sendChunk(piece(900, 905)).sendChunk(piece(905, 1_000))
  const { messages } = await client.closed
  await ended
  const record = server.sessions[0]!
  t.ok(record.audio().equals(piece(0, 900)), 'neither the chunk that was refused nor what followed it')
  t.strictSame(record.sent, messages)
  t.match(messages.at(-1), { error: { code: 3 } })
})

t.test('a record that holds not all of the audio does not pretend to', async t => {
  const outcome = async (recordAudio: boolean | number | undefined) => {
    const server = await serve(t, { recordAudio })
    const client = await WireClient.connect(server.url)
    await client.configure().sendAudio(200).closeStream().closed
    return server.sessions[0]!
  }
  t.equal((await outcome(6_400)).audio().length, 6_400)
  const short = await outcome(6_399)
  t.throws(() => short.audio(), { message: 'recordAudio keeps 6399 bytes; session 0 got 6400' })
  const none = await outcome(undefined)
  t.throws(() => none.audio(), { message: /set recordAudio/ })
  await t.rejects(startLocalServer({ recordAudio: -1 }), { message: /recordAudio must be true, false or/ })
})

t.test('misuse is told', t => {
  t.throws(() => stampedAudio(SCRIPT, 1_005), {
    name: 'RangeError',
    message: 'durationMs must be a multiple of 10 ms; got 1005',
  })
  t.throws(() => stampedAudio(SCRIPT, 10, -10), { message: /fromMs must be/ })
  t.throws(() => stampedAudio(SCRIPT, '1' as never), TypeError)
  t.throws(() => stampedAudio([{ startMs: 5, endMs: 5, text: '' }], 10), RangeError)
  t.throws(() => scriptedRecognizer(SCRIPT, { clock: 'wall' as never }), {
    message: "clock must be 'connection' or 'stamps'; got wall",
  })
  const words = [
    { word: 'a', startMs: 0, endMs: 50 },
    { word: 'b', startMs: 40, endMs: 90 },
  ]
  t.throws(() => scriptedRecognizer([{ startMs: 0, endMs: 100, text: 'a b', words }]), {
    message: 'script[0].words[1] must begin at 50 ms or later and end after it begins; got 40 to 90',
  })
  t.end()
})

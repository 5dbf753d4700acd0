import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { FrameOrMark } from '#dist/audio/frame.js'
import { SttError } from '#dist/errors.js'
import type { SttEvent, TranscriptionEvent } from '#dist/stt/events.js'
import type { SttSessionOptions } from '#dist/stt/session-options.js'
import { SttSession } from '#dist/stt/session.js'
import { frames, voicedFrames } from './fixtures/frames.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { wireConfig as config } from './fixtures/wire-config.js'

/** The attempts that are due, without their delays. */
const retry = { baseDelayMs: 1, maxDelayMs: 1 }

/** A session against a server whose answers `peer` writes. */
async function session(
  t: Test,
  peer: (peer: RawPeer) => void | Promise<void>,
  options: Partial<SttSessionOptions> = {},
) {
  const server = await rawServer(peer)
  t.teardown(() => server.close())
  return new SttSession({ url: server.url, config, ...options })
}

async function converse(stream: SttSession, items: FrameOrMark[]): Promise<SttEvent[]> {
  for (const item of items) stream.write(item)
  stream.end()
  return (await stream.toArray()) as SttEvent[]
}

t.test('gives turns, seq and source times, and strips word times unless wanted', async t => {
  const peer = async (peer: RawPeer) => {
    await peer.next('closeStream')
    peer.send({ result: { speechStarted: { startTimeMs: 100, confidence: 0.9 } } })
    peer.transcription('one', false)
    peer.transcription('One.', true, [['One.', 150, 400]])
    peer.send({ result: { speechStopped: { silenceDurationMs: 300 } } })
    peer.transcription('Two.', true, [['Two.', 700, 900]])
    peer.send({ result: { novelty: 1 } })
    peer.usage(1_000)
    peer.usage(500)
    peer.ws.close(1000)
  }
  const source = frames(10, { startMs: 60_000, voiced: true })
  t.strictSame(await converse(await session(t, peer), source), [
    { type: 'speechStarted', startMs: 60_100, confidence: 0.9 },
    { type: 'transcription', transcript: 'one', isFinal: false, turnId: 1, wordTimestamps: [], seq: 1 },
    {
      type: 'transcription',
      transcript: 'One.',
      isFinal: true,
      turnId: 1,
      startMs: 60_150,
      endMs: 60_400,
      wordTimestamps: [],
      seq: 2,
    },
    { type: 'speechStopped', atMs: 61_000, silenceDurationMs: 300 },
    {
      type: 'transcription',
      transcript: 'Two.',
      isFinal: true,
      turnId: 2,
      startMs: 60_700,
      endMs: 60_900,
      wordTimestamps: [],
      seq: 3,
    },
    { type: 'unknown', message: { result: { novelty: 1 } } },
    { type: 'usage', transcribedAudioMs: 1_000, modelId: 'inworld/inworld-stt-1' },
    { type: 'usage', transcribedAudioMs: 1_500, modelId: 'inworld/inworld-stt-1' },
  ])
  const words = await converse(
    await session(t, peer, { includeWordTimestamps: true, interimResults: false }),
    source,
  )
  const finals = words.filter(event => event.type === 'transcription')
  t.match(finals, [
    {
      seq: 1,
      isFinal: true,
      wordTimestamps: [{ word: 'One.', startMs: 60_150, endMs: 60_400, confidence: 0.9 }],
    },
    { seq: 2, isFinal: true, wordTimestamps: [{ word: 'Two.' }] },
  ])
  t.equal(finals.length, 2, 'no interims')
})

t.test('keeps results on the source clock behind a padded end of turn', async t => {
  const stream = await session(t, async peer => {
    await peer.next('closeStream')
    peer.transcription('after', true, [['after', 150, 250]])
    peer.usage()
    peer.ws.close(1000)
  })
  const [first, second] = frames(2, { startMs: 100, voiced: true })
  const short = { ...first!, startMs: 0, pcm: Buffer.alloc(640), sourceMs: 5, insertedMs: 15 }
  const events = await converse(stream, [
    short,
    { endTurn: true },
    { ...first!, startMs: 5 },
    { ...second!, startMs: 105 },
  ])
  // Connection: 20 ms of the short frame (5 + 15 of padding), then source 5 ms on.
  t.match(events[0], { startMs: 135, endMs: 205 })
  t.equal(stream.stats().insertedMs, 15)
  t.equal(stream.stats().sentMs, 220)
})

t.test('promotes an interim that is left when the service closes', async t => {
  const stream = await session(t, async peer => {
    await peer.next('closeStream')
    peer.transcription('left ov', false)
    peer.transcription('left over', false, [
      ['left', 0, 100],
      ['over', 100, 200],
    ])
    peer.ws.close(1000)
  })
  const events = await converse(stream, voicedFrames(3))
  const finals = events.filter(event => event.type === 'transcription' && event.isFinal)
  t.match(finals, [{ transcript: 'left over', promoted: true, turnId: 1, endMs: 200 }])
  t.equal(stream.stats().finals, 1)
})

t.test('keeps the open interim in the error, hidden from logs', async t => {
  const stream = await session(
    t,
    async peer => {
      await peer.next('audioChunk')
      peer.transcription('the quick brown', false)
      peer.send({ error: { code: 14, message: 'overloaded', details: [] } })
      peer.ws.close(1000)
    },
    { retry },
  )
  stream.resume()
  stream.write(voicedFrames(1)[0])
  const [error] = (await once(stream, 'error')) as [SttError]
  t.match(error, { code: 'STT_ERR_SERVER', retryable: true, grpcCode: 14 })
  t.equal(error.interim?.transcript, 'the quick brown')
  t.notMatch(JSON.stringify(error) + error.message, /brown/)
})

t.test('resolves endTurn marks with their finals, in order', async t => {
  const stream = await session(t, async peer => {
    for (const text of ['first', '', 'third']) {
      await peer.next('endTurn')
      peer.transcription(text, true)
    }
    await peer.next('closeStream')
    peer.ws.close(1000)
  })
  stream.resume()
  const finals: (TranscriptionEvent | undefined)[] = []
  for (let turn = 0; turn < 3; turn++) {
    const final = stream.expectTurn()
    for (const item of [...voicedFrames(2), { endTurn: true as const }]) stream.write(item)
    finals.push(await final)
  }
  t.match(finals, [{ transcript: 'first', turnId: 1 }, undefined, { transcript: 'third', turnId: 2 }])
  stream.end()
  await once(stream, 'close')
})

t.test('settles a turn that the service never answers', async t => {
  const mute = await session(t, () => {}, { finishTimeoutMs: 50 })
  const final = mute.expectTurn()
  mute.write({ endTurn: true })
  await t.rejects(final, { code: 'STT_ERR_TURN_TIMEOUT' })
  mute.destroy()

  const failing = await session(t, peer => peer.next('endTurn').then(() => peer.ws.close(1011)), { retry })
  failing.on('error', () => {})
  const lost = failing.expectTurn()
  void failing.expectTurn() // never awaited: no unhandled rejection
  failing.write({ endTurn: true })
  await t.rejects(lost, { code: 'STT_ERR_CLOSED' })

  const ending = await session(t, async peer => {
    await peer.next('closeStream')
    peer.ws.close(1000)
  })
  const nothing = ending.expectTurn()
  ending.resume()
  ending.write({ endTurn: true })
  ending.end()
  t.equal(await nothing, undefined)
})

t.test('does not hold its own rest against an endTurn', async t => {
  const clock = mockClock(t)
  const stream = await session(
    t,
    async peer => {
      for (let turn = 1; turn <= 200; turn++) peer.transcription(`turn ${turn}`, true)
      await peer.next('endTurn')
      peer.transcription('answer', true)
    },
    { maxUnreadResults: 5, finishTimeoutMs: 200 },
  )
  await once(stream, 'readable')
  const final = stream.expectTurn()
  await new Promise(resolve => stream.write({ endTurn: true }, resolve))
  clock.advance(200)
  stream.resume()
  t.match(await final, { isFinal: true })
  stream.destroy()
})

t.test('gives a slow reader the newest interim and every final', async t => {
  const clock = mockClock(t)
  const stream = await session(
    t,
    async peer => {
      await peer.next('closeStream')
      for (let turn = 1; turn <= 20; turn++) {
        for (let i = 0; i < 50; i++) peer.transcription(`turn ${turn} interim ${i}`, false)
        peer.transcription(`turn ${turn}`, true, [['x', turn * 10, turn * 10 + 5]])
      }
      peer.usage()
      peer.ws.close(1000)
    },
    { maxUnreadResults: 5, pingIntervalMs: 10, pongTimeoutMs: 10 },
  )
  for (const item of voicedFrames(3)) stream.write(item)
  stream.end()
  await once(stream, 'readable')
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  for (let late = 0; late < 10; late++) {
    clock.advance(10)
    await new Promise(setImmediate)
  }
  const finals: string[] = []
  let last = 0
  let interims = 0
  for await (const event of stream as AsyncIterable<SttEvent>) {
    // Each event is read only after the loop has turned many times: the queue fills meanwhile.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    t.ok(stream.stats().unreadResults <= 70, 'bounded')
    if (event.type !== 'transcription') continue
    t.equal(event.seq, ++last, 'no gap in seq')
    if (event.isFinal) finals.push(event.transcript)
    else interims++
  }
  t.strictSame(
    finals,
    Array.from({ length: 20 }, (_, i) => `turn ${i + 1}`),
  )
  t.ok(interims < 900, `${interims} of 1000 interims`)
})

t.test('is destroyed in every state with one close and no error', async t => {
  for (const prepare of [
    () => {},
    (s: SttSession) => once(s, 'open'),
    async (s: SttSession) => {
      s.write(voicedFrames(1)[0])
      s.end()
      await once(s, 'finish')
    },
  ]) {
    const stream = await session(t, () => {})
    let closes = 0
    stream.on('close', () => closes++)
    stream.on('error', error => t.fail(error))
    await prepare(stream)
    stream.destroy()
    await once(stream, 'close')
    stream.destroy()
    t.equal(closes, 1)
  }
})

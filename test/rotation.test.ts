import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { FrameOrMark } from '#dist/audio/frame.js'
import type { SttEvent } from '#dist/stt/events.js'
import type { SttSessionOptions } from '#dist/stt/session-options.js'
import { SttSession } from '#dist/stt/session.js'
import { frames } from './fixtures/frames.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { wireConfig as config } from './fixtures/wire-config.js'

interface Notice {
  name: string
  [fact: string]: unknown
}

async function session(
  t: Test,
  peer: (peer: RawPeer, index: number) => void | Promise<void>,
  options: Partial<SttSessionOptions> = {},
) {
  const peers: RawPeer[] = []
  const server = await rawServer((opened, index) => {
    peers[index] = opened
    return peer(opened, index)
  })
  t.teardown(() => server.close())
  const retry = { baseDelayMs: 1, maxAttempts: 3 }
  const stream = new SttSession({ url: server.url, config, retry, keepAlive: false, ...options })
  const notices: Notice[] = []
  for (const name of ['open', 'reconnecting', 'reconnected', 'rotated', 'hibernating', 'warning'])
    stream.on(name, (facts?: object) => notices.push({ name, ...facts }))
  return { stream, notices, peers, server }
}

/** Silence, speech where `voiced` says so by the frame's number. */
const speech = (count: number, voiced: (index: number) => boolean, from = 0): FrameOrMark[] =>
  frames(count, { startMs: from * 100 }).map((frame, index) => ({ ...frame, voiced: voiced(from + index) }))

const write = async (stream: SttSession, items: FrameOrMark[]) => {
  for (const item of items) await new Promise(resolve => stream.write(item, resolve))
}
/** How much of the source was sent, once, or left out, in ms. */
const accountedMs = (stream: SttSession) => {
  const { sentMs, insertedMs, replayedMs, skippedMs } = stream.stats()
  return sentMs - insertedMs - replayedMs + skippedMs
}
const transcripts = (events: SttEvent[]) =>
  events.flatMap(event => (event.type === 'transcription' && event.isFinal ? [event] : []))

/** Lets the sockets speak until the condition holds; the clock moves only by `stepMs`. */
async function until(clock: ReturnType<typeof mockClock>, condition: () => boolean, stepMs = 50) {
  while (!condition()) {
    clock.advance(stepMs)
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
}
async function settle(turns = 50) {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}

const finish = async (peer: RawPeer) => {
  await peer.next('closeStream')
  peer.usage(1_000)
  peer.ws.close(1000)
}

t.test('hands over in a pause before the connection is too old, and drains it', async t => {
  const clock = mockClock(t)
  const { stream, notices, peers } = await session(
    t,
    async (peer, index) => {
      if (index === 0) {
        await peer.next('audioChunk')
        await finish(peer)
        return
      }
      await peer.next('closeStream')
      // 300 ms of the pause came before what is new.
      peer.transcription('two', true, [['two', 350, 450]])
      peer.usage(500)
      peer.ws.close(1000)
    },
    { maxConnectionMs: 10_000 },
  )
  await write(
    stream,
    speech(10, index => index < 4),
  )
  await until(clock, () => peers.length === 1 && peers[0]!.audioBytes() === 32_000)
  await until(clock, () => peers.length === 2)
  t.ok(clock.elapsedMs() <= 8_200, 'opened a fifth of its life before the end')
  clock.advance(400)
  await settle()
  t.notOk(
    notices.some(({ name }) => name === 'rotated'),
    'the turn is still open',
  )
  peers[0]!.transcription('one', true, [['one', 50, 350]])
  await until(clock, () => notices.some(({ name }) => name === 'rotated'), 1)
  t.match(notices.at(-1), { name: 'rotated', cause: 'maxConnectionMs', fromMs: 700, overlapMs: 300 })
  await write(
    stream,
    speech(3, () => true, 10),
  )
  stream.end()
  const events = (await stream.toArray()) as SttEvent[]
  t.match(transcripts(events), [
    { transcript: 'one', turnId: 1 },
    { transcript: 'two', turnId: 2, startMs: 1_050, endMs: 1_150 },
  ])
  t.equal(peers[0]!.audioBytes(), 32_000)
  t.equal(peers[1]!.audioBytes(), 600 * 32)
  t.equal(stream.stats().transcribedAudioMs, 1_500, 'usage of both')
  t.match(stream.stats(), { connections: 2, replayedMs: 300, lostMs: 0 })
})

t.test('hands over in the middle of speech when no pause comes in time, from the safe point', async t => {
  const clock = mockClock(t)
  const { stream, notices, peers } = await session(
    t,
    async (peer, index) => {
      await peer.next('closeStream')
      // What the first still says of the open turn, the second says whole.
      peer.transcription(index === 0 ? 'half' : 'half and half', true, [['x', index * 300, 1_500]])
      peer.usage(1_000)
      peer.ws.close(1000)
    },
    { maxConnectionMs: 10_000 },
  )
  await write(
    stream,
    speech(20, index => index >= 3),
  )
  await until(clock, () => notices.some(({ name }) => name === 'rotated'), 100)
  t.match(notices.at(-1), { name: 'rotated', fromMs: 0, overlapMs: 2_000 })
  t.ok(clock.elapsedMs() >= 10_000, 'not before its life ends')
  stream.end()
  const finals = transcripts((await stream.toArray()) as SttEvent[])
  t.match(finals, [{ transcript: 'half and half', turnId: 1 }])
  t.equal(finals.length, 1)
  t.equal(peers[1]!.audioBytes(), 2_000 * 32)
  t.equal(stream.stats().transcribedAudioMs, 2_000)
})

t.test('keeps to the limit by audio too, and goes on when the next connection fails', async t => {
  const clock = mockClock(t)
  const { stream, notices, peers } = await session(
    t,
    (peer, index) => (index === 1 ? peer.ws.close(1011) : finish(peer)),
    { maxConnectionMs: 10_000 },
  )
  stream.resume()
  await write(
    stream,
    speech(85, () => false),
  )
  await until(clock, () => notices.some(({ name }) => name === 'warning'), 1)
  t.match(notices.at(-1), { name: 'warning', code: 'STT_WARN_ROTATION_FAILED' })
  t.ok(clock.elapsedMs() < 1_000)
  await until(clock, () => notices.some(({ name }) => name === 'rotated'))
  t.equal(peers.length, 3)
  stream.end()
  await once(stream, 'close')
})

t.test('changes the config by rotation; a refused one leaves the stream as it was', async t => {
  const configs: unknown[] = []
  const { stream, notices } = await session(t, async (peer, index) => {
    configs[index] = await peer.next('transcribeConfig')
    if (index === 1) {
      peer.send({ error: { code: 3, message: 'no such language' } })
      peer.ws.close(1000)
    } else await finish(peer)
  })
  stream.resume()
  await once(stream, 'open')
  await write(
    stream,
    speech(5, () => false),
  )
  await t.rejects(stream.updateConfig({ ...config, language: 'xx' }), { code: 'STT_ERR_BAD_REQUEST' })
  t.notOk(notices.some(({ name }) => name === 'rotated' || name === 'reconnecting'))
  await stream.updateConfig({ ...config, language: 'de' })
  t.match(notices.at(-1), { name: 'rotated', cause: 'config' })
  t.match(configs, [{}, { language: 'xx' }, { language: 'de' }])
  stream.end()
  await once(stream, 'close')
})

t.test('applies a config that is changed before the connection stands, and rejects at the end', async t => {
  const configs: { language?: string }[] = []
  const { stream } = await session(t, async (peer, index) => {
    configs[index] = await peer.next('transcribeConfig')
    await finish(peer)
  })
  stream.resume()
  await stream.updateConfig({ ...config, language: 'fr' })
  t.equal(configs.at(-1)?.language, 'fr')
  const late = stream.updateConfig({ ...config, language: 'it' })
  stream.end()
  await t.rejects(late, { code: 'STT_ERR_CLOSED' })
  await once(stream, 'close')
})

t.test('rotates before a token ends, where a function gives the next one', async t => {
  const clock = mockClock(t)
  const token = (seconds: number) =>
    `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ exp: Date.now() / 1_000 + seconds })).toString('base64url')}.x`
  const tokens: (string | undefined)[] = []
  const { stream, notices } = await session(
    t,
    (peer, index) => {
      tokens[index] = peer.request.headers.authorization
      return finish(peer)
    },
    { apiKey: () => token(100), pingIntervalMs: false },
  )
  stream.resume()
  await write(
    stream,
    speech(5, () => false),
  )
  await until(clock, () => notices.some(({ name }) => name === 'rotated'), 1_000)
  t.match(notices.at(-1), { name: 'rotated', cause: 'token' })
  t.ok(clock.elapsedMs() > 70_000 && clock.elapsedMs() < 90_000, 'a fifth of its life before the end')
  t.match(tokens, [/^Bearer eyJ/, /^Bearer eyJ/])
  stream.end()
  await once(stream, 'close')
})

t.test('has the next connection take over when the current one is lost meanwhile', async t => {
  const clock = mockClock(t)
  const { stream, notices, peers } = await session(
    t,
    (_peer, index) => (index === 1 ? finish(_peer) : undefined),
    {
      maxConnectionMs: 10_000,
    },
  )
  stream.resume()
  await write(
    stream,
    speech(20, index => index >= 3),
  )
  await until(clock, () => peers.length === 2 && peers[1]!.kinds.length > 0)
  clock.advance(400)
  peers[0]!.ws.terminate()
  await settle(200)
  t.notOk(notices.some(({ name }) => name === 'reconnecting'))
  t.match(notices.at(-1), { fromMs: 0, replayedMs: 2_000, lostMs: 0 })
  stream.end()
  await once(stream, 'close')
  t.equal(peers.length, 2)
})

t.test('hibernates in a long silence and wakes with the next speech', async t => {
  const { stream, notices, peers } = await session(t, finish, { hibernateAfterMs: 2_000 })
  stream.resume()
  await write(
    stream,
    speech(40, () => false),
  )
  t.match(notices.at(-1), { name: 'hibernating', atMs: 2_000 })
  t.match(stream.stats(), { skippedMs: 1_000, sentMs: 2_000 }, 'the last second may yet be sent')
  await write(
    stream,
    speech(5, () => true, 40),
  )
  stream.end()
  await once(stream, 'close')
  t.match(notices.at(-1), { name: 'reconnected', fromMs: 3_000, lostMs: 0 })
  t.strictSame(
    peers.map(peer => peer.audioBytes() / 32),
    [2_000, 1_500],
    'with a second of the silence before',
  )
  t.match(notices.at(-1), { replayedMs: 0 }, 'which no connection had been sent')
  t.equal(accountedMs(stream), 4_500)
  t.equal(stream.stats().transcribedAudioMs, 2_000)
})

t.test('hibernates when no audio comes at all, and ends from there', async t => {
  const clock = mockClock(t)
  const { stream, notices, peers } = await session(t, finish, { hibernateAfterMs: 2_000 })
  stream.resume()
  await write(
    stream,
    speech(2, () => false),
  )
  await until(clock, () => notices.some(({ name }) => name === 'hibernating'))
  t.equal(
    await new Promise(resolve => {
      void stream.expectTurn().then(resolve)
      stream.write({ endTurn: true })
    }),
    undefined,
    'no turn to end',
  )
  stream.end()
  await once(stream, 'close')
  t.equal(peers.length, 1)
  t.equal(accountedMs(stream), 200)
})

t.test(
  'hibernates with speech unanswered: its answer comes first, and a loss meanwhile is a loss',
  async t => {
    const { stream, notices, peers } = await session(
      t,
      async (peer, index) => {
        await peer.next('closeStream')
        if (index === 0) {
          peer.ws.terminate()
          return
        }
        peer.transcription(`${index}`, true, [['x', index === 1 ? 50 : 1_050, index === 1 ? 950 : 1_450]])
        peer.usage(1_000)
        peer.ws.close(1000)
      },
      { hibernateAfterMs: 2_000 },
    )
    const events = stream.toArray() as Promise<SttEvent[]>
    await write(
      stream,
      speech(40, index => index < 10),
    )
    await write(
      stream,
      speech(5, () => true, 40),
    )
    stream.end()
    t.match(transcripts(await events), [
      { transcript: '1', startMs: 50 },
      { transcript: '2', startMs: 4_050 },
    ])
    t.strictSame(
      notices.map(({ name }) => name),
      ['open', 'reconnecting', 'reconnected', 'hibernating', 'reconnected'],
    )
    t.match(notices[2], { fromMs: 0, replayedMs: 3_000, lostMs: 0 })
    t.equal(peers.length, 3)
    t.equal(accountedMs(stream), 4_500)
  },
)

/** Says only an interim until it is told the end, and a final then, unless it is the first. */
const interimFirst =
  (beforeClose = () => {}) =>
  async (peer: RawPeer, index: number) => {
    await peer.next('audioChunk')
    peer.transcription(`interim ${index}`, false)
    await peer.next('closeStream')
    if (index > 0) peer.transcription(`final ${index}`, true)
    else beforeClose()
    peer.usage(1_000)
    peer.ws.close(1000)
  }

t.test('ends the turn that a connection leaves open when it goes to rest', async t => {
  const { stream, notices, peers } = await session(t, interimFirst(), { hibernateAfterMs: 600 })
  const events = stream.toArray() as Promise<SttEvent[]>
  await write(
    stream,
    speech(18, index => index < 6 || index >= 12),
  )
  stream.end()
  t.match(transcripts(await events), [
    { turnId: 1, transcript: 'interim 0', promoted: true },
    { turnId: 2, transcript: 'final 1' },
  ])
  t.strictSame(
    peers.map(peer => peer.audioBytes() / 32),
    [1_200, 1_200],
    'the pause again, not the speech before it',
  )
  t.match(notices.at(-1), { name: 'reconnected', fromMs: 600, replayedMs: 600, lostMs: 0 })
  t.equal(accountedMs(stream), 1_800)
})

t.test('wakes at once for speech that comes while it goes to rest', async t => {
  const speakAgain = () => stream.write(speech(1, () => true, 3)[0])
  const { stream, peers } = await session(t, interimFirst(speakAgain), { hibernateAfterMs: 20 })
  stream.resume()
  await write(
    stream,
    speech(3, index => index < 2),
  )
  await once(stream, 'reconnected')
  stream.end()
  await once(stream, 'close')
  t.strictSame(
    peers.map(peer => peer.audioBytes() / 32),
    [300, 200],
  )
  t.equal(accountedMs(stream), 400)
})

t.test('answers an endTurn that comes while it goes to rest with the turn left open', async t => {
  let turn: Promise<unknown> | undefined
  const endTurn = () => {
    turn = stream.expectTurn()
    stream.write({ endTurn: true })
  }
  const { stream, peers } = await session(t, interimFirst(endTurn), { hibernateAfterMs: 20 })
  stream.resume()
  await write(
    stream,
    speech(2, () => true),
  )
  await once(stream, 'hibernating')
  t.match(await turn, { turnId: 1, transcript: 'interim 0', promoted: true })
  stream.end()
  await once(stream, 'close')
  t.equal(peers.length, 1)
  t.equal(accountedMs(stream), 200)
})

t.test('sends again what a connection that was to rest never answered', async t => {
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      await peer.next('closeStream')
      if (index === 0) return
      peer.transcription('heard', true, [['heard', 50, 950]])
      peer.usage(1_000)
      peer.ws.close(1000)
    },
    { hibernateAfterMs: 1_000, finishTimeoutMs: 50 },
  )
  const events = stream.toArray() as Promise<SttEvent[]>
  await write(
    stream,
    speech(30, index => index < 10),
  )
  stream.end()
  t.match(transcripts(await events), [{ transcript: 'heard', startMs: 50 }])
  t.match(notices[1], { name: 'reconnecting', cause: { code: 'STT_ERR_UNRESPONSIVE' } })
  t.notOk(notices.some(({ name }) => name === 'warning'))
})

t.test(
  'takes a config back that the service refuses by closing, and applies none that is not in force',
  async t => {
    const clock = mockClock(t)
    const { stream, notices, peers } = await session(t, async peer => {
      const { language } = await peer.next('transcribeConfig')
      if (language === 'xx') peer.ws.close(1000)
      else await finish(peer)
    })
    stream.resume()
    await write(
      stream,
      speech(5, () => false),
    )
    let outcome: unknown
    stream.updateConfig({ ...config, language: 'xx' }).catch((error: unknown) => (outcome = error))
    await until(clock, () => outcome !== undefined, 100)
    t.match(outcome, { code: 'STT_ERR_CLOSED_EARLY' })
    t.equal(peers.length, 4, 'three attempts')
    peers[0]!.ws.terminate()
    await settle()
    stream.write(frames(1, { startMs: 500 })[0])
    await until(clock, () => notices.at(-1)?.name === 'reconnected', 10)
    stream.end()
    await until(clock, () => stream.closed, 100)
    t.notOk(stream.errored, 'the connection after it has the config that is in force')
  },
)

t.test('rotates for no token that has ended already, nor for the same twice', async t => {
  const clock = mockClock(t)
  const exp = Date.now() / 1_000 + 60
  const payloads = [{ exp: exp - 120 }, { exp }, { exp }]
  for (const [first, expected] of [
    [0, 0],
    [1, 1],
  ] as const) {
    let asked = first
    const { stream, notices } = await session(t, finish, {
      pingIntervalMs: false,
      apiKey: () =>
        `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(payloads[asked++])).toString('base64url')}.x`,
    })
    stream.resume()
    await write(
      stream,
      speech(5, () => false),
    )
    for (let ms = 0; ms < 200_000; ms += 1_000) {
      clock.advance(1_000)
      await settle(5)
    }
    t.equal(notices.filter(({ name }) => name === 'rotated').length, expected)
    stream.destroy()
    await once(stream, 'close')
  }
})

t.test('is left in peace when it is destroyed by who is told of a failed rotation', async t => {
  const clock = mockClock(t)
  const { stream, peers } = await session(
    t,
    (peer, index) => (index === 1 ? peer.ws.close(1011) : undefined),
    {
      maxConnectionMs: 10_000,
    },
  )
  stream.resume()
  stream.on('warning', () => stream.destroy())
  await write(
    stream,
    speech(5, () => false),
  )
  await until(clock, () => stream.closed, 100)
  clock.advance(60_000)
  await settle()
  t.equal(peers.length, 2)
})

t.test('asks once again what a connection that was to rest closed on without usage', async t => {
  const { stream, notices, peers } = await session(
    t,
    async (peer, index) => {
      await peer.next('audioChunk')
      peer.transcription('un', false)
      await peer.next('closeStream')
      if (index === 1) peer.transcription('unheard', true, [['unheard', 50, 450]])
      peer.ws.close(1000)
    },
    { hibernateAfterMs: 1_000 },
  )
  const events = stream.toArray() as Promise<SttEvent[]>
  await write(
    stream,
    speech(20, index => index < 5),
  )
  stream.end()
  t.match(transcripts(await events), [{ transcript: 'unheard', turnId: 1, startMs: 50 }])
  t.match(
    notices.map(({ name }) => name),
    ['open', 'reconnecting', 'reconnected', 'hibernating'],
  )
  t.equal(peers.length, 2)
})

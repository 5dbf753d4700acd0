import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import type { FrameOrMark } from '#dist/audio/frame.js'
import type { SttError } from '#dist/errors.js'
import type { SttEvent } from '#dist/stt/events.js'
import type { SttSessionOptions } from '#dist/stt/session-options.js'
import { SttSession } from '#dist/stt/session.js'
import { frames } from './fixtures/frames.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { wireConfig as config } from './fixtures/wire-config.js'

const retry = { baseDelayMs: 1, maxAttempts: 3 }

/** Speech from 500 to 1000 ms, a pause, speech from 1500 to 2000 ms, a pause. */
function twoTurns(): FrameOrMark[] {
  const voiced = (index: number) => (index >= 5 && index < 10) || (index >= 15 && index < 20)
  return frames(25).map((frame, index) => ({ ...frame, voiced: voiced(index) }))
}

async function session(
  t: Test,
  peer: (peer: RawPeer, index: number) => void | Promise<void>,
  options: Partial<SttSessionOptions> = {},
) {
  const server = await rawServer(peer)
  t.teardown(() => server.close())
  const stream = new SttSession({ url: server.url, config, retry, ...options })
  const notices: [string, Record<string, unknown>?][] = []
  for (const name of ['open', 'reconnecting', 'reconnected', 'rotated', 'hibernating', 'warning'])
    stream.on(name, (notice?: Record<string, unknown>) => notices.push(notice ? [name, notice] : [name]))
  return { stream, notices }
}

const writeAll = (stream: SttSession, items: FrameOrMark[]) => {
  for (const item of items) stream.write(item)
}
const all = async (stream: SttSession) => {
  stream.end()
  return (await stream.toArray()) as SttEvent[]
}
const finalsOf = (events: SttEvent[]) =>
  events.filter(event => event.type === 'transcription').filter(({ isFinal }) => isFinal)

async function finish(peer: RawPeer) {
  await peer.next('closeStream')
  peer.usage()
  peer.ws.close(1000)
}

/** Waits until so much audio has come. */
async function heard(peer: RawPeer, ms: number) {
  while (peer.audioBytes() < ms * 32) await peer.next('audioChunk')
}

t.test('sends again what no final has covered, from the pause before it', async t => {
  const audioMs: number[] = []
  const { stream, notices } = await session(t, async (peer, index) => {
    if (index === 0) {
      await heard(peer, 2_500)
      peer.send({ result: { speechStarted: { startTimeMs: 500 } } })
      peer.transcription('One.', true, [['One.', 550, 950]])
      peer.send({ result: { speechStarted: { startTimeMs: 1_500 } } })
      peer.transcription('tw', false)
      peer.ws.close(1011)
      return
    }
    await finish(peer)
    audioMs.push(peer.audioBytes() / 32)
  })
  writeAll(stream, twoTurns())
  const events = await all(stream)
  t.strictSame(audioMs, [1_500], 'from the pause at 1000 ms on')
  t.match(notices, [
    ['open'],
    ['reconnecting', { attempt: 1, cause: { code: 'STT_ERR_CLOSED', closeCode: 1011 } }],
    ['reconnected', { fromMs: 1_000, replayedMs: 1_500, lostMs: 0 }],
  ])
  t.match(finalsOf(events), [
    { transcript: 'One.', turnId: 1, endMs: 950 },
    { transcript: 'tw', turnId: 2, promoted: true },
  ])
})

t.test('places results of the new connection on the clock, in the turns and numbers of the old', async t => {
  const { stream } = await session(t, async (peer, index) => {
    if (index === 0) {
      await heard(peer, 2_000)
      peer.send({ result: { speechStarted: { startTimeMs: 500 } } })
      peer.transcription('one', false)
      peer.transcription('One.', true, [['One.', 550, 950]])
      peer.send({ result: { speechStarted: { startTimeMs: 1_500 } } })
      peer.transcription('two', false)
      peer.ws.terminate()
      return
    }
    await peer.next('closeStream')
    peer.send({ result: { speechStarted: { startTimeMs: 500 } } })
    peer.transcription('two', false)
    peer.transcription('Two.', true, [['Two.', 550, 950]])
    peer.usage()
    peer.ws.close(1000)
  })
  writeAll(stream, twoTurns())
  const events = await all(stream)
  const results = events.filter(event => event.type === 'transcription')
  t.match(results, [
    { transcript: 'one', turnId: 1, seq: 1 },
    { transcript: 'One.', turnId: 1, seq: 2, startMs: 550 },
    { transcript: 'two', turnId: 2, seq: 3 },
    { transcript: 'two', turnId: 2, seq: 4 },
    { transcript: 'Two.', turnId: 2, seq: 5, startMs: 1_550, endMs: 1_950 },
  ])
  t.notOk(results.some(result => 'overlapMs' in result))
  t.strictSame(
    events.filter(event => event.type === 'speechStarted').map(({ startMs }) => startMs),
    [500, 1_500],
    'the speech of the open turn is told once',
  )
})

t.test('drops what has been delivered, holds its interims back, marks what overlaps', async t => {
  const { stream } = await session(t, async (peer, index) => {
    if (index === 0) {
      await heard(peer, 2_000)
      // No speech events: nothing proves that the pause behind the first turn is safe.
      peer.transcription('One.', true, [['One.', 550, 950]])
      peer.ws.close(1001)
      return
    }
    await peer.next('closeStream')
    peer.transcription('on', false)
    peer.transcription('One!', true, [['One!', 560, 970]])
    peer.transcription('one two', false)
    peer.transcription('One, two.', true, [
      ['One,', 560, 970],
      ['two.', 1_550, 1_950],
    ])
    peer.usage()
    peer.ws.close(1000)
  })
  writeAll(stream, twoTurns())
  const results = (await all(stream)).filter(event => event.type === 'transcription')
  t.match(results, [
    { transcript: 'One.', isFinal: true, turnId: 1 },
    { transcript: 'one two', isFinal: false, turnId: 2 },
    { transcript: 'One, two.', isFinal: true, turnId: 2, overlapMs: 390 },
  ])
  t.equal(results.length, 3)
})

t.test('does not end with an interim whose final was dropped', async t => {
  const { stream } = await session(t, async (peer, index) => {
    if (index > 0) await peer.next('closeStream')
    else await heard(peer, 2_500)
    peer.transcription('one', false)
    peer.transcription('One.', true, [['One.', 550, 950]])
    if (index > 0) peer.usage()
    peer.ws.close(index > 0 ? 1000 : 1011)
  })
  writeAll(stream, twoTurns())
  const finals = finalsOf(await all(stream))
  t.strictSame(
    finals.map(({ transcript }) => transcript),
    ['One.'],
  )
})

t.test('does not end with an interim of speech that has its final', async t => {
  const { stream } = await session(t, async (peer, index) => {
    if (index > 0) await peer.next('closeStream')
    else await heard(peer, 2_500)
    peer.send({ result: { speechStarted: { startTimeMs: 500 } } })
    peer.transcription('one', false)
    if (index === 0) peer.transcription('One.', true, [['One.', 550, 950]])
    peer.ws.close(index > 0 ? 1000 : 1011)
  })
  writeAll(stream, twoTurns())
  const finals = finalsOf(await all(stream))
  t.strictSame(
    finals.map(({ transcript }) => transcript),
    ['One.'],
  )
})

t.test('does not hibernate while it is sending again what the next connection must hear', async t => {
  const audioMs: number[] = []
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index > 0) await finish(peer)
      else await heard(peer, 3_000)
      audioMs.push(peer.audioBytes() / 32)
      peer.ws.terminate()
    },
    { hibernateAfterMs: 1_500 },
  )
  // Seen from the first speech alone, what is sent again ends in a silence that is long enough.
  writeAll(stream, [...twoTurns(), ...frames(5, { startMs: 2_500 })])
  const isAsleep = () => notices.some(([name]) => name === 'hibernating')
  while (stream.stats().sentMs < 6_000 && !isAsleep()) await new Promise(setImmediate)
  await all(stream)
  t.strictSame(audioMs, [3_000, 3_000])
})

t.test('loses no result that had come when the connection is lost before it is read', async t => {
  const audioMs: number[] = []
  const turns = frames(30).map((frame, index) => ({ ...frame, voiced: index % 10 < 5 }))
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index > 0) {
        await finish(peer)
        audioMs.push(peer.audioBytes() / 32)
        return
      }
      await heard(peer, 3_000)
      for (const startMs of [0, 1_000, 2_000])
        peer.transcription(`at ${startMs}`, true, [['at', startMs, startMs + 450]])
      peer.ws.close(1011)
    },
    { maxUnreadResults: 1 },
  )
  writeAll(stream, turns)
  await once(stream, 'reconnecting')
  t.equal(stream.stats().unreadResults, 3)
  stream.write({ ...turns[0], startMs: 3_000 })
  t.match(finalsOf(await all(stream)), [
    { transcript: 'at 0' },
    { transcript: 'at 1000' },
    { transcript: 'at 2000' },
  ])
  t.match(notices.at(-1), ['reconnected', { lostMs: 0 }])
  t.strictSame(audioMs, [1_600], 'from the pause before the last of them on')
})

t.test('says exactly what is lost when the turn is longer than the ring', async t => {
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index > 0) return finish(peer)
      await heard(peer, 5_000)
      peer.ws.terminate()
    },
    { replayMs: 1_000 },
  )
  writeAll(stream, frames(50, { voiced: true }))
  while (stream.stats().sentMs < 5_000) await new Promise(setImmediate)
  t.equal(stream.stats().unprotectedMs, 4_000)
  await all(stream)
  t.match(notices.at(-1), ['reconnected', { fromMs: 4_000, replayedMs: 1_000, lostMs: 4_000 }])
  t.match(stream.stats(), { lostMs: 4_000, replayedMs: 1_000, unprotectedMs: 0, connections: 2 })
})

t.test('replays what the ring holds when the connection stands, not when it was asked for', async t => {
  const pass = { opened() {}, failed() {}, leave() {} }
  let attempts = 0
  let admit = () => {}
  const asked = new EventEmitter()
  const audioMs: number[] = []
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index > 0) await finish(peer)
      else await heard(peer, 1_000)
      audioMs.push(peer.audioBytes() / 32)
      peer.ws.terminate()
    },
    {
      replayMs: 1_000,
      gate: {
        enter: async () => {
          if (attempts++ === 0) return pass
          const admitted = new Promise<void>(resolve => (admit = resolve))
          asked.emit('again')
          await admitted
          return pass
        },
      },
    },
  )
  const askedAgain = once(asked, 'again')
  const [newest, ...others] = frames(11, { voiced: true }).reverse() as [FrameOrMark, ...FrameOrMark[]]
  writeAll(stream, others.reverse())
  await askedAgain
  stream.write(newest)
  admit()
  await all(stream)
  t.match(notices.at(-1), ['reconnected', { fromMs: 100, replayedMs: 900, lostMs: 100 }])
  t.strictSame(audioMs, [1_000, 1_000])
})

t.test('counts as lost what left the ring behind a mark that had left it before', async t => {
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index > 0) return finish(peer)
      await heard(peer, 1_500)
      peer.transcription('one', true, [['one', 50, 300]])
      peer.ws.terminate()
    },
    { replayMs: 1_000, config: { ...config, inworldSttV1Config: { vadThreshold: 0 } } },
  )
  const items = frames(15, { voiced: true })
  writeAll(stream, [...items.slice(0, 3), { endTurn: true }, ...items.slice(3)])
  await all(stream)
  t.match(notices.at(-1), ['reconnected', { fromMs: 500, replayedMs: 1_000, lostMs: 200 }])
})

t.test(
  'gives up: after maxAttempts, on what no attempt can mend, without retry, after maxOutageMs',
  async t => {
    const failing = await session(t, peer => peer.ws.close(1011))
    failing.stream.write(frames(1)[0])
    const [error] = (await once(failing.stream, 'error')) as [SttError]
    t.match(error, { code: 'STT_ERR_CLOSED', closeCode: 1011 })
    t.equal(failing.notices.filter(([name]) => name === 'reconnecting').length, 3)

    const badRequest = await session(t, peer => peer.send({ error: { code: 3, message: 'no such model' } }))
    badRequest.stream.write(frames(1)[0])
    t.match(await once(badRequest.stream, 'error'), [{ code: 'STT_ERR_BAD_REQUEST' }])
    t.notOk(badRequest.notices.some(([name]) => name === 'reconnecting'))

    const without = await session(t, peer => peer.ws.close(1011), { retry: false })
    without.stream.write(frames(1)[0])
    t.match(await once(without.stream, 'error'), [{ code: 'STT_ERR_CLOSED' }])
    t.notOk(without.notices.some(([name]) => name === 'reconnecting'))

    const long = await session(t, peer => peer.ws.close(1011), { retry: { baseDelayMs: 1, maxOutageMs: 0 } })
    long.stream.write(frames(1)[0])
    await once(long.stream, 'error')
    t.ok(long.notices.filter(([name]) => name === 'reconnecting').length <= 2)

    const mute = await session(t, peer => peer.ws.close(1000), { retry: { baseDelayMs: 1 } })
    mute.stream.write(frames(1)[0])
    t.match(await once(mute.stream, 'error'), [{ code: 'STT_ERR_CLOSED_EARLY' }])
    t.equal(
      mute.notices.filter(([name]) => name === 'reconnecting').length,
      2,
      'closed in peace, three times',
    )
  },
)

t.test('counts attempts anew once a connection has brought a new final', async t => {
  const { stream, notices } = await session(
    t,
    async (peer, index) => {
      if (index === 8) return finish(peer)
      await peer.next('audioChunk')
      if (index % 2 === 1) peer.transcription(`turn ${index}`, true)
      peer.ws.close(1011)
    },
    { retry: { baseDelayMs: 1, maxAttempts: 2 } },
  )
  writeAll(stream, frames(3, { voiced: true }))
  const events = await all(stream)
  t.equal(finalsOf(events).length, 4)
  const attempts = notices.filter(([name]) => name === 'reconnecting').map(([, notice]) => notice?.attempt)
  t.strictSame(attempts, [1, 1, 2, 1, 2, 1, 2, 1])
})

t.test('opens no connection for silence, and the next one with the next audio', async t => {
  let connections = 0
  const { stream, notices } = await session(t, async (peer, index) => {
    connections++
    if (index > 0) return finish(peer)
    await heard(peer, 300)
    peer.ws.close(1001)
  })
  writeAll(stream, frames(3))
  await once(stream, 'reconnecting')
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  t.equal(connections, 1)
  stream.write(frames(4)[3])
  await once(stream, 'reconnected')
  await all(stream)
  t.equal(connections, 2)
  t.match(notices.at(-1), ['reconnected', { fromMs: 0, replayedMs: 300, lostMs: 0 }])
})

t.test('ends without a further connection when all results had come', async t => {
  let connections = 0
  const { stream, notices } = await session(t, async peer => {
    connections++
    await peer.next('closeStream')
    peer.transcription('One.', true, [['One.', 50, 250]])
    peer.ws.close(1011)
  })
  writeAll(stream, frames(3, { voiced: true }))
  t.match(finalsOf(await all(stream)), [{ transcript: 'One.' }])
  t.equal(connections, 1)
  t.match(notices.at(-1), ['warning', { code: 'STT_WARN_CLOSED_LATE' }])
})

t.test('asks the next connection for the answers to endTurn', async t => {
  const { stream } = await session(
    t,
    async (peer, index) => {
      await peer.next('endTurn')
      if (index === 0) {
        peer.transcription('first', true, [['first', 550, 950]])
        await peer.next('endTurn')
        peer.ws.terminate()
        return
      }
      peer.transcription('second', true, [['second', 50, 450]])
      await finish(peer)
    },
    { config: { ...config, inworldSttV1Config: { vadThreshold: 0 } } },
  )
  stream.resume()
  const items = twoTurns()
  const first = stream.expectTurn()
  const second = stream.expectTurn()
  writeAll(stream, [...items.slice(0, 12), { endTurn: true }, ...items.slice(12), { endTurn: true }])
  t.match(await first, { transcript: 'first', turnId: 1 })
  t.match(await second, { transcript: 'second', turnId: 2, startMs: 1_250 }, 'from the first mark on')
  stream.end()
  await once(stream, 'close')
})

t.test('gives up a connection that hears speech and says nothing, once', async t => {
  const clock = mockClock(t)
  let connections = 0
  const { stream, notices } = await session(
    t,
    () => {
      connections++
    },
    { watchdogMs: 5_000, pingIntervalMs: false },
  )
  stream.on('error', () => {})
  writeAll(stream, frames(5, { voiced: true }))
  const until = async (condition: () => boolean, stepMs: number) => {
    while (!condition()) {
      clock.advance(stepMs)
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    }
  }
  await until(() => notices.some(([name]) => name === 'reconnected'), 100)
  t.match(
    notices.find(([name]) => name === 'reconnecting'),
    ['reconnecting', { cause: { code: 'STT_ERR_UNRESPONSIVE', retryable: true } }],
  )
  await until(() => notices.some(([name]) => name === 'warning'), 100)
  t.match(notices.at(-1), ['warning', { code: 'STT_WARN_NOTHING_HEARD' }])
  t.equal(connections, 2)
  stream.destroy()
  await once(stream, 'close')
})

t.test('tells which final answers endTurn by the speech between them', async t => {
  const { stream } = await session(t, async peer => {
    await peer.next('endTurn')
    // The first turn's own final, late; then the one that was asked for.
    peer.transcription('One.', true, [['One.', 550, 950]])
    await new Promise(setImmediate)
    peer.transcription('Two.', true, [['Two.', 1_550, 1_950]])
    await peer.next('endTurn')
    peer.transcription('', true)
    await finish(peer)
  })
  stream.resume()
  const answer = stream.expectTurn()
  const nothing = stream.expectTurn()
  writeAll(stream, [...twoTurns(), { endTurn: true }])
  t.match(await answer, { transcript: 'Two.' })
  writeAll(stream, [...frames(2, { startMs: 2_500 }), { endTurn: true }])
  t.equal(await nothing, undefined)
  stream.end()
  await once(stream, 'close')
})

t.test('does not send an endTurn again that was answered', async t => {
  const kinds: string[][] = []
  const { stream } = await session(t, async (peer, index) => {
    kinds.push(peer.kinds)
    await peer.next('endTurn')
    if (index === 0) {
      peer.transcription('One.', true, [['One.', 550, 950]])
      await heard(peer, 1_800)
      peer.ws.terminate()
      return
    }
    const atMs = peer.audioBytes() / 32
    peer.transcription('Two.', true, [['Two.', atMs - 600, atMs - 200]])
    await finish(peer)
  })
  stream.resume()
  const items = twoTurns()
  const first = stream.expectTurn()
  writeAll(stream, [...items.slice(0, 13), { endTurn: true }])
  t.match(await first, { transcript: 'One.' })
  writeAll(stream, items.slice(13, 18))
  await once(stream, 'reconnected')
  const second = stream.expectTurn()
  writeAll(stream, [...items.slice(18), { endTurn: true }])
  t.match(await second, { transcript: 'Two.', endMs: 2_300 })
  stream.end()
  await once(stream, 'close')
  t.strictSame(kinds[1], ['transcribeConfig', 'audioChunk', 'endTurn', 'closeStream'])
})

t.test('gives up an endTurn that is lost with its connection and no longer kept', async t => {
  const clock = mockClock(t)
  const { stream } = await session(
    t,
    async (peer, index) => {
      if (index > 0) return
      await heard(peer, 2_000)
      peer.ws.terminate()
    },
    { replayMs: 1_000, finishTimeoutMs: 5_000, watchdogMs: false, pingIntervalMs: false },
  )
  stream.resume()
  let back = false
  stream.once('reconnected', () => (back = true))
  let failure: Error | undefined
  stream.expectTurn().catch((error: Error) => (failure = error))
  writeAll(stream, [...frames(5, { voiced: true }), { endTurn: true }])
  writeAll(stream, frames(20, { startMs: 500, voiced: true }))
  while (!back) {
    clock.advance(1)
    await new Promise(setImmediate)
  }
  t.notOk(failure, 'not with the connection')
  clock.advance(5_000)
  await new Promise(setImmediate)
  t.match(failure, { code: 'STT_ERR_TURN_TIMEOUT' })
  stream.destroy()
  await once(stream, 'close')
})

t.test('passes an endTurn that the service ignored for want of speech', async t => {
  const { stream } = await session(t, async peer => {
    await peer.next('endTurn')
    await peer.next('endTurn')
    peer.transcription('Two.', true, [['Two.', 1_550, 1_950]])
    await peer.next('endTurn')
    peer.transcription('On and on.', true, [
      ['On', 2_600, 2_800],
      ['on.', 3_300, 3_450],
    ])
    await finish(peer)
  })
  stream.resume()
  const silence = stream.expectTurn()
  const speech = stream.expectTurn()
  const items = twoTurns().map(item => ({ ...item, voiced: 'voiced' in item && item.startMs >= 1_500 }))
  writeAll(stream, [...items.slice(0, 12), { endTurn: true }, ...items.slice(12), { endTurn: true }])
  t.match(await speech, { transcript: 'Two.' })
  t.equal(await silence, undefined)
  const merged = stream.expectTurn()
  const voiced = frames(12, { startMs: 2_500, voiced: true })
  writeAll(stream, [...voiced.slice(0, 5), { endTurn: true }, ...voiced.slice(5)])
  t.match(await merged, { transcript: 'On and on.' }, 'the service did not end the turn at the mark')
  stream.end()
  await once(stream, 'close')
})

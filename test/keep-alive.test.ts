import { once } from 'node:events'
import t from 'tap'
import { SttSession } from '#dist/stt/session.js'
import { frames } from './fixtures/frames.js'
import { mockClock } from './fixtures/mock-clock.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { wireConfig as config } from './fixtures/wire-config.js'

async function held(t: Parameters<typeof mockClock>[0], keepAlive?: 'silence' | false) {
  const clock = mockClock(t)
  let peer!: RawPeer
  const server = await rawServer(opened => {
    peer = opened
  })
  t.teardown(() => server.close())
  const stream = new SttSession({
    url: server.url,
    config,
    pingIntervalMs: false,
    keepAlive,
    watchdogMs: false,
  })
  t.teardown(() => stream.destroy())
  stream.resume()
  await once(stream, 'open')
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
    return peer.audioBytes() / 32
  }
  const write = (item: object) => new Promise(resolve => stream.write(item, resolve))
  return { stream, pass, write, peer: () => peer }
}

t.test(
  'ends the open turn of a source on hold as a pause would, then sends a frame now and then',
  async t => {
    const { stream, pass, write, peer } = await held(t)
    for (const frame of frames(5, { voiced: true })) await write(frame)
    t.equal(await pass(4_900), 500)
    t.equal(await pass(100), 2_500, 'two seconds of silence')
    peer().transcription('held', true, [['held', 50, 450]])
    t.equal(await pass(4_900), 2_500)
    t.equal(await pass(200), 2_600, 'nothing is pending any more')
    t.equal(await pass(5_000), 2_700)
    t.match(stream.stats(), { sentMs: 2_700, insertedMs: 2_200 })

    // What comes after the hold keeps its place on the source's clock.
    for (const frame of frames(5, { startMs: 500, voiced: true })) await write(frame)
    peer().transcription('on', true, [['on', 2_750, 2_950]])
    const results: unknown[] = []
    stream.on('data', event => results.push(event))
    await pass(0)
    t.match(results, [{ transcript: 'on', startMs: 550, endMs: 750 }])
  },
)

t.test('sends nothing where it is off', async t => {
  const { pass, write } = await held(t, false)
  for (const frame of frames(5, { voiced: true })) await write(frame)
  t.equal(await pass(60_000), 500)
})

t.test('does not count as audio of the source', async t => {
  const { stream, pass } = await held(t)
  const failed = once(stream, 'error')
  await pass(150_000)
  await pass(150_000)
  t.match(await failed, [{ code: 'STT_ERR_IDLE_TIMEOUT' }])
})

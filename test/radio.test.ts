import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import t, { type Test } from 'tap'
import { openSource, sttStream, type SttEvent } from '#dist/index.js'
import { encode } from './fixtures/audio.js'
import { icecast, noIcecast } from './fixtures/icecast.js'
import { scriptedServer, tone, toneWav } from './fixtures/scripted.js'

/** A server that answers each connection with these bytes, and then does as it is told. */
async function station(t: Test, answer: string, then: (socket: Socket, connection: number) => void) {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    socket.once('data', question => {
      const connection = asked.push(String(question))
      socket.write(answer)
      then(socket, connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    idle: async () => {
      for (const socket of sockets) await new Promise(resolve => socket.once('close', resolve))
    },
  }
}

const playOn = (socket: Socket) => {
  const play = () => void (socket.destroyed || socket.write(tone(100), () => setImmediate(play)))
  play()
}

/** The finals of a live stream until there are so many. */
async function hear(t: Test, address: string, finals: number, options = {}): Promise<string[]> {
  const { url } = await scriptedServer(t)
  const { bytes, live } = await openSource(address)
  t.ok(live, 'it is live')
  const stream = pipeline(bytes, sttStream({ url, ...options }), () => {})
  const heard: string[] = []
  for await (const event of stream as AsyncIterable<SttEvent>) {
    if (event.type !== 'transcription' || !event.isFinal) continue
    heard.push(event.transcript)
    if (heard.length === finals) void stream.stop()
  }
  return heard
}

const RAW = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const

t.test('SHOUTcast 1 is heard, though its answer is no HTTP', async t => {
  const radio = await station(t, 'ICY 200 OK\r\nicy-name: Lamp FM\r\nicy-br: 256\r\n\r\n', playOn)
  t.strictSame(await hear(t, radio.url, 2, { input: RAW }), ['turn the lamp on', 'thank you'])
  t.equal(radio.asked.length, 2, 'asked again once its kind was known')
  t.equal(radio.asked[1], radio.asked[0])
  t.notMatch(radio.asked[0], /icy-metadata/i)
  await radio.idle()
})

t.test('SHOUTcast 1 that refuses is STT_ERR_SOURCE', async t => {
  const refusing = await station(t, 'ICY 401 Service Unavailable\r\n\r\n', socket => socket.end())
  await t.rejects(openSource(refusing.url), { code: 'STT_ERR_SOURCE', httpStatus: 401 })
  await refusing.idle()
})

t.test('an answer that is neither is STT_ERR_SOURCE', async t => {
  const { url } = await station(t, 'SSH-2.0-OpenSSH_9.2\r\n', () => {})
  await t.rejects(openSource(url), { code: 'STT_ERR_SOURCE', message: /Parse Error/, retryable: false })
})

t.test('only what HTTP calls an end is one', async t => {
  const untilClosed = 'HTTP/1.0 200 OK\r\nicy-name: Lamp FM\r\n\r\n'
  const chunked = 'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n'
  const cases: [string, string, 'end' | 'resetAndDestroy', boolean][] = [
    ['without a length, closed', `${untilClosed}audio`, 'end', true],
    ['without a length, reset', `${untilClosed}audio`, 'resetAndDestroy', false],
    ['SHOUTcast 1, closed', 'ICY 200 OK\r\n\r\naudio', 'end', true],
    ['SHOUTcast 1, reset', 'ICY 200 OK\r\n\r\naudio', 'resetAndDestroy', false],
    ['in chunks, with the last', `${chunked}5\r\naudio\r\n0\r\n\r\n`, 'end', true],
    ['in chunks, without the last', `${chunked}5\r\naudio\r\n`, 'end', false],
    ['in chunks, in the middle of one', `${chunked}a\r\naudio`, 'end', false],
    ['in chunks, reset', `${chunked}5\r\naudio\r\n`, 'resetAndDestroy', false],
  ]
  for (const [name, answer, leave, isEnd] of cases) {
    let peer: Socket | undefined
    const { url, idle } = await station(t, answer, socket => (peer = socket))
    const { bytes } = await openSource(url)
    await once(bytes, 'readable')
    peer?.[leave]()
    const outcome = bytes.toArray()
    if (isEnd) t.equal(Buffer.concat((await outcome) as Buffer[]).toString(), 'audio', name)
    else await t.rejects(outcome, { code: 'STT_ERR_SOURCE', retryable: true, message: /after 5 bytes/ }, name)
    await idle()
  }
})

t.test('Icecast is heard, mp3 and Ogg', { skip: noIcecast }, async t => {
  const directory = t.testdir({ 'tone.wav': toneWav(3_000) })
  const mp3 = await encode(directory, 'tone.mp3', ['-i', 'tone.wav'])
  const ogg = await encode(directory, 'tone.ogg', ['-i', 'tone.wav', '-c:a', 'libopus'])
  const { url, until } = await icecast(t, { '/live.mp3': mp3, '/live.ogg': ogg })
  for (const path of ['/live.mp3', '/live.ogg']) {
    const [first] = await hear(t, url + path, 1)
    t.equal(first, 'turn the lamp on', path)
    await until(`listener count on ${path} now 1`)
  }
  await t.rejects(openSource(`${url}/none`), { code: 'STT_ERR_SOURCE', httpStatus: 404 })
})

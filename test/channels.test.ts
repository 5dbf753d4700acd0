import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { wavHeader } from '#dist/audio/wav-header.js'
import { Fleet, sttStream, type SttError, type SttEvent, type SttStream } from '#dist/index.js'
import type { Script } from '#dist/testing.js'
import { encode, splitEvery } from './fixtures/audio.js'
import { idleResources } from './fixtures/resources.js'
import { stampedChannels } from './fixtures/stamped-channels.js'

/** Two who talk to each other, and sometimes at once. */
const AGENT: Script = [
  { startMs: 200, endMs: 2_000, text: 'good morning how can i help' },
  { startMs: 5_000, endMs: 6_000, text: 'one moment please' },
]
const CALLER: Script = [
  { startMs: 600, endMs: 900, text: 'hello' },
  { startMs: 3_000, endMs: 4_000, text: 'my parcel is lost' },
]
const CALL = [AGENT, CALLER]
const CALL_MS = 7_000
const IN_ORDER = ['0 good morning how can i help', '1 hello', '1 my parcel is lost', '0 one moment please']
const separate = { channels: 'separate', mergeWaitMs: false } as const

const transcriptions = (events: SttEvent[]) => events.filter(event => event.type === 'transcription')
const finals = (events: SttEvent[]) => transcriptions(events).filter(({ isFinal }) => isFinal)
const labelled = (events: SttEvent[]) =>
  finals(events).map(({ channel, transcript }) => `${channel} ${transcript}`)
const all = async (stream: SttStream) => (await stream.toArray()) as SttEvent[]
const closed = (stream: SttStream) =>
  new Promise<void>(resolve => (stream.closed ? resolve() : stream.once('close', resolve)))

t.test('gives each channel a session, and the finals of all in the order in which they begin', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS)
  const stream = sttStream({ url: server.url, input, ...separate })
  let opens = 0
  stream.on('open', () => opens++)
  const events = await all(Readable.from(splitEvery(audio, 3_333)).pipe(stream))
  t.strictSame(labelled(events), IN_ORDER)
  t.match(
    finals(events).map(({ startMs, endMs }) => [startMs, endMs]),
    [
      [200, 2_000],
      [600, 900],
      [3_000, 4_000],
      [5_000, 6_000],
    ],
  )
  t.strictSame(
    transcriptions(events).map(({ seq }) => seq),
    transcriptions(events).map((_, index) => index + 1),
    'numbered as they come',
  )
  const turns = new Map(transcriptions(events).map(({ turnId, channel }) => [turnId, channel]))
  t.strictSame([...turns.keys()].sort(), [1, 2, 3, 4], 'no two channels have the same turn')
  t.strictSame([...turns.values()].sort(), [0, 0, 1, 1])
  for (const type of ['speechStarted', 'speechStopped'] as const) {
    const channels = events.flatMap(event => (event.type === type ? [event.channel] : []))
    t.strictSame(channels.sort(), [0, 0, 1, 1], type)
  }
  t.match(events.at(-1), { type: 'usage', transcribedAudioMs: 2 * CALL_MS })
  t.equal(opens, 1, 'open comes once')
  t.equal(server.sessions.length, 2)
  t.match(stream.stats(), {
    bytesIn: audio.length,
    decodedMs: CALL_MS,
    sentMs: 2 * CALL_MS,
    connections: 2,
    finals: 4,
    channels: [
      { sentMs: CALL_MS, finals: 2, transcribedAudioMs: CALL_MS },
      { sentMs: CALL_MS, finals: 2 },
    ],
  })
})

t.test('finds out how many channels there are, whatever the container and however it comes', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS)
  const wav = Buffer.concat([wavHeader(input, audio.length), audio])
  const directory = t.testdir()
  writeFileSync(join(directory, 'call.wav'), wav)
  const flac = await encode(directory, 'call.flac', ['-i', 'call.wav'])
  const options = { url: server.url, ...separate }
  for (const [name, stream] of Object.entries({
    'wav in odd chunks': Readable.from(splitEvery(wav, 997)).pipe(sttStream(options)),
    'wav by path': sttStream({ ...options, path: join(directory, 'call.wav') }),
    'flac through ffmpeg': sttStream({ ...options, path: flac }),
    'raw in single bytes': Readable.from(splitEvery(audio.subarray(0, 32_000), 1)).pipe(
      sttStream({ ...options, input }),
    ),
  })) {
    const expected = name.includes('single') ? ['0 good morning', '1 hello'] : IN_ORDER
    const heard = labelled(await all(stream))
    if (name.includes('single')) t.match(heard.join(), /^0 good.*/, name)
    else t.strictSame(heard, expected, name)
  }
})

t.test('one channel is a stream with one channel, eight are eight', async t => {
  for (const count of [1, 8]) {
    const scripts = Array.from({ length: count }, (_, channel): Script => {
      const startMs = 200 + ((channel * 3) % 8) * 100
      return [{ startMs, endMs: startMs + 400, text: `channel ${channel}` }]
    })
    const { server, input, audio } = await stampedChannels(t, scripts, 2_500)
    const stream = sttStream({ url: server.url, input, ...separate })
    stream.end(audio)
    const events = await all(stream)
    const expected = [0, 3, 6, 1, 4, 7, 2, 5].filter(channel => channel < count)
    t.strictSame(
      labelled(events),
      expected.map(channel => `${channel} channel ${channel}`),
    )
    t.equal(server.sessions.length, count)
    t.equal(stream.stats().channels?.length, count)
  }
})

t.test('ends cleanly on empty input, with and without a format', async t => {
  const { server, input } = await stampedChannels(t, CALL, 100)
  for (const options of [{}, { input }]) {
    const stream = sttStream({ url: server.url, ...options, ...separate })
    stream.end()
    t.strictSame(finals(await all(stream)), [])
    await closed(stream)
  }
})

t.test('replaces a lost connection of one channel, says whose it was, and loses no word', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS, {
    faults: index => (index === 0 ? { close: { code: 1006, at: { afterAudioMs: 3_500 } } } : undefined),
  })
  const stream = sttStream({ url: server.url, input, ...separate, retry: { baseDelayMs: 1 } })
  const notices: [string, { channel: number }][] = []
  for (const name of ['reconnecting', 'reconnected'])
    stream.on(name, (facts: { channel: number }) => notices.push([name, facts]))
  stream.end(audio)
  t.strictSame(labelled(await all(stream)), IN_ORDER)
  t.match(notices, [
    ['reconnecting', { attempt: 1 }],
    ['reconnected', { lostMs: 0 }],
  ])
  const [lost] = notices.map(([, { channel }]) => channel)
  t.ok(lost === 0 || lost === 1)
  t.equal(notices[1]?.[1].channel, lost)
  const connections = stream.stats().channels?.map(channel => channel.connections)
  t.strictSame(connections, lost === 0 ? [2, 1] : [1, 2], 'the other one goes on')
})

t.test('the failure of one channel is the failure of the stream', async t => {
  const before = await idleResources()
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS, {
    faults: index =>
      index === 1 ? { error: { code: 8, message: 'no more', at: { afterAudioMs: 1_000 } } } : undefined,
  })
  const stream = sttStream({ url: server.url, input, ...separate, retry: false })
  const errors: SttError[] = []
  let closes = 0
  stream.on('error', (error: SttError) => errors.push(error))
  stream.on('close', () => closes++)
  stream.resume()
  stream.write(audio)
  const final = stream.endTurn()
  await t.rejects(final, { code: 'STT_ERR_QUOTA' })
  await closed(stream)
  t.match(errors, [{ code: 'STT_ERR_QUOTA' }])
  t.equal(closes, 1)
  await server.close()
  t.strictSame(await idleResources(), before)
})

t.test('destroy releases every channel, and rejects what it owes', async t => {
  const before = await idleResources()
  const { server, input, audio } = await stampedChannels(t, CALL, 1_000, { faults: { stopReading: true } })
  const wav = Buffer.concat([wavHeader(input, audio.length), audio])
  for (const whenOpen of [false, true]) {
    const stream = sttStream({ url: server.url, ...separate })
    stream.write(wav)
    const final = stream.endTurn()
    if (whenOpen) await once(stream, 'open')
    stream.destroy()
    await t.rejects(final, { code: 'STT_ERR_CLOSED' })
    await closed(stream)
  }
  await server.close()
  t.strictSame(await idleResources(), before)
})

t.test('ends turns in one channel or in all', async t => {
  const { server, input, audio, bytesPerMs } = await stampedChannels(t, CALL, CALL_MS)
  const options = { url: server.url, ...separate, inworldSttV1Config: { vadThreshold: 0 } }
  const stream = sttStream(options)
  const events: SttEvent[] = []
  stream.on('data', (event: SttEvent) => events.push(event))
  stream.write(wavHeader(input, audio.length))
  stream.write(audio.subarray(0, bytesPerMs * 2_500))
  const hello = await stream.endTurn(1)
  t.match(hello, { channel: 1, transcript: 'hello', isFinal: true })
  t.match(await stream.endTurn(), { channel: 0, transcript: 'good morning how can i help' })
  stream.write(audio.subarray(bytesPerMs * 2_500, bytesPerMs * 4_505))
  t.match(await stream.endTurn(), { channel: 1, transcript: 'my parcel is lost' })
  t.throws(() => stream.endTurn(2), { name: 'RangeError', message: /channel must be .* 0 to 1; got 2/ })
  stream.end(audio.subarray(bytesPerMs * 4_505))
  await closed(stream)
  t.strictSame(labelled(events).sort(), IN_ORDER.toSorted())
  t.ok(events.includes(hello!), 'the final is the one that comes as an event')
  const endTurns = server.sessions.map(session => session.endTurns).sort()
  t.strictSame(endTurns, [3, 4], 'with the end of the last turn in channel 0')
})

t.test('an end of turn keeps its place in the audio of each channel', async t => {
  const { server, input, audio, bytesPerMs } = await stampedChannels(t, CALL, CALL_MS, {
    faults: { upgrade: { delayMs: 50 } },
  })
  const options = { url: server.url, input, ...separate, inworldSttV1Config: { vadThreshold: 0 } }
  const stream = sttStream(options)
  stream.resume()
  stream.write(audio.subarray(0, bytesPerMs * 4_500))
  void stream.endTurn()
  stream.end(audio.subarray(bytesPerMs * 4_500))
  await closed(stream)
  for (const { messages } of server.sessions)
    t.equal(
      messages.findIndex(({ kind }) => kind === 'endTurn'),
      1 + 45,
      'behind the config and 4.5 s',
    )
})

t.test('takes one place of its fleet for all channels, and a handshake for each', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS)
  const fleet = new Fleet({ maxSessions: 1 })
  const streams = [1, 2].map(() => sttStream({ url: server.url, input, ...separate, fleet }))
  for (const stream of streams) stream.end(audio)
  for (const events of await Promise.all(streams.map(all))) t.strictSame(labelled(events), IN_ORDER)
  t.match(fleet.stats(), { sessions: 0, connections: 0, admitted: 4 })
})

t.test('lets a final go as soon as the silent channel has been sent as far', async t => {
  const { server, input, audio } = await stampedChannels(t, [[], CALLER.slice(0, 1)], 2_500, {
    faults: index => (index === 0 ? { upgrade: { delayMs: 100 } } : undefined),
  })
  const stream = sttStream({ url: server.url, input, ...separate })
  stream.write(audio)
  for await (const event of stream as AsyncIterable<SttEvent>)
    if (event.type === 'transcription' && event.isFinal) {
      t.match(event, { transcript: 'hello', channel: 1 })
      break
    }
  await closed(stream)
})

t.test('endTurn before anything is decoded, or for a channel that turns out not to be', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, 1_000)
  const stream = sttStream({ url: server.url, ...separate })
  stream.resume()
  t.equal(await stream.endTurn(), undefined)
  const missing = stream.endTurn(7)
  t.equal(await missing, undefined)
  stream.write(Buffer.concat([wavHeader(input, audio.length), audio]))
  await t.rejects(stream.endTurn(5), { name: 'RangeError', message: /0 to 1; got 5/ })
  t.throws(() => stream.endTurn(8), { name: 'RangeError' })
  t.throws(() => stream.endTurn('0' as never), { name: 'TypeError' })
  stream.end()
  await closed(stream)

  const one = sttStream({ url: server.url })
  t.throws(() => one.endTurn(0), { name: 'TypeError', message: /needs the option channels: 'separate'/ })
  one.destroy()
})

t.test('a slow reader holds up no channel for good', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS)
  const stream = sttStream({ url: server.url, input, ...separate, maxUnreadResults: 1 })
  stream.end(audio)
  const events: SttEvent[] = []
  for await (const event of stream as AsyncIterable<SttEvent>) {
    await new Promise(setImmediate)
    events.push(event)
  }
  t.strictSame(labelled(events).sort(), IN_ORDER.toSorted())
})

t.test('changes the config of every channel, and of those that are still to come', async t => {
  const { server, input, audio } = await stampedChannels(t, CALL, CALL_MS)
  const stream = sttStream({ url: server.url, ...separate })
  await stream.updateConfig({ prompts: ['parcel'] })
  stream.write(Buffer.concat([wavHeader(input, audio.length), audio]))
  await once(stream, 'open')
  await stream.updateConfig({ prompts: ['parcel', 'moment'] })
  stream.end()
  t.strictSame(labelled(await all(stream)), IN_ORDER)
  const prompts = server.sessions.map(({ config }) => (config?.prompts as string[]).length)
  t.strictSame(prompts.sort(), [1, 1, 2, 2])
})

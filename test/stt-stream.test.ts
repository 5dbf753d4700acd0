import { execFile } from 'node:child_process'
import { getEventListeners, once } from 'node:events'
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { SttError, sttStream, type SttEvent, type SttStream } from '#dist/index.js'
import { encode, splitEvery } from './fixtures/audio.js'
import { rawServer } from './fixtures/raw-server.js'
import { scriptedServer, tone, toneWav } from './fixtures/scripted.js'

const run = promisify(execFile)
const wav = toneWav(3_000)

const finalsOf = (events: SttEvent[]) =>
  events.flatMap(event => (event.type === 'transcription' && event.isFinal ? [event.transcript] : []))
const failure = async (stream: SttStream) => ((await once(stream, 'error')) as [SttError])[0]
/** Unlike `once`, deaf to the error that comes right before. */
const closed = (stream: SttStream) =>
  new Promise<void>(resolve => (stream.closed ? resolve() : stream.once('close', resolve)))
/** Children of this process that are ffmpeg. */
function ffmpegs(): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const [, command, state, parent] = /\((.*)\) (\S) (\d+)/.exec(stat) ?? []
      return command === 'ffmpeg' && state !== 'Z' && Number(parent) === process.pid
    } catch {
      return false
    }
  })
}

t.test('turns a piped file into interims and finals on the source clock', async t => {
  const { url } = await scriptedServer(t)
  const path = join(t.testdir(), 'lamp.wav')
  writeFileSync(path, wav)
  const stream = createReadStream(path).pipe(sttStream({ url, includeWordTimestamps: true }))
  const events: SttEvent[] = []
  for await (const event of stream as AsyncIterable<SttEvent>) events.push(event)
  t.strictSame(finalsOf(events), ['turn the lamp on', 'thank you'])
  const results = events.filter(event => event.type === 'transcription')
  t.ok(
    results.some(({ isFinal }) => !isFinal),
    'interims came',
  )
  t.strictSame(
    results.map(({ seq }) => seq),
    results.map((_, index) => index + 1),
  )
  const [, last] = results.filter(({ isFinal }) => isFinal)
  t.match(last, {
    turnId: 2,
    startMs: 2_200,
    endMs: 2_700,
    wordTimestamps: [{ word: 'thank' }, { word: 'you', endMs: 2_700 }],
  })
  t.match(events.at(-1), { type: 'usage', transcribedAudioMs: 3_000 })
})

t.test('works with pipeline, iterables and web streams', async t => {
  const { url } = await scriptedServer(t)
  const events: SttEvent[] = []
  const sink = new Writable({
    objectMode: true,
    write: (event: SttEvent, _, done) => (events.push(event), done()),
  })
  await pipeline(Readable.from(splitEvery(wav, 10_000)), sttStream({ url }), sink)
  t.strictSame(finalsOf(events), ['turn the lamp on', 'thank you'])

  const { readable, writable } = Duplex.toWeb(sttStream({ url }))
  void new Blob([new Uint8Array(wav)]).stream().pipeTo(writable as WritableStream<Uint8Array>)
  const fromWeb: SttEvent[] = []
  for await (const event of readable as unknown as AsyncIterable<SttEvent>) fromWeb.push(event)
  t.strictSame(finalsOf(fromWeb), ['turn the lamp on', 'thank you'])
})

t.test('sends the same audio for every split of every kind of input', async t => {
  const server = await scriptedServer(t)
  const input = { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 } as const
  const mulaw = Buffer.alloc(8_000 * 3, 0xff)
  for (const [name, chunks, options] of [
    ['wav whole', [wav], {}],
    ['wav in single bytes', splitEvery(wav.subarray(0, 20_000), 1), {}],
    ['wav in odd chunks', splitEvery(wav, 333), {}],
    ['mulaw in 20 ms', splitEvery(mulaw, 160), { input }],
  ] as const) {
    const record = once(server, 'session')
    const stream = Readable.from(chunks).pipe(sttStream({ url: server.url, ...options }))
    await stream.toArray()
    const [session] = (await record) as [
      { audioMs: number; messages: { kind: string; durationMs?: number }[] },
    ]
    const sent = session.messages.flatMap(({ durationMs }) => durationMs ?? [])
    const sourceMs = name.includes('single') ? (20_000 - 44) / 32 : 3_000
    t.ok(Math.abs(session.audioMs - sourceMs) < 20, `${name}: ${session.audioMs} ms`)
    t.ok(
      sent.every(ms => ms >= 20 && ms <= 100),
      name,
    )
  }
})

t.test('decodes mp3 through ffmpeg, piped and by path, and leaves no child', async t => {
  const { url } = await scriptedServer(t)
  const dir = t.testdir()
  writeFileSync(join(dir, 'lamp.wav'), wav)
  const mp3 = await encode(dir, 'lamp.mp3', ['-i', 'lamp.wav'])
  const piped = (await createReadStream(mp3).pipe(sttStream({ url })).toArray()) as SttEvent[]
  t.strictSame(finalsOf(piped), ['turn the lamp on', 'thank you'])
  const byPath = sttStream({ url, path: mp3 })
  t.strictSame(finalsOf((await byPath.toArray()) as SttEvent[]), ['turn the lamp on', 'thank you'])
  t.equal(byPath.stats().format?.encoding, 'f32le')
  t.strictSame(ffmpegs(), [])
})

t.test('hears the channels that are chosen, and fails where the audio has them not', async t => {
  const { url } = await scriptedServer(t)
  const input = { encoding: 'f32le', sampleRateHertz: 16_000, channels: 2 } as const
  const rightIsBroken = Buffer.alloc(8 * 16_000)
  for (let at = 4; at < rightIsBroken.length; at += 8) rightIsBroken.writeFloatLE(NaN, at)
  for (const [options, expected] of [
    [{}, ['STT_WARN_NON_FINITE']],
    [{ channels: [0] }, []],
    [{ mix: [1, 0] }, []],
    [{ mix: [0, 1] }, ['STT_WARN_NON_FINITE']],
  ] as const) {
    const codes: string[] = []
    const stream = sttStream({ url, input, inspect: false, ...options })
    stream.on('warning', ({ code }: { code: string }) => codes.push(code))
    stream.end(rightIsBroken)
    await stream.toArray()
    t.strictSame(codes, expected)
  }
  const stream = sttStream({ url, channels: [1] })
  stream.end(wav)
  t.match(await failure(stream), {
    code: 'STT_ERR_UNSUPPORTED_AUDIO',
    message: /channels must name some of the input's 1 channel/,
  })
})

t.test('ends cleanly on empty input', async t => {
  const { url } = await scriptedServer(t, { script: [] })
  const stream = sttStream({ url })
  stream.end()
  t.strictSame(finalsOf((await stream.toArray()) as SttEvent[]), [])
})

t.test('takes audio before the connection is open and loses none of it', async t => {
  const server = await scriptedServer(t, { faults: { upgrade: { delayMs: 300 } } })
  const stream = sttStream({ url: server.url })
  stream.end(wav)
  t.strictSame(finalsOf((await stream.toArray()) as SttEvent[]), ['turn the lamp on', 'thank you'])
  t.equal(server.sessions[0]?.audioMs, 3_000)
})

t.test('ends turns on demand, after all audio written before', async t => {
  const server = await scriptedServer(t)
  const stream = sttStream({ url: server.url, inworldSttV1Config: { vadThreshold: 0 } })
  const events: SttEvent[] = []
  stream.on('data', (event: SttEvent) => events.push(event))
  stream.write(wav.subarray(0, 44 + 32 * 1_205))
  const first = await stream.endTurn()
  t.match(first, { transcript: 'turn the lamp on', turnId: 1, isFinal: true })
  stream.write(wav.subarray(44 + 32 * 1_205))
  const second = stream.endTurn()
  stream.end()
  t.match(await second, { transcript: 'thank you', turnId: 2 })
  await once(stream, 'close')
  t.strictSame(finalsOf(events), ['turn the lamp on', 'thank you'])
  const { messages, endTurns } = server.sessions[0]!
  t.equal(endTurns, 2)
  const kinds = messages.map(({ kind }) => kind)
  // 12 frames of 100 ms and the 5 ms behind them, padded to 20.
  t.equal(kinds.indexOf('endTurn'), 1 + 13)
  t.equal(messages[13]?.durationMs, 20)
  t.equal(stream.stats().insertedMs, 15)
  t.throws(() => void stream.endTurn(), { name: 'TypeError' })
})

t.test('rejects endTurn with the error of the stream', async t => {
  const { url } = await scriptedServer(t)
  for (const [code, fail] of Object.entries<(stream: SttStream, controller: AbortController) => void>({
    ABORT_ERR: (_, controller) => controller.abort(),
    STT_ERR_DECODE: stream => stream.end('RIFF\0\0\0\0WAVE'),
    MINE: stream => stream.destroy(Object.assign(new Error('my own'), { code: 'MINE' })),
    STT_ERR_CLOSED: stream => stream.destroy(),
  })) {
    const controller = new AbortController()
    const stream = sttStream({ url, signal: controller.signal })
    stream.on('error', () => {})
    const final = stream.endTurn()
    fail(stream, controller)
    await t.rejects(final, { code })
  }
})

t.test('closes although the decoder saw the end of the audio before the end of the bytes', async t => {
  const dir = t.testdir({ 'a.wav': toneWav(3_000) })
  const ffmpegPath = join(dir, 'hasty-ffmpeg')
  writeFileSync(ffmpegPath, `#!/bin/sh\nhead -c 1 >/dev/null\ncat '${join(dir, 'a.wav')}'\n`, { mode: 0o755 })
  const { url } = await scriptedServer(t)
  const stream = sttStream({ url, ffmpegPath })
  const events: SttEvent[] = []
  stream.on('data', (event: SttEvent) => events.push(event))
  stream.write('bytes of no kind that is read in process')
  await once(stream, 'end')
  t.strictSame(finalsOf(events), ['turn the lamp on', 'thank you'])
  stream.write('more')
  t.equal(await stream.endTurn(), undefined)
  stream.end()
  await once(stream, 'close')
  t.ok(stream.writableFinished)
})

t.test('does not take an empty chunk for an end of turn', async t => {
  const server = await scriptedServer(t)
  const stream = sttStream({ url: server.url })
  stream.write(Buffer.alloc(0))
  stream.write(wav)
  stream.write(Buffer.alloc(0))
  stream.end()
  await stream.toArray()
  t.equal(server.sessions[0]?.endTurns, 0)
})

t.test('fails once, with the decoder error, on garbage', async t => {
  const { url } = await scriptedServer(t)
  const stream = sttStream({ url })
  let errors = 0
  stream.on('error', () => errors++)
  stream.resume()
  const error = failure(stream)
  Readable.from([Buffer.alloc(100_000, 'garbage!')]).pipe(stream)
  t.match(await error, { code: 'STT_ERR_DECODE' })
  await closed(stream)
  t.equal(errors, 1)
  t.strictSame(ffmpegs(), [])
})

t.test('fails once, with the service error, while audio is flowing', async t => {
  const { url } = await scriptedServer(t, { apiKey: 'right' })
  const stream = sttStream({ url, apiKey: 'hunter2' })
  stream.resume()
  let errors = 0
  stream.on('error', () => errors++)
  const error = failure(stream)
  Readable.from(splitEvery(toneWav(60_000), 4_000)).pipe(stream)
  t.match(await error, { code: 'STT_ERR_AUTH', httpStatus: 403, requestId: /^[0-9a-f]{32}$/ })
  t.notMatch((await error).message, /hunter2/)
  await closed(stream)
  t.equal(errors, 1)
})

t.test('reports an error that comes after all audio was sent', async t => {
  const { url } = await scriptedServer(t, {
    faults: { error: { code: 13, message: 'late', at: 'closeStream' } },
  })
  // The attempts that are due, without their delays.
  const stream = sttStream({ url, retry: { baseDelayMs: 1, maxDelayMs: 1 } })
  stream.resume()
  stream.end(wav)
  t.match(await failure(stream), { code: 'STT_ERR_SERVER', retryable: true, grpcCode: 13 })
})

t.test('rejects the pipeline with the same error and destroys the source', async t => {
  const { url } = await scriptedServer(t, { faults: { unknownModel: true } })
  const source = Readable.from(splitEvery(toneWav(60_000), 4_000))
  await t.rejects(
    pipeline(source, sttStream({ url }), new Writable({ objectMode: true, write: (_c, _e, done) => done() })),
    {
      code: 'STT_ERR_BAD_REQUEST',
      grpcCode: 3,
    },
  )
  t.ok(source.destroyed)
})

t.test('is aborted in every state with an AbortError, one close and nothing left', async t => {
  const { url } = await scriptedServer(t)
  const dir = t.testdir()
  writeFileSync(join(dir, 'long.wav'), toneWav(30_000))
  const mp3 = readFileSync(await encode(dir, 'long.mp3', ['-i', 'long.wav']))
  for (const [state, prepare] of Object.entries<(stream: SttStream) => unknown>({
    'at once': () => {},
    open: stream => once(stream, 'open'),
    decoding: async stream => {
      stream.write(mp3)
      await once(stream, 'data')
    },
    finishing: async stream => {
      stream.end(wav)
      await once(stream, 'data')
    },
  })) {
    const controller = new AbortController()
    const stream = sttStream({ url, signal: controller.signal })
    const errors: Error[] = []
    let closes = 0
    stream.on('error', error => errors.push(error))
    stream.on('close', () => closes++)
    await prepare(stream)
    controller.abort()
    await closed(stream)
    t.match(errors, [{ name: 'AbortError' }], state)
    t.equal(closes, 1, state)
    t.strictSame(ffmpegs(), [], state)
  }
  const stream = sttStream({ url, signal: AbortSignal.abort() })
  t.equal((await failure(stream)).name, 'AbortError', 'aborted before')
})

t.test('lets many streams share one signal', async t => {
  const { url } = await scriptedServer(t)
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const controller = new AbortController()
  const streams = Array.from({ length: 20 }, () => sttStream({ url, signal: controller.signal }))
  const errors = Promise.all(streams.map(failure))
  controller.abort()
  t.ok((await errors).every(({ name }) => name === 'AbortError'))
  t.strictSame(warnings, [])
  t.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

t.test('stops reading its source when the service stops reading', async t => {
  const server = await rawServer(peer => void peer.ws.pause())
  t.teardown(() => server.close())
  const stream = sttStream({
    url: server.url,
    input: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
  })
  stream.on('error', () => {})
  let read = 0
  const hourMs = 3_600_000
  const source = new Readable({
    read() {
      read += 1_000
      this.push(read <= hourMs ? tone(1_000) : null)
    },
  })
  source.pipe(stream)
  await once(stream, 'open')
  for (let turn = 0; turn < 3_000; turn++) await new Promise(setImmediate)
  t.ok(read < hourMs / 2, `${read / 1_000} s of an hour read`)
  t.ok(stream.stats().decodedMs >= stream.stats().sentMs)
  stream.destroy()
  await once(stream, 'close')
})

t.test('does not end while unread, and ends when read', async t => {
  const { url } = await scriptedServer(t)
  const stream = sttStream({ url })
  stream.end(wav)
  await once(stream, 'finish')
  t.notOk(stream.readableEnded)
  t.strictSame(finalsOf((await stream.toArray()) as SttEvent[]), ['turn the lamp on', 'thank you'])
})

t.test('tells its figures', async t => {
  const { url } = await scriptedServer(t)
  const stream = sttStream({ url })
  stream.end(wav)
  await stream.toArray()
  t.match(stream.stats(), {
    bytesIn: wav.length,
    format: { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 },
    decodedMs: 3_000,
    sentMs: 3_000,
    insertedMs: 0,
    transcribedAudioMs: 3_000,
    finals: 2,
    unreadResults: 0,
  })
})

t.test('lets the process exit by itself after every outcome', async t => {
  const { url } = await scriptedServer(t)
  const index = new URL('../dist/index.js', import.meta.url).href
  const file = join(t.testdir(), 'lamp.wav')
  writeFileSync(file, wav)
  for (const [outcome, code] of Object.entries({
    'read to the end': `for await (const e of createReadStream(file).pipe(sttStream({ url }))) if (e.isFinal) console.log(e.transcript)`,
    destroyed: `const s = sttStream({ url }); s.write(readFileSync(file)); await once(s, 'data'); s.destroy(); console.log('turn the lamp on')`,
    refused: `const s = sttStream({ url: url + 'x' }); s.on('error', e => console.log('turn the lamp on', e.code))`,
    'never written': `const s = sttStream({ url }); await once(s, 'open'); s.destroy(); console.log('turn the lamp on')`,
  })) {
    const script = `import { once } from 'node:events'; import { createReadStream, readFileSync } from 'node:fs'; import { sttStream } from '${index}'; const [url, file] = process.argv.slice(1); ${code}`
    const args = ['--input-type=module', '-e', script, url, file]
    const { stdout } = await run(process.execPath, args, { timeout: 120_000 })
    t.match(stdout, /turn the lamp on/, outcome)
  }
})

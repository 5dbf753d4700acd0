import { once } from 'node:events'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { cuesOf, transcribe, type AudioSource, type SttError, type SttEvent } from '#dist/index.js'
import { splitEvery } from './fixtures/audio.js'
import { rawServer, type RawPeer } from './fixtures/raw-server.js'
import { goForward } from './fixtures/speech.js'
import { LAMP, scriptedServer, tone, toneWav } from './fixtures/scripted.js'

const RAW = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 } as const
const WAV = toneWav(3_000)
const TEXT = 'turn the lamp on thank you'

const directory = t.testdir()
const wavPath = join(directory, 'tone.wav')
const rawPath = join(directory, 'tone.raw')
writeFileSync(wavPath, WAV)
writeFileSync(rawPath, tone(3_000))

async function* chunks() {
  for (const chunk of splitEvery(WAV, 1_001)) yield await Promise.resolve(chunk)
}

/** A service whose answers the test writes; it hears nothing. */
async function handWritten(t: Test, onPeer: (peer: RawPeer) => Promise<void>) {
  const server = await rawServer(onPeer)
  t.teardown(() => server.close())
  return server.url
}

t.test('takes audio from anything that has bytes', async t => {
  const { url } = await scriptedServer(t)
  const sources: Record<string, AudioSource> = {
    'a path': wavPath,
    'a file: URL': pathToFileURL(wavPath),
    'a file: URL as a string': pathToFileURL(wavPath).href,
    'a Buffer': WAV,
    'a Uint8Array': new Uint8Array(WAV),
    'a Blob': new Blob([WAV]),
    'a Node stream': createReadStream(wavPath),
    'a Node stream in object mode': Readable.from(splitEvery(WAV, 1_001)),
    'a web stream': new Blob([WAV]).stream(),
    'an async iterable': chunks(),
    'an iterable': splitEvery(WAV, 1_001),
  }
  for (const [name, source] of Object.entries(sources)) {
    t.match(await transcribe(source, { url }), { text: TEXT, durationMs: 3_000, warnings: [] }, name)
  }
})

t.test('declared raw audio is read from a path and from memory', async t => {
  const { url } = await scriptedServer(t)
  t.match(await transcribe(rawPath, { url, input: RAW }), { text: TEXT, durationMs: 3_000 })
  t.match(await transcribe(tone(3_000), { url, input: RAW }), { text: TEXT, durationMs: 3_000 })
})

t.test('a transcript has turns, usage and the times of words', async t => {
  const { url } = await scriptedServer(t)
  const { turns, usage, language } = await transcribe(WAV, { url, includeWordTimestamps: true })
  t.match(
    turns,
    LAMP.map(({ text: transcript, ...times }, index) => ({
      transcript,
      ...times,
      isFinal: true,
      turnId: index + 1,
    })),
  )
  t.strictSame(
    turns.map(({ wordTimestamps }) => wordTimestamps.length),
    [4, 2],
  )
  t.strictSame(usage, { transcribedAudioMs: 3_000, modelId: 'inworld/inworld-stt-1' })
  t.equal(language, undefined)
  t.strictSame(
    cuesOf(turns).map(({ lines }) => lines),
    [['turn the lamp on'], ['thank you']],
    'the turns make captions',
  )
})

t.test('empty finals are left out, and the first language named is the transcript’s', async t => {
  const url = await handWritten(t, async peer => {
    await peer.next('closeStream')
    const final = (transcript: string, language?: string) =>
      peer.send({ result: { transcription: { transcript, isFinal: true, language } } })
    peer.transcription('so', false)
    final('so')
    peer.transcription('la la', false)
    final('')
    final('voilà', 'fr')
    peer.usage(2_000)
    peer.ws.close(1000)
  })
  const { text, turns, language, usage } = await transcribe(WAV, { url })
  t.equal(text, 'so voilà')
  t.equal(turns.length, 2)
  t.equal(language, 'fr')
  t.equal(usage?.transcribedAudioMs, 2_000)
})

t.test('audio that was lost with a connection is counted', async t => {
  const recording = readFileSync(goForward.path)
  let connections = 0
  const url = await handWritten(t, async peer => {
    if (++connections === 1) {
      while (peer.audioBytes() < recording.length) await peer.next('audioChunk')
      return peer.ws.terminate()
    }
    await peer.next('closeStream')
    peer.transcription('ten meters', true)
    peer.usage()
    peer.ws.close(1000)
  })
  const { text, lostMs } = await transcribe(recording, {
    url,
    input: RAW,
    replayMs: 500,
    retry: { baseDelayMs: 0 },
  })
  t.equal(text, 'ten meters')
  t.ok(lostMs > 0 && lostMs < 2_800, `${lostMs} ms`)
})

t.test('silence and an empty source have an empty transcript', async t => {
  const { url } = await scriptedServer(t, { script: [] })
  t.match(await transcribe(WAV, { url }), { text: '', turns: [], durationMs: 3_000 })
  t.match(await transcribe(Buffer.alloc(0), { url, input: RAW }), { text: '', turns: [], durationMs: 0 })
})

t.test('warnings come with the transcript', async t => {
  const { url } = await scriptedServer(t)
  const { warnings } = await transcribe(WAV.subarray(0, -1_000), { url })
  t.match(warnings, [{ code: 'STT_WARN_TRUNCATED', message: String }])
})

t.test('events are told as they come, and the next waits for the listener', async t => {
  const { url } = await scriptedServer(t)
  const events: SttEvent[] = []
  let busy = false
  await transcribe(WAV, {
    url,
    onEvent: async event => {
      t.notOk(busy, 'one at a time')
      busy = true
      await new Promise(setImmediate)
      events.push(event)
      busy = false
    },
  })
  t.ok(events.some(event => event.type === 'transcription' && !event.isFinal))
  t.equal(events.filter(event => event.type === 'transcription' && event.isFinal).length, 2)
})

t.test('a listener that throws ends the transcription and destroys the source', async t => {
  const { url } = await scriptedServer(t)
  const source = new PassThrough()
  source.write(WAV)
  const closed = new Promise(resolve => source.once('close', resolve))
  const failure = new Error('enough')
  const transcribed = transcribe(source, {
    url,
    onEvent: event => {
      if (event.type === 'transcription' && event.isFinal) throw failure
    },
  })
  await t.rejects(transcribed, failure)
  await closed
  t.match((failure as SttError).transcript, { text: 'turn the lamp on' })
})

t.test('what fails half-way leaves what had been transcribed, where no log shows it', async t => {
  const url = await handWritten(t, async peer => {
    await peer.next('audioChunk')
    peer.transcription('the secret plan', true, [['plan', 0, 500]])
    peer.send({ error: { code: 3, message: 'no more', details: [] } })
    peer.ws.close(1000)
  })
  const source = new PassThrough()
  source.write(WAV)
  const closed = new Promise(resolve => source.once('close', resolve))
  const error = (await transcribe(source, { url }).catch((reason: unknown) => reason)) as SttError
  t.equal(error.code, 'STT_ERR_BAD_REQUEST')
  t.match(error.transcript, { text: 'the secret plan', turns: [{ turnId: 1 }] })
  t.notMatch(inspect(error) + JSON.stringify(error) + error.message, 'secret plan')
  await closed
  t.ok(source.destroyed)
})

t.test(
  'an abort rejects with AbortError, though the source never gives anything and will not end',
  async t => {
    const { url } = await scriptedServer(t)
    const controller = new AbortController()
    async function* stuck() {
      yield WAV
      await new Promise(() => {})
    }
    const transcribed = transcribe(stuck(), {
      url,
      signal: controller.signal,
      onEvent: event => {
        if (event.type === 'transcription' && event.isFinal) controller.abort(new Error('changed my mind'))
      },
    })
    await t.rejects(transcribed, {
      name: 'AbortError',
      cause: { message: 'changed my mind' },
      transcript: { text: 'turn the lamp on' },
    })
    await t.rejects(transcribe(WAV, { url, signal: AbortSignal.abort() }), { name: 'AbortError' })
  },
)

t.test('an error of the source is the error', async t => {
  const { url } = await scriptedServer(t)
  const failure = new Error('disk on fire')
  async function* failing() {
    yield await Promise.resolve(WAV.subarray(0, 1_000))
    throw failure
  }
  await t.rejects(transcribe(failing(), { url }), failure)
  await t.rejects(transcribe(join(directory, 'none.wav'), { url }), { code: 'STT_ERR_DECODE' })
  await t.rejects(transcribe(join(directory, 'none.raw'), { url, input: RAW }), { code: 'STT_ERR_DECODE' })
  const cut = new PassThrough()
  cut.write(WAV)
  setImmediate(() => cut.destroy())
  await t.rejects(transcribe(cut, { url }), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
})

t.test('what is no source is a TypeError, and says what is', async t => {
  const { url } = await scriptedServer(t)
  const ended = Readable.from([])
  await ended.toArray()
  const locked = new Blob([WAV]).stream()
  locked.getReader()
  const text = new PassThrough({ encoding: 'latin1' })
  text.end('abc')
  const cases: Record<string, [unknown, string | RegExp]> = {
    'an ftp URL': [new URL('ftp://example.com/a.mp3?token=hush'), 'got a ftp: URL'],
    'an rtsp URL as a string': ['rtsp://example.com/a.mp3?token=hush', 'got a rtsp: URL'],
    'a URL that is none': ['https://hush:hush/a.mp3', 'got a URL that cannot be parsed'],
    nothing: [undefined, 'got undefined'],
    null: [null, 'got null'],
    'a number': [5, 'got number'],
    'an object': [{}, 'got object'],
    'an ended stream': [ended, 'a stream that has not ended'],
    'a locked stream': [locked, /locked/],
    'a stream of text': [text, 'chunks of Uint8Array or the like; got string'],
    'an iterable of numbers': [[1, 2], 'chunks of Uint8Array or the like; got number'],
  }
  for (const [name, [source, expected]] of Object.entries(cases)) {
    const error = await transcribe(source as AudioSource, { url, input: RAW }).catch(
      (reason: unknown) => reason,
    )
    t.ok(error instanceof TypeError, name)
    t.match((error as Error).message, expected, name)
    t.notMatch((error as Error).message, 'hush', name)
  }
})

t.test('misuse of the options rejects before anything is read', async t => {
  const { url } = await scriptedServer(t)
  await t.rejects(transcribe(wavPath, { url, frameMs: 5 }), RangeError)
  await t.rejects(transcribe(wavPath, { url, path: wavPath } as object), {
    name: 'TypeError',
    message: /path is not an option/,
  })
  await t.rejects(transcribe(wavPath, { url, onEvent: 5 } as object), {
    name: 'TypeError',
    message: 'onEvent must be a function; got number',
  })
  const source = createReadStream(wavPath)
  const closed = once(source, 'close')
  await t.rejects(transcribe(source, { url, frameMs: 5 }), RangeError)
  await closed
  t.equal(source.bytesRead, 0)
})

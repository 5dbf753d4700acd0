/**
 * One test for each kind of trouble that a service makes: what a program that listens should do about it, and how
 * `sttstream/testing` makes the trouble. The audio is stamped, so that the scripted recogniser hears it by the
 * time of its source over any number of connections. More in docs/testing.md.
 *
 *   node --test examples/fault-tests.mjs
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { sttStream } from 'sttstream'
import { scriptedRecognizer, stampedAudio, startLocalServer } from 'sttstream/testing'

const script = [
  { startMs: 300, endMs: 1_100, text: 'turn the lamp on' },
  { startMs: 2_600, endMs: 3_200, text: 'thank you' },
]
const sentences = script.map(({ text }) => text)
const audio = stampedAudio(script, 4_000)
const recognizer = scriptedRecognizer(script, { clock: 'stamps' })

/** The program under test: it writes down what is said. */
async function notes(url) {
  const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
  const stream = sttStream({ url, input, retry: { baseDelayMs: 10 } })
  const lines = []
  for await (const event of Readable.from([audio]).pipe(stream)) {
    if (event.type === 'transcription' && event.isFinal) lines.push(event.transcript)
  }
  return lines
}

async function serve(t, faults) {
  const server = await startLocalServer({ recognizer, faults, recordAudio: true })
  t.after(() => server.close())
  return server
}

/** Only the first connection is in trouble. */
const first = faults => index => (index === 0 ? faults : undefined)

test('connection: a service that is away for a moment is asked again', async t => {
  for (const upgrade of [{ status: 503 }, { status: 429 }, { drop: 'reset' }]) {
    const server = await serve(t, first({ upgrade }))
    assert.deepEqual(await notes(server.url), sentences)
  }
})

test('connection: a key that is refused is an error at once', async t => {
  const server = await serve(t, { upgrade: { status: 403 } })
  await assert.rejects(notes(server.url), { code: 'STT_ERR_AUTH', retryable: false })
})

test('config: a model that does not exist is an error at once', async t => {
  const server = await serve(t, { unknownModel: true })
  await assert.rejects(notes(server.url), { code: 'STT_ERR_BAD_REQUEST' })
})

test('audio: it arrives whole, in chunks that the service takes', async t => {
  const server = await serve(t, { chunkMs: { min: 20, max: 200 } })
  await notes(server.url)
  assert.ok(server.sessions[0].audio().equals(audio))
})

test('results: the notes are the same however the service spells them', async t => {
  const results = {
    ...{ emptyFinalFirst: true, repeatInterims: true, shrinkInterims: true, repeatFinals: true },
    ...{ snakeCase: true, omitZeros: true, unknownKinds: true, lateSpeechStopped: true, fragments: 3 },
  }
  const server = await serve(t, { results, usage: 'string' })
  assert.deepEqual(await notes(server.url), sentences)
})

test('errors: one in the middle of a sentence costs no word', async t => {
  for (const code of [8, 13, 14]) {
    const error = { code, message: 'try later', at: { afterAudioMs: 800 } }
    const server = await serve(t, first({ error }))
    assert.deepEqual(await notes(server.url), sentences)
  }
})

test('end: the last sentence is kept although its final never comes, nor the close', async t => {
  const server = await serve(t, { end: { interimOnly: true, neverClose: true } })
  assert.deepEqual(await notes(server.url), sentences)
})

test('transport: a link that breaks at any byte costs no word', async t => {
  for (const afterBytesReceived of [1, 5_000, 50_000, 90_000]) {
    const server = await serve(t, first({ link: { cut: { afterBytesReceived } } }))
    assert.deepEqual(await notes(server.url), sentences)
  }
})

test('transport: messages may take their time', async t => {
  const server = await serve(t, { latency: { minMs: 0, maxMs: 30, seed: 7 } })
  assert.deepEqual(await notes(server.url), sentences)
})

test('transport: nothing is compressed, whatever the server agrees to', async t => {
  const server = await serve(t, { deflate: 'agree' })
  await notes(server.url)
  assert.equal(server.sessions[0].webSocketExtensions, undefined)
})

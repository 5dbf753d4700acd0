/**
 * How to test a program that uses sttstream: no key, no network, no audio file, no recogniser. The script says
 * what is heard and when, the faults say how the service misbehaves. More in docs/testing.md.
 *
 *   node --test examples/own-test.mjs
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { sttStream } from 'sttstream'
import { scriptedRecognizer, startLocalServer } from 'sttstream/testing'

/** The program under test: a lamp that listens. */
async function lampAfter(audio, url) {
  const input = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
  let lamp = 'off'
  for await (const event of Readable.from(audio).pipe(sttStream({ url, input }))) {
    const said = event.type === 'transcription' && event.isFinal ? event.transcript : ''
    if (/\blamp\b.*\bon\b/.test(said)) lamp = 'on'
  }
  return lamp
}

const recognizer = scriptedRecognizer([{ startMs: 200, endMs: 1_200, text: 'turn the lamp on' }])
const twoSeconds = [Buffer.alloc(2 * 16_000 * 2)]

test('the lamp goes on when it is told to', async t => {
  const server = await startLocalServer({ recognizer })
  t.after(() => server.close())
  assert.equal(await lampAfter(twoSeconds, server.url), 'on')
  assert.equal(server.sessions[0].audioMs, 2_000)
})

test('the lamp understands a service that sends word by word and says things twice', async t => {
  const faults = { results: { repeatInterims: true, omitZeros: true, snakeCase: true } }
  const server = await startLocalServer({ recognizer, faults })
  t.after(() => server.close())
  assert.equal(await lampAfter(twoSeconds, server.url), 'on')
})

test('a service without quota is an error that may be tried again', async t => {
  const server = await startLocalServer({ recognizer, faults: { upgrade: { status: 429 } } })
  t.after(() => server.close())
  await assert.rejects(lampAfter(twoSeconds, server.url), { code: 'STT_ERR_QUOTA', retryable: true })
})

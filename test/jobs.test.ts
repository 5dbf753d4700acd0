import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { scriptedRecognizer, type LocalServer } from '#dist/testing.js'
import { scriptedServer, toneWav, LAMP } from './fixtures/scripted.js'

const WAV = toneWav(3_000)
const CONFIG = { modelId: 'inworld/inworld-stt-1', audioEncoding: 'AUTO_DETECT' }
const KEY = 'a2V5'
const AUTHORIZATION = { authorization: `Basic ${KEY}` }

async function call(server: LocalServer, path: string, init: RequestInit = {}) {
  const response = await fetch(server.httpUrl + path, { headers: AUTHORIZATION, ...init })
  return { httpStatus: response.status, body: (await response.json()) as Record<string, unknown> }
}

const submit = (server: LocalServer, body: FormData | object) =>
  body instanceof FormData
    ? call(server, '/stt/v1/transcribe:async', { method: 'POST', body })
    : call(server, '/stt/v1/transcribe:async', { method: 'POST', body: JSON.stringify(body) })

const inline = { transcribeConfig: CONFIG, audioData: { content: WAV.toString('base64') } }

function form(...parts: [name: string, value: string | Blob][]): FormData {
  const data = new FormData()
  for (const [name, value] of parts) data.append(name, value)
  return data
}

const config = (fields: object = {}) => JSON.stringify({ ...CONFIG, ...fields })

/** Polls until the job is done; tap's deadline ends the wait. */
async function done(server: LocalServer, name: unknown): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await call(server, `/lro/v1alpha/${String(name)}`)
    if (body.done === true) return body
    await turnOfTheLoop()
  }
}

/** A recogniser that hears nothing until it is let go on. */
function heldRecognizer() {
  const scripted = scriptedRecognizer(LAMP)
  let opened = () => {}
  let release = () => {}
  const open = new Promise<void>(resolve => (opened = resolve))
  const held = new Promise<void>(resolve => (release = resolve))
  const recognizer = {
    ...scripted,
    open: async () => {
      opened()
      await held
      return scripted.open({})
    },
  }
  return { recognizer, open, release }
}

t.test('a job comes to a result document, however its audio is handed over', async t => {
  const server = await scriptedServer(t, { apiKey: KEY })
  for (const [name, body] of Object.entries({
    'JSON with base64': inline,
    'a form': form(['transcribeConfig', config()], ['file', new Blob([WAV])]),
    'a form whose config is a Blob': form(
      ['transcribe_config', new Blob([config()])],
      ['audio', new Blob([WAV])],
    ),
  })) {
    const accepted = await submit(server, body)
    t.match(
      accepted,
      { httpStatus: 200, body: { name: /^workspaces\/.+\/operations\/\w+$/, done: false } },
      name,
    )
    const operation = await done(server, accepted.body.name)
    const { resultUri, expireTime } = operation.response as Record<string, string>
    t.ok(Date.parse(expireTime ?? '') > Date.now())
    t.ok(resultUri?.startsWith(`${server.httpUrl}/`))
    // The link is its own credential, as with the service.
    const result = await fetch(resultUri ?? '')
    t.strictSame(await result.json(), {
      transcript: 'turn the lamp on thank you',
      segments: [
        { startTimeMs: '200', endTimeMs: '900', transcript: 'turn the lamp on', wordTimestamps: [] },
        { startTimeMs: '2200', endTimeMs: '2700', transcript: 'thank you', wordTimestamps: [] },
      ],
      language: 'English',
      usage: { transcribedAudioMs: '3000', modelId: 'inworld/inworld-stt-1' },
    })
  }
})

t.test('word times are in the document where they are asked for', async t => {
  const server = await scriptedServer(t, { script: [{ startMs: 0, endMs: 900, text: 'go on' }] })
  const words = config({ includeWordTimestamps: true })
  const { body } = await submit(server, form(['transcribeConfig', words], ['file', new Blob([WAV])]))
  const { response } = (await done(server, body.name)) as { response: { resultUri: string } }
  t.match(await (await fetch(response.resultUri)).json(), {
    segments: [
      {
        startTimeMs: undefined,
        endTimeMs: '900',
        wordTimestamps: [
          { word: 'go', startTimeMs: undefined, endTimeMs: '450' },
          { word: 'on', startTimeMs: '450', endTimeMs: '900' },
        ],
      },
    ],
  })
})

t.test('what a job cannot be made of is refused', async t => {
  const server = await scriptedServer(t, { limits: { maxUploadBytes: 50_000, maxBodyBytes: 1_000_000 } })
  const file: [string, Blob] = ['file', new Blob([WAV.subarray(0, 1_000)])]
  const cases: [string, object | FormData, number, string | RegExp][] = [
    ['nothing', {}, 400, 'audio_data is required'],
    [
      'an address',
      { transcribeConfig: CONFIG, audioUri: 'https://x.example/a' },
      400,
      /^audio_uri: this server/,
    ],
    ['no config', { audioData: {} }, 400, 'invalid transcribe config: transcribe_config is required'],
    ['a form without a file', form(['transcribeConfig', config()]), 400, 'audio_data is required'],
    ['a form without a config', form(file), 400, /transcribe_config is required/],
    [
      'a config that comes too late',
      form(file, ['transcribeConfig', config()]),
      400,
      /transcribe_config is required/,
    ],
    ['a config that is no JSON', form(['transcribeConfig', '{'], file), 400, /transcribe_config is required/],
    [
      'another model',
      form(['transcribeConfig', config({ modelId: 'a/b' })], file),
      400,
      /^Unsupported model "a\/b"/,
    ],
    [
      'an empty file',
      form(['transcribeConfig', config()], ['file', new Blob([])]),
      400,
      'audio data is required',
    ],
    [
      'too much',
      form(['transcribeConfig', config()], ['file', new Blob([WAV])]),
      413,
      'the body is longer than 50000 bytes',
    ],
  ]
  for (const [name, body, httpStatus, message] of cases) {
    t.match(await submit(server, body), { httpStatus, body: { code: 3, message, details: [] } }, name)
  }
  const headers = (type: string) => ({ 'content-type': type })
  for (const [type, text] of [
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc'],
  ] as const) {
    const init = { method: 'POST', headers: headers(type), body: text }
    const refused = await call(server, '/stt/v1/transcribe:async', init)
    t.match(refused, { httpStatus: 400, body: { code: 3, message: /^the form cannot be read: / } })
  }
})

t.test(
  'credentials are asked for a job and its polls; the result’s address is not to be guessed',
  async t => {
    const server = await scriptedServer(t, { apiKey: KEY })
    const { body } = await submit(server, inline)
    const none = { headers: {} }
    t.match(await call(server, '/stt/v1/transcribe:async', { ...none, method: 'POST', body: '{}' }), {
      httpStatus: 403,
    })
    t.match(await call(server, `/lro/v1alpha/${String(body.name)}`, none), { httpStatus: 403 })
    t.match(await call(server, '/lro/v1alpha/workspaces/local/other'), { httpStatus: 404, body: { code: 5 } })
    t.match(await call(server, `/stt/v1/transcribe:result/${'0'.repeat(64)}`), {
      httpStatus: 404,
      body: { code: 5 },
    })
    t.match(await call(server, '/stt/v1/transcribe:async'), { httpStatus: 405 })
    await done(server, body.name)
  },
)

t.test('a job that fails says why', async t => {
  const server = await scriptedServer(t)
  const { body } = await submit(
    server,
    form(['transcribeConfig', config()], ['file', new Blob(['no audio'])]),
  )
  t.match(await done(server, body.name), { error: { code: 3, message: /^unsupported audio format/ } })
})

t.test('jobs in flight are limited, and those that are done make room', async t => {
  const { recognizer, open, release } = heldRecognizer()
  const server = await scriptedServer(t, { recognizer, limits: { maxJobs: 2 } })
  const first = await submit(server, inline)
  await open
  const second = await submit(server, inline)
  t.match(await submit(server, inline), { httpStatus: 429, body: { code: 8 } })
  release()
  await done(server, second.body.name)
  t.equal((await submit(server, inline)).httpStatus, 200)
  t.match(
    await call(server, `/lro/v1alpha/${String(first.body.name)}`),
    { httpStatus: 404 },
    'the oldest has left',
  )
  await done(server, second.body.name)
})

t.test('a job that is done is forgotten after its time', async t => {
  const server = await scriptedServer(t, { limits: { jobKeepMs: 1 } })
  const { body } = await submit(server, inline)
  for (;;) {
    const { httpStatus } = await call(server, `/lro/v1alpha/${String(body.name)}`)
    if (httpStatus === 404) break
    await turnOfTheLoop()
  }
  t.pass('it is unknown')
})

/** Temporary files go to a directory of the test, which is returned. */
function ownTemporaryFiles(t: Test): string {
  const directory = t.testdir()
  const before = process.env.TMPDIR
  process.env.TMPDIR = directory
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  return directory
}

t.test('closing the server ends its jobs, those that wait too, and deletes their files', async t => {
  const directory = ownTemporaryFiles(t)
  let heard = () => {}
  const running = new Promise<void>(resolve => (heard = resolve))
  let closed = 0
  const session = {
    onError: undefined,
    start: () => {},
    push: () => {
      heard()
      return new Promise<string>(() => {})
    },
    finish: () => Promise.resolve({ text: '', words: [] }),
    close: async () => void closed++,
  }
  const recognizer = { name: 'fake', open: () => Promise.resolve(session), close: async () => {} }
  const server = await scriptedServer(t, { recognizer })
  const manual = { ...inline, transcribeConfig: { ...CONFIG, inworldSttV1Config: { vadThreshold: 0 } } }
  await submit(server, manual)
  await submit(server, manual)
  await running
  t.equal((await readdir(directory)).length, 2, 'each has a file')
  await server.close()
  t.strictSame(await readdir(directory), [])
  t.equal(closed, 1, 'the one that ran has given its decoder back')
})

t.test('a client that leaves in the middle of its form leaves no file behind', async t => {
  const directory = ownTemporaryFiles(t)
  const server = await scriptedServer(t)
  const socket = connect(server.port, '127.0.0.1')
  const lines = [
    'POST /stt/v1/transcribe:async HTTP/1.1',
    'Host: x',
    'Content-Type: multipart/form-data; boundary=b',
    'Content-Length: 1000000',
    '',
    '--b',
    'Content-Disposition: form-data; name="transcribeConfig"',
    '',
    config(),
    '--b',
    'Content-Disposition: form-data; name="file"; filename="a"',
    '',
    '',
  ]
  socket.write(lines.join('\r\n'))
  socket.write(Buffer.alloc(200_000))
  while ((await readdir(directory)).length === 0) await turnOfTheLoop()
  socket.destroy()
  while ((await readdir(directory)).length > 0) await turnOfTheLoop()
  t.pass('it is gone')
})

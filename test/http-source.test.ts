import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { decode, openSource, transcribe, type AudioSource } from '#dist/index.js'
import { encode } from './fixtures/audio.js'
import { mockClock } from './fixtures/mock-clock.js'
import { LAMP, scriptedServer, toneWav } from './fixtures/scripted.js'
import { breakOff, SECRET, storedFile, webSite } from './fixtures/web-site.js'

const WAV = toneWav(3_000)
const TEXT = LAMP.map(({ text }) => text).join(' ')

/** All bytes of a source. */
async function download(source: AudioSource, options = {}): Promise<Buffer> {
  const { bytes } = await openSource(source, options)
  return Buffer.concat((await bytes.toArray()) as Buffer[])
}

/** What fetching from a site fails with. It shows no secret, however deep one looks. */
async function failureOf(
  t: Test,
  source: AudioSource,
  options = {},
): Promise<Error & Record<string, unknown>> {
  const failure = await download(source, options).then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason as Error,
  )
  t.notMatch(inspect(failure, { depth: 9 }), SECRET)
  return failure as Error & Record<string, unknown>
}

const redirect = (location: string) => (response: ServerResponse) =>
  response.writeHead(302, { location }).end()

t.test('a body comes whole, however it is carried', async t => {
  const answers: Record<string, RequestListener> = {
    'with its length': (_, response) => response.setHeader('content-length', WAV.length).end(WAV),
    'in chunks': (_, response) => {
      response.write(WAV.subarray(0, 1_000))
      setImmediate(() => response.end(WAV.subarray(1_000)))
    },
    'until the connection closes': (_, response) => {
      response.useChunkedEncodingByDefault = false
      response.shouldKeepAlive = false
      response.end(WAV)
    },
    'packed all the same': (_, response) => {
      const packed = gzipSync(WAV)
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed)
    },
  }
  for (const [name, answer] of Object.entries(answers)) {
    const { url, idle } = await webSite(t, answer)
    for (const source of [url, new URL(url)]) t.ok(WAV.equals(await download(source)), name)
    await idle()
  }
  const { url } = await webSite(t, (_, response) => response.writeHead(204).end())
  t.equal((await download(url)).length, 0, 'no content')
})

t.test('it asks for the bytes as they are, with the credentials of the URL', async t => {
  const { url, requests } = await webSite(t, storedFile({ bytes: WAV }))
  await download(url)
  const [request] = requests
  t.equal(request?.url, `/talk.wav?signature=${SECRET}`)
  t.match(request?.headers, {
    authorization: `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`,
    'accept-encoding': 'identity',
    'icy-metadata': undefined,
    connection: 'close',
    range: undefined,
  })
})

t.test('redirects are followed within the web, and credentials stay with their server', async t => {
  const target = await webSite(t, storedFile({ bytes: WAV }))
  const away = await webSite(t, (_, response) => redirect(target.shownUrl)(response))
  t.ok(WAV.equals(await download(away.url)))
  t.equal(target.requests[0]?.headers.authorization, undefined)
  await away.idle()

  const loop = await webSite(t, (_, response) => redirect('/again')(response))
  t.match(await failureOf(t, loop.url), {
    code: 'STT_ERR_SOURCE',
    message: `${loop.shownUrl} could not be fetched: it was redirected more than 5 times`,
    retryable: false,
  })
  t.equal(loop.requests.length, 6)
  for (const location of [`ftp://example.com/?${SECRET}`, 'file:///etc/passwd', 'data:audio/wav,AAAA']) {
    const { url } = await webSite(t, (_, response) => redirect(location)(response))
    t.match(await failureOf(t, url), { code: 'STT_ERR_SOURCE', retryable: false }, location)
  }
})

t.test('a status of 400 and more is STT_ERR_SOURCE, and says what came', async t => {
  for (const [status, retryable] of [
    [400, false],
    [403, false],
    [404, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ] as const) {
    const { url, shownUrl, idle } = await webSite(t, (_, response) =>
      response.writeHead(status, 'So It Is', { 'content-type': 'text/html' }).end('<html>'),
    )
    t.match(await failureOf(t, url), {
      name: 'SttError',
      code: 'STT_ERR_SOURCE',
      message: `expected audio from ${shownUrl}; got HTTP ${status}, So It Is, text/html`,
      httpStatus: status,
      retryable,
    })
    await idle()
  }
})

t.test('what the network refuses is STT_ERR_SOURCE', async t => {
  const closed = createTcpServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const plain = await webSite(t, (_, response) => response.end())
  const cases: [string, string, { message: RegExp; retryable: boolean }][] = [
    ['refused', `http://127.0.0.1:${port}/`, { message: /ECONNREFUSED/, retryable: true }],
    ['no such name', 'http://talk.invalid/', { message: /talk\.invalid/, retryable: true }],
    ['no TLS', plain.shownUrl.replace('http:', 'https:'), { message: /SSL|TLS/i, retryable: false }],
  ]
  for (const [name, address, expected] of cases) {
    const failure = await failureOf(t, `${address}?signature=${SECRET}`)
    t.match(failure, { code: 'STT_ERR_SOURCE', cause: Error, ...expected }, name)
  }
})

t.test('a broken download goes on where it broke off', async t => {
  const site = await webSite(
    t,
    storedFile({ bytes: WAV, cutAfter: n => (n < 8 ? 1_000 * n + 7 : undefined) }),
  )
  t.ok(WAV.equals(await download(site.url)), 'each attempt that brings bytes earns the next')
  t.strictSame(
    site.requests.slice(0, 3).map(({ headers }) => [headers.range, headers['if-range']]),
    [
      [undefined, undefined],
      ['bytes=7-', '"v1"'],
      ['bytes=1014-', '"v1"'],
    ],
  )
  t.ok(
    site.requests.every(({ headers }) => headers.authorization === site.requests[0]?.headers.authorization),
  )
  await site.idle()
})

t.test('a server that is busy when the rest is asked for is asked again', async t => {
  const whole = storedFile({ bytes: WAV, cutAfter: n => (n === 0 ? 1_000 : undefined) })
  const site = await webSite(t, (request, response) => {
    const isBusy = site.requests.length === 2 || site.requests.length === 3
    if (isBusy) response.writeHead(503).end()
    else whole(request, response)
  })
  t.ok(WAV.equals(await download(site.url)))
  t.equal(site.requests.length, 4)
})

t.test('the modification date tells the version where it is old enough to', async t => {
  const now = Date.now()
  const site = (modifiedMs: number) => {
    const file = storedFile({
      bytes: WAV,
      version: ['last-modified', new Date(modifiedMs).toUTCString()],
      cutAfter: n => (n === 0 ? 1_000 : undefined),
    })
    return webSite(t, (request, response) => {
      response.setHeader('date', new Date(now).toUTCString())
      file(request, response)
    })
  }
  const settled = await site(now - 5_000)
  t.ok(WAV.equals(await download(settled.url)))
  t.equal(settled.requests[1]?.headers.range, 'bytes=1000-')
  const fresh = await site(now)
  t.match(await failureOf(t, fresh.url), { code: 'STT_ERR_SOURCE', retryable: true })
})

t.test('what cannot be continued is never taken for the whole', async t => {
  const whole = { 'content-length': WAV.length }
  const ranges = { ...whole, 'accept-ranges': 'bytes' }
  const answers: Record<string, Record<string, string | number>> = {
    'no ranges': { ...whole, etag: '"v1"' },
    'ranges refused': { ...ranges, 'accept-ranges': 'none', etag: '"v1"' },
    'no version': ranges,
    'a weak version': { ...ranges, etag: 'W/"v1"' },
    'packed on its way': { ...ranges, etag: '"v1"', 'content-encoding': 'gzip' },
    'in chunks': { etag: '"v1"' },
  }
  for (const [name, headers] of Object.entries(answers)) {
    const bytes = 'content-encoding' in headers ? gzipSync(WAV) : WAV
    if ('content-length' in headers) headers['content-length'] = bytes.length
    const site = await webSite(t, (_, response) => {
      response.writeHead(200, headers)
      breakOff(response, bytes.subarray(0, 10))
    })
    const failure = await failureOf(t, site.url)
    t.match(failure, { code: 'STT_ERR_SOURCE', retryable: true, message: /broke off after \d+ bytes/ }, name)
    t.equal(site.requests.length, 1, name)
  }
})

t.test('what has changed since is not mixed with what came', async t => {
  const other: Record<string, Record<string, string | number>> = {
    'another version': { etag: '"v2"', 'content-range': `bytes 1000-${WAV.length - 1}/${WAV.length}` },
    'another place': { etag: '"v1"', 'content-range': `bytes 0-${WAV.length - 1}/${WAV.length}` },
    'no place': { etag: '"v1"' },
  }
  const changed: Record<string, RequestListener> = {
    'the whole again': (_, response) => response.setHeader('etag', '"v2"').end(WAV),
    gone: (_, response) => response.writeHead(404).end(),
    'no such range': (_, response) => response.writeHead(416).end(),
    ...Object.fromEntries(
      Object.entries(other).map(([name, headers]): [string, RequestListener] => [
        name,
        (_, response) => response.writeHead(206, headers).end(WAV.subarray(1_000)),
      ]),
    ),
  }
  for (const [name, answer] of Object.entries(changed)) {
    const first = storedFile({ bytes: WAV, cutAfter: () => 1_000 })
    const site = await webSite(t, (request, response) =>
      (site.requests.length === 1 ? first : answer)(request, response),
    )
    t.match(await failureOf(t, site.url), { code: 'STT_ERR_SOURCE' }, name)
    t.equal(site.requests.length, 2, name)
    await site.idle()
  }
})

t.test('attempts that bring nothing come to an end', async t => {
  const site = await webSite(t, storedFile({ bytes: WAV, cutAfter: n => (n === 0 ? 1_000 : 0) }))
  t.match(await failureOf(t, site.url), { code: 'STT_ERR_SOURCE', message: /after 1000 bytes of 96044/ })
  t.equal(site.requests.length, 6)
})

t.test('who sends nothing is given up', async t => {
  const answers: Record<string, RequestListener> = {
    'no answer': () => {},
    'no body': (_, response) => response.writeHead(200, { 'content-length': 10 }).flushHeaders(),
    'no more of it': (_, response) => response.writeHead(200, { 'content-length': 10 }).write('RIFF'),
  }
  for (const [name, answer] of Object.entries(answers)) {
    const { url, shownUrl, idle } = await webSite(t, answer)
    const expected = {
      code: 'STT_ERR_SOURCE',
      message: `no byte came from ${shownUrl} within 50 ms (sourceTimeoutMs)`,
      retryable: true,
    }
    t.match(await failureOf(t, url, { sourceTimeoutMs: 50 }), expected, name)
    await idle()
  }
})

t.test('who does not read waits for nobody', async t => {
  const clock = mockClock(t)
  const { url } = await webSite(t, storedFile({ bytes: WAV }))
  const { bytes } = await openSource(url)
  clock.advance(3_600_000)
  t.ok(WAV.equals(Buffer.concat((await bytes.toArray()) as Buffer[])))
})

t.test('a server is read no faster than the bytes are used', async t => {
  const chunk = Buffer.alloc(1024 * 1024)
  let sentChunks = 0
  const { url, idle } = await webSite(t, (_, response) => {
    const send = () => {
      while (sentChunks < 256) {
        sentChunks++
        if (!response.write(chunk)) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  })
  const { bytes } = await openSource(url)
  for (let turns = 0, before = 0; turns < 500; turns++) {
    if (sentChunks > before) turns = 0
    before = sentChunks
    await new Promise(setImmediate)
  }
  t.ok(sentChunks < 64, `${sentChunks} MiB left without a reader`)
  const closed = once(bytes, 'close')
  bytes.destroy()
  await closed
  await idle()
})

t.test('an abort ends the download in every state, and leaves no connection', async t => {
  const reason = new Error('changed my mind')
  const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: reason }
  const before = await webSite(t, storedFile({ bytes: WAV }))
  await t.rejects(openSource(before.url, { signal: AbortSignal.abort(reason) }), aborted)

  const controllers = { connecting: new AbortController(), reading: new AbortController() }
  const silent = await webSite(t, () => controllers.connecting.abort(reason))
  await t.rejects(openSource(silent.url, { signal: controllers.connecting.signal }), aborted)
  await silent.idle()

  const half = await webSite(t, (_, response) => response.writeHead(200).write('RIFF'))
  const { bytes } = await openSource(half.url, { signal: controllers.reading.signal })
  bytes.once('data', () => controllers.reading.abort(reason))
  await t.rejects(once(bytes, 'end'), aborted)
  await half.idle()

  const whole = await webSite(t, storedFile({ bytes: WAV }))
  const after = new AbortController()
  t.equal((await download(whole.url, { signal: after.signal })).length, WAV.length)
  after.abort()
  await whole.idle()
})

t.test('a Response is taken as it is, with the same care', async t => {
  const site = await webSite(t, storedFile({ bytes: WAV, cutAfter: n => (n === 1 ? 1_000 : undefined) }))
  t.ok(WAV.equals(await download(await fetch(site.shownUrl, { headers: { connection: 'close' } }))))
  t.match(await failureOf(t, await fetch(`${site.shownUrl}?signature=${SECRET}`)), {
    code: 'STT_ERR_SOURCE',
    message: new RegExp(`^${site.shownUrl} broke off after 1000 bytes of 96044: `),
  })
  t.equal(site.requests.length, 2, 'a Response cannot be asked for again')

  const half = await webSite(t, (_, response) => response.setHeader('content-length', 9).write('RIFF'))
  const { bytes, live } = await openSource(await fetch(half.shownUrl))
  t.equal(live, false)
  bytes.destroy()
  await half.idle()

  const refusing = await webSite(t, (_, response) => response.writeHead(503).write('<html>'))
  t.match(await failureOf(t, await fetch(refusing.shownUrl)), { code: 'STT_ERR_SOURCE', httpStatus: 503 })
  await refusing.idle()
  t.match(await failureOf(t, new Response('<html>', { status: 502 })), {
    code: 'STT_ERR_SOURCE',
    httpStatus: 502,
    message: /^expected audio from a Response; got HTTP 502, text\/plain/,
  })
  t.match(await failureOf(t, new Response('short', { headers: { 'content-length': '9' } })), {
    code: 'STT_ERR_SOURCE',
    message: /after 5 bytes of 9/,
  })
  t.equal((await download(new Response(null))).length, 0)
  const used = new Response('audio')
  await used.text()
  await t.rejects(openSource(used), { name: 'TypeError', message: /a Response whose body has not been read/ })
  const begun = new Response('audio')
  const reader = begun.body?.getReader()
  await reader?.read()
  reader?.releaseLock()
  await t.rejects(openSource(begun), { name: 'TypeError', message: /has not been read/ })
  const locked = new Response('audio')
  locked.body?.getReader()
  await t.rejects(openSource(locked), { name: 'TypeError', message: /has not been read/ })
})

t.test('what breaks before anybody reads is told to who reads then', async t => {
  let breakBody!: () => void
  const body = new ReadableStream({
    start: controller => (breakBody = () => controller.error(new Error('the network is gone'))),
  })
  const { bytes } = await openSource(new Response(body))
  breakBody()
  await new Promise(setImmediate)
  t.equal(bytes.destroyed, false)
  await t.rejects(bytes.toArray(), { code: 'STT_ERR_SOURCE', message: /the network is gone/ })
})

t.test('whether a source is live is told by its headers', async t => {
  const stored = { 'content-length': WAV.length }
  const cases: [string, boolean, Record<string, string | number>][] = [
    ['a file', false, stored],
    ['a file of unknown length', false, { 'accept-ranges': 'bytes' }],
    ['a packed file', false, { 'content-encoding': 'gzip' }],
    ['a version', false, { etag: '"v1"' }],
    ['a date', false, { 'last-modified': new Date().toUTCString() }],
    ['Icecast', true, { 'icy-name': 'Radio', 'icy-br': 128 }],
    ['Icecast that claims a length', true, { ...stored, 'ice-audio-info': 'bitrate=64' }],
    ['a stream of unknown make', true, { 'content-type': 'audio/mpeg' }],
  ]
  for (const [name, expected, headers] of cases) {
    const { url, idle } = await webSite(t, (_, response) => response.writeHead(200, headers).write('RIFF'))
    const { bytes, live } = await openSource(url)
    t.equal(live, expected, name)
    bytes.destroy()
    await idle()
  }
})

t.test('a URL is transcribed as a file is', async t => {
  const { url } = await scriptedServer(t)
  const directory = t.testdir({ 'tone.wav': WAV })
  const moovLast = await encode(directory, 'tone.m4a', ['-i', 'tone.wav'])
  const mp4 = readFileSync(moovLast)
  t.ok(mp4.indexOf('moov') > mp4.indexOf('mdat'), 'the index stands at the end')
  for (const bytes of [WAV, mp4]) {
    const site = await webSite(t, storedFile({ bytes, cutAfter: n => (n === 0 ? 2_000 : undefined) }))
    t.match(await transcribe(site.url, { url }), { text: TEXT, warnings: [] })
    t.match(await transcribe(await fetch(site.shownUrl), { url }), { text: TEXT })
  }
})

t.test('what is live is decoded with little to look at before', async t => {
  const { url } = await scriptedServer(t)
  const directory = t.testdir({ 'tone.wav': WAV })
  const mkv = readFileSync(await encode(directory, 'tone.mkv', ['-i', 'tone.wav']))
  const calls = join(directory, 'calls')
  writeFileSync(join(directory, 'ffmpeg'), `#!/bin/sh\necho "$@" >> ${calls}\nexec ffmpeg "$@"\n`, {
    mode: 0o755,
  })
  const station = await webSite(t, (_, response) => response.writeHead(200, { 'icy-name': 'x' }).end(mkv))
  const file = await webSite(t, storedFile({ bytes: mkv }))
  const options = { url, ffmpegPath: join(directory, 'ffmpeg') }
  t.match(await transcribe(station.url, options), { text: TEXT })
  t.match(await transcribe(file.url, options), { text: TEXT })
  t.match(
    await transcribe(station.url, { ...options, live: false }),
    { text: TEXT },
    'the option has the last word',
  )
  t.strictSame(
    readFileSync(calls, 'utf8')
      .trimEnd()
      .split('\n')
      .map(call => call.includes('-analyzeduration')),
    [true, false, false],
  )
})

t.test('what a URL fails with is the error, and no session is opened for it', async t => {
  let sessions = 0
  const { url } = await scriptedServer(t, { faults: () => void sessions++ })
  const missing = await webSite(t, (_, response) => response.writeHead(404).end())
  await t.rejects(transcribe(missing.url, { url }), { code: 'STT_ERR_SOURCE', httpStatus: 404 })
  await t.rejects(transcribe(missing.url, { url, frameMs: 5 }), RangeError)
  await t.rejects(transcribe(missing.url, { url, sourceTimeoutMs: 0 }), RangeError)
  t.equal(missing.requests.length, 1, 'misuse asks nobody')
  t.equal(sessions, 0)

  const cut = await webSite(t, (_, response) => {
    response.writeHead(200, { 'content-length': WAV.length })
    breakOff(response, WAV.subarray(0, 50_000))
  })
  await t.rejects(transcribe(cut.url, { url }), { code: 'STT_ERR_SOURCE', transcript: { turns: [] } })
})

t.test('its bytes go to the stages alone too', async t => {
  const { url } = await webSite(t, storedFile({ bytes: WAV }))
  const { bytes } = await openSource(url)
  const decoder = decode()
  const [samples] = await Promise.all([decoder.toArray(), pipeline(bytes, decoder)])
  t.equal(Buffer.concat(samples as Buffer[]).length, 96_000)
})

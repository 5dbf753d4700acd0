/**
 * What is tried on every runtime, with the package as a user installs it. Prints one line of JSON for each check
 * and lets the process end by itself: that is the last check, and scripts/test-runtimes.mjs makes it.
 */
import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sttStream } from 'sttstream'
import { scriptedRecognizer, startLocalServer } from 'sttstream/testing'

const CHECK_TIMEOUT_MS = 30_000
const SPEECH = [{ startMs: 300, endMs: 1_400, text: 'turn the lamp on' }]
const recognizer = scriptedRecognizer(SPEECH)
const key = 'c21va2U6dGVzdA=='
/** A recording of the Debian package pocketsphinx-testdata. */
const GO_FORWARD = '/usr/share/pocketsphinx/test/data/goforward.raw'
const LINEAR16 = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
const [runtime, wav, compressed] = process.argv.slice(2)

const equal = (actual, expected, what) => {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}; got ${actual}`)
}

async function withServer(options, use) {
  const server = await startLocalServer({ recognizer, ...options })
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

async function finalOf(source, stream) {
  let transcript
  await pipeline(source, stream, async events => {
    for await (const event of events)
      if (event.type === 'transcription' && event.isFinal) transcript = event.transcript
  })
  return transcript
}

/** How the stream failed. */
async function failureOf(stream) {
  stream.resume()
  const [error] = await once(stream, 'error')
  if (!stream.closed) await once(stream, 'close')
  return error
}

const checks = {
  async import() {
    const { bun, deno } = process.versions
    equal(bun ? 'Bun' : deno ? 'Deno' : 'Node', runtime, 'runtime')
    equal(typeof sttStream, 'function', 'sttStream')
  },
  async require() {
    const required = createRequire(import.meta.url)('sttstream')
    equal(required.sttStream, sttStream, 'the required sttStream')
  },
  async addon() {
    const { nativeBackend, nativeLoadError } = await import('./node_modules/sttstream/dist/native.js')
    equal(nativeBackend(), 'native', nativeLoadError()?.message ?? 'implementation')
  },
  async wav() {
    await withServer({ apiKey: key }, async ({ url }) => {
      equal(
        await finalOf(createReadStream(wav), sttStream({ url, apiKey: key })),
        SPEECH[0].text,
        'transcript',
      )
    })
  },
  async reconnect() {
    const first = { close: { code: 1011, at: { afterAudioMs: 500 } } }
    const faults = connection => (connection === 0 ? first : undefined)
    await withServer({ faults }, async ({ url }) => {
      const stream = sttStream({ url, retry: { baseDelayMs: 1 } })
      let reconnected = 0
      stream.on('reconnected', () => reconnected++)
      equal(await finalOf(createReadStream(wav), stream), SPEECH[0].text, 'transcript')
      equal(reconnected, 1, 'reconnected')
    })
  },
  async ffmpeg() {
    if (!existsSync(compressed)) return 'skip'
    await withServer({}, async ({ url }) => {
      equal(await finalOf(createReadStream(compressed), sttStream({ url })), SPEECH[0].text, 'transcript')
    })
  },
  async abort() {
    await withServer({}, async ({ url }) => {
      const controller = new AbortController()
      const stream = sttStream({ url, signal: controller.signal })
      stream.once('open', () => controller.abort())
      equal((await failureOf(stream)).name, 'AbortError', 'error')
    })
  },
  async 'wrong key'() {
    await withServer({ apiKey: key }, async ({ url }) => {
      const { code, httpStatus } = await failureOf(sttStream({ url, apiKey: 'd3Jvbmc=' }))
      equal(`${code} ${httpStatus}`, 'STT_ERR_AUTH 403', 'error')
    })
  },
  async 'no server'() {
    const { code } = await failureOf(sttStream({ url: 'ws://127.0.0.1:9/', retry: false }))
    equal(code, 'STT_ERR_SOCKET', 'error')
  },
  async subprotocol() {
    await withServer({ apiKey: 'token-1' }, async ({ url }) => {
      const stream = sttStream({ url, apiKey: 'token-1', authIn: 'subprotocol' })
      equal(await finalOf(createReadStream(wav), stream), SPEECH[0].text, 'transcript')
    })
  },
  async handshake() {
    await withServer({ faults: { upgrade: { never: true } } }, async ({ url }) => {
      const { code } = await failureOf(sttStream({ url, retry: false, handshakeTimeoutMs: 300 }))
      equal(code, 'STT_ERR_CONNECT_TIMEOUT', 'error')
    })
  },
  async ping() {
    await withServer({ faults: { stopReading: true } }, async ({ url }) => {
      const { code } = await failureOf(
        sttStream({ url, retry: false, pingIntervalMs: 100, pongTimeoutMs: 300 }),
      )
      equal(code, 'STT_ERR_PING_TIMEOUT', 'error')
    })
  },
  async pocketsphinx() {
    if (!existsSync(GO_FORWARD)) return 'skip'
    const stream = sttStream({ url: 'local', input: LINEAR16 })
    equal(await finalOf(createReadStream(GO_FORWARD), stream), 'go forward ten meters', 'transcript')
  },
  async 'web stream'() {
    await withServer({}, async ({ url }) => {
      const audio = Readable.toWeb(Readable.from([Buffer.alloc(64_000)]))
      const stream = sttStream({ url, input: LINEAR16 })
      equal(await finalOf(Readable.fromWeb(audio), stream), SPEECH[0].text, 'transcript')
    })
  },
}

for (const [name, check] of Object.entries(checks)) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing for ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS)
  })
  const result = await Promise.race([check(), late]).then(
    note => ({ name, ok: true, note }),
    error => ({ name, ok: false, note: String(error.message).split('\n', 1)[0] }),
  )
  clearTimeout(timer)
  console.log(JSON.stringify(result))
}

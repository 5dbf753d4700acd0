import { once } from 'node:events'
import { endianness } from 'node:os'
import { PassThrough, Readable } from 'node:stream'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { openSource, transcribe, transcribeFile, type AudioSource, type PcmEncoding } from '#dist/index.js'
import { splitEvery } from './fixtures/audio.js'
import { lampAnswer, restService } from './fixtures/rest-service.js'
import { runNode } from './fixtures/run-node.js'
import { scriptedServer, tone, toneWav } from './fixtures/scripted.js'

const WAV = toneWav(3_000)
const TEXT = 'turn the lamp on thank you'
const ORDER = endianness() === 'LE' ? 'le' : 'be'
const declared = (encoding: PcmEncoding) => ({ encoding, sampleRateHertz: 16_000, channels: 1 }) as const

async function bytesOf(source: AudioSource, encoding?: PcmEncoding): Promise<Buffer> {
  const { bytes, live } = await openSource(source, encoding && { input: declared(encoding) })
  t.equal(live, false)
  return Buffer.concat((await bytes.toArray()) as Buffer[])
}

/** The same bytes in the middle of a larger buffer. */
function inTheMiddle(bytes: Uint8Array, buffer: ArrayBuffer | SharedArrayBuffer) {
  new Uint8Array(buffer).fill(0xff).set(bytes, 8)
  return { buffer, offset: 8, length: bytes.length }
}

t.test('views count from where they begin to where they end, and buffers whole', async t => {
  const room = inTheMiddle(WAV, new ArrayBuffer(WAV.length + 16))
  const shared = inTheMiddle(WAV, new SharedArrayBuffer(WAV.length + 16))
  const whole = new ArrayBuffer(WAV.length)
  new Uint8Array(whole).set(WAV)
  const wholeShared = new SharedArrayBuffer(WAV.length)
  new Uint8Array(wholeShared).set(WAV)
  const sources: Record<string, AudioSource> = {
    'a Uint8Array': new Uint8Array(room.buffer, room.offset, room.length),
    'a DataView': new DataView(room.buffer, room.offset, room.length),
    'a view of shared memory': new Uint8Array(shared.buffer, shared.offset, shared.length),
    'an ArrayBuffer': whole,
    'a SharedArrayBuffer': wholeShared,
    'of another realm': runInNewContext('Uint8Array.from(bytes)', { bytes: [...WAV] }) as Uint8Array,
    'a File': new File([WAV], 'tone.wav'),
  }
  for (const [name, source] of Object.entries(sources)) {
    t.ok(WAV.equals(await bytesOf(source)), name)
    if (!(source instanceof File))
      t.ok(WAV.equals(await bytesOf([source] as AudioSource)), `${name}, as a chunk`)
  }
})

t.test('chunks of any kind come from streams and iterables of any kind', async t => {
  const kinds = [
    (chunk: Buffer) => chunk,
    (chunk: Buffer) => new Uint8Array(chunk),
    (chunk: Buffer) => new Uint8Array(chunk).buffer,
    (chunk: Buffer) => new DataView(chunk.buffer, chunk.byteOffset, chunk.length),
  ]
  const chunks = () => splitEvery(WAV, 1_001).map((chunk, index) => kinds[index % kinds.length]!(chunk))
  async function* slowly() {
    for (const chunk of chunks()) yield await Promise.resolve(chunk)
  }
  const queue = chunks()
  const sources: Record<string, AudioSource> = {
    'an array': chunks(),
    'a Set': new Set(chunks()),
    'a generator': slowly(),
    'a Node stream': Readable.from(chunks()),
    'a web stream': new ReadableStream({
      pull(controller) {
        const chunk = queue.shift()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
    }),
  }
  for (const [name, source] of Object.entries(sources)) t.ok(WAV.equals(await bytesOf(source)), name)
  const byteStream = new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(new Uint8Array(WAV))
      controller.close()
    },
  })
  t.ok(WAV.equals(await bytesOf(byteStream)), 'a web stream of bytes')
})

t.test('samples in typed arrays are what input says, in the byte order of this machine', async t => {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, index) => index))
  const room = inTheMiddle(bytes, new ArrayBuffer(128))
  const cases: [AudioSource & ArrayBufferView, PcmEncoding[]][] = [
    [new Int8Array(room.buffer, 8, 64), ['s8']],
    [new Uint8ClampedArray(room.buffer, 8, 64), ['u8', 'mulaw', 'alaw']],
    [new Int16Array(room.buffer, 8, 32), [`s16${ORDER}`]],
    [new Int32Array(room.buffer, 8, 16), [`s32${ORDER}`]],
    [new Float32Array(room.buffer, 8, 16), [`f32${ORDER}`]],
    [new Float64Array(room.buffer, 8, 8), [`f64${ORDER}`]],
  ]
  for (const [samples, encodings] of cases) {
    for (const encoding of encodings) {
      t.ok(bytes.equals(await bytesOf(samples, encoding)), encoding)
      t.ok(
        bytes.equals(await bytesOf([samples, samples.buffer.slice(0, 0)], encoding)),
        `${encoding}, a chunk`,
      )
    }
    const holds = encodings.map(encoding => `'${encoding}'`).join(' or ')
    const name = samples.constructor.name
    await t.rejects(bytesOf(samples), {
      name: 'TypeError',
      message: `samples of a ${name} are ${holds} here: declare them with input, or give bytes as Uint8Array; got no input`,
    })
    await t.rejects(bytesOf(Readable.from([samples]), 's24le'), {
      name: 'TypeError',
      message: `samples of a ${name} are ${holds} here; got input.encoding 's24le'`,
    })
  }
  for (const other of [new Uint16Array(4), new BigInt64Array(4), new Uint32Array(4)]) {
    await t.rejects(bytesOf(other, 's16le'), {
      name: 'TypeError',
      message: new RegExp(`samples as Int8Array, .*; got ${other.constructor.name}$`),
    })
  }
})

t.test('samples are transcribed, over the stream and as a file', async t => {
  const pcm = tone(3_000)
  const samples = new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length))
  const input = declared(`s16${ORDER}`)
  const { url } = await scriptedServer(t)
  t.match(await transcribe(samples, { url, input }), { text: TEXT, durationMs: 3_000 })
  t.match(await transcribe([samples], { url, input }), { text: TEXT, durationMs: 3_000 })
  await t.rejects(transcribe(samples, { url }), { name: 'TypeError', message: /got no input/ })
  const service = await restService(t, lampAnswer)
  await transcribeFile(samples, { url: service.url, input })
  const { audioData } = JSON.parse(service.calls[0]?.body ?? '') as { audioData: { content: string } }
  t.ok(WAV.equals(Buffer.from(audioData.content, 'base64')))
  await t.rejects(transcribeFile([samples], { url: service.url }), { name: 'TypeError', message: /no input/ })
})

t.test('standard input is a source', async t => {
  const { url } = await scriptedServer(t)
  const path = `${t.testdir({ 'tone.wav': WAV })}/tone.wav`
  const inner = `import { transcribe } from 'sttstream'; console.log((await transcribe(process.stdin, { url: '${url}' })).text)`
  const outer = `require('node:child_process').spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(inner)}],
    { stdio: [require('node:fs').openSync(${JSON.stringify(path)}), 'inherit', 'inherit'] })`
  t.match(await runNode(['-e', outer]), { code: 0, stdout: `${TEXT}\n`, stderr: '' })
})

t.test('what a source fails with is the error, whatever it is', async t => {
  const failure = new Error('disk on fire')
  const failing: Record<string, AudioSource> = {
    'a web stream': new ReadableStream({ pull: controller => controller.error(failure) }),
    'a Node stream': new Readable({
      read: function () {
        this.destroy(failure)
      },
    }),
    'a Blob': Object.assign(new Blob(['x']), {
      stream: () => new ReadableStream({ pull: controller => controller.error(failure) }),
    }),
  }
  for (const [name, source] of Object.entries(failing)) await t.rejects(bytesOf(source), failure, name)
})

t.test('who destroys the bytes lets go of the source', async t => {
  const node = new PassThrough()
  const closed = once(node, 'close')
  const { bytes } = await openSource(node)
  bytes.destroy()
  await closed
  t.equal(node.errored, null, 'nothing failed')

  let cancelled = 0
  const web = new ReadableStream({ cancel: () => void cancelled++ })
  const opened = await openSource(web)
  opened.bytes.destroy()
  await once(opened.bytes, 'close')
  await new Promise(setImmediate)
  t.equal(cancelled, 1)
})

t.test('the deadline is checked whatever the source is', async t => {
  for (const sourceTimeoutMs of [0, -1, NaN, 2 ** 31]) {
    await t.rejects(openSource(WAV, { sourceTimeoutMs }), {
      name: 'RangeError',
      message: `sourceTimeoutMs must be from 1 to 2147483647 ms; got ${sourceTimeoutMs}`,
    })
  }
  await t.rejects(openSource(WAV, { sourceTimeoutMs: '5' as unknown as number }), {
    name: 'TypeError',
    message: /got string/,
  })
})

import t, { type Test } from 'tap'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { CodecMessage, CodecWorkerData } from '#dist/audio/codec-worker.js'
import { decode, type DecodeWarning } from '#dist/audio/decode.js'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { hasCodec, type Codec } from '#dist/audio/codecs.js'
import { encode, firstChannel, randomBytes, randomSplit, readAll, toneShare } from './fixtures/audio.js'

const work = t.testdir()
const SINE = ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=1']
const FILES: Record<Codec, [name: string, args: string[]]> = {
  mp3: ['tone.mp3', ['-c:a', 'libmp3lame']],
  opus: ['tone.ogg', ['-c:a', 'libopus']],
}
const CODECS = Object.keys(FILES) as Codec[]

async function fileOf(codec: Codec): Promise<Buffer> {
  const [name, args] = FILES[codec]
  return readFile(await encode(work, name, [...SINE, ...args]))
}

async function fromBytes(chunks: Buffer[], options: DecodeOptions = {}) {
  const decoder = decode(options)
  const warnings: DecodeWarning[] = []
  decoder.on('warning', (warning: DecodeWarning) => warnings.push(warning))
  const pcm = await readAll(Readable.from(chunks, { objectMode: true }).pipe(decoder))
  return { pcm, decoder, warnings }
}

function isTone(t: Test, pcm: Buffer, seconds: number): void {
  const samples = firstChannel(pcm, 1)
  t.ok(Math.abs(samples.length / 48_000 - seconds) < 0.05, `${samples.length / 48_000} s`)
  t.ok(toneShare(samples, 440, 48_000) > 0.97, 'it is the tone')
}

t.test('the packages are installed here', async t => {
  for (const codec of CODECS) t.ok(hasCodec(codec), codec)
})

for (const codec of CODECS) {
  t.test(`${codec}: the same samples for every split, without ffmpeg`, async t => {
    const file = await fileOf(codec)
    const none: DecodeOptions = { ffmpegPath: '/nonexistent/ffmpeg' }
    const whole = await fromBytes([file], none)
    isTone(t, whole.pcm, 1)
    t.same(whole.warnings, [])
    t.equal(whole.decoder.source?.decodedBy, 'codec')
    t.same(whole.decoder.format, { encoding: 'f32le', sampleRateHertz: 48_000, channels: 1 })
    for (const size of [1, 7, 3_000]) {
      // The header and the first frames in small pieces; the rest tells nothing new.
      const begin = randomSplit(file.subarray(0, 500 * size), size, size)
      const pieces = await fromBytes([...begin, file.subarray(500 * size)], none)
      t.ok(pieces.pcm.equals(whole.pcm), `chunks of up to ${size}`)
    }
  })

  t.test(`${codec}: a tag of several MB before it is passed over`, async t => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\x02\0\0\0', 'latin1'), Buffer.alloc(2 * 2 ** 21)])
    const { pcm, decoder } = await fromBytes(
      randomSplit(Buffer.concat([tag, await fileOf(codec)]), 3, 100_000),
    )
    isTone(t, pcm, 1)
    t.equal(decoder.source?.decodedBy, 'codec')
  })

  t.test(`${codec}: two files behind one another are heard to the end`, async t => {
    const file = await fileOf(codec)
    const { pcm } = await fromBytes(randomSplit(Buffer.concat([file, file]), 4, 10_000))
    const middle = pcm.length / 2 - ((pcm.length / 2) % 4)
    for (const half of [pcm.subarray(0, middle), pcm.subarray(middle)]) isTone(t, half, 1)
  })

  t.test(
    `${codec}: damage costs what is damaged, or is an error, and nothing goes to the console`,
    async t => {
      const file = await fileOf(codec)
      const written: string[] = []
      t.intercept(process.stderr, 'write', { value: (text: string) => written.push(text) > 0 })
      for (let seed = 1; seed <= 8; seed++) {
        const damaged = Buffer.from(file)
        randomBytes(200, seed).copy(damaged, Math.floor((file.length * (seed + 1)) / 11))
        try {
          const { pcm } = await fromBytes([damaged])
          t.ok(pcm.length > 0.3 * 48_000 * 4, `${pcm.length} bytes of samples`)
        } catch (error) {
          t.match(error, { name: 'SttError', code: /^STT_ERR_(DECODE|UNSUPPORTED_AUDIO)/ })
        }
      }
      t.same(written, [])
    },
  )

  t.test(`${codec}: ends at once when destroyed, in any state`, async t => {
    const file = await fileOf(codec)
    for (const state of ['started', 'half', 'ended']) {
      const decoder = decode()
      if (state !== 'started') decoder.write(file.subarray(0, file.length / 2))
      if (state === 'ended') decoder.end(file.subarray(file.length / 2))
      const closed = new Promise(resolve => decoder.once('close', resolve))
      decoder.destroy()
      await closed
      t.pass(state)
    }
  })
}

t.test(
  'a thread that is ended early leaves no file open',
  { skip: process.platform !== 'linux' && 'open files are counted in /proc' },
  async t => {
    const file = await fileOf('opus')
    for (let afterMs = 0; afterMs < 60; afterMs += 5) {
      const decoder = decode()
      decoder.write(file.subarray(0, 5_000))
      await setTimeout(afterMs)
      const closed = once(decoder, 'close')
      decoder.destroy()
      await closed
    }
    const links = await readdir('/proc/self/fd')
    const open = await Promise.all(links.map(link => readlink(`/proc/self/fd/${link}`).catch(() => '')))
    t.same(
      open.filter(path => /codec-worker|node_modules/.test(path)),
      [],
    )
  },
)

t.test('what one thread has compiled the next ones need not', async t => {
  const start = async (codec: Codec, module?: object) => {
    const file = await fileOf(codec)
    const worker = new Worker(new URL('../dist/audio/codec-worker.js', import.meta.url), {
      workerData: { codec, channels: 1, module } satisfies CodecWorkerData,
    })
    const messages: CodecMessage[] = []
    worker.on('message', (message: CodecMessage) => messages.push(message))
    worker.postMessage(new Uint8Array(file))
    while (messages.at(-1)?.kind !== 'answer') await once(worker, 'message')
    await worker.terminate()
    return messages
  }
  for (const codec of CODECS) {
    const first = await start(codec)
    const compiled = first.find(message => message.kind === 'compiled')
    t.ok(compiled, codec)
    const second = await start(codec, compiled?.module)
    t.notOk(second.find(message => message.kind === 'compiled'))
    t.same(second.at(-1), first.at(-1))
  }
})

t.test('the reader’s pace is the decoder’s', async t => {
  const file = await readFile(await encode(work, 'long.mp3', ['-f', 'lavfi', '-i', 'sine=440:r=48000:d=60']))
  const decoder = decode()
  let taken = 0
  for (const chunk of randomSplit(file, 5, 8_000)) decoder.write(chunk, () => (taken += chunk.length))
  await new Promise(resolve => decoder.once('readable', resolve))
  t.ok(decoder.readableLength < 1_000_000, `${decoder.readableLength} bytes wait`)
  t.ok(taken < file.length / 2, `${taken} of ${file.length} bytes were taken`)
  isTone(t, await readAll(decoder.end()), 60)
})

t.test('STT_WARN_DAMAGED counts what could not be decoded', async t => {
  const file = await fileOf('opus')
  // The second half of the audio packets says that it is another kind of packet.
  const damaged = Buffer.from(file)
  damaged.fill(0xff, Math.floor(file.length * 0.5), Math.floor(file.length * 0.6))
  const { warnings, pcm } = await fromBytes([damaged])
  t.match(warnings, [
    { code: 'STT_WARN_DAMAGED', message: /^\d+ parts of the opus audio could not be decoded; the first: / },
  ])
  t.ok(pcm.length > 0)
})

t.test('an mp3 that goes on in stereo is heard in both channels', async t => {
  const mono = await fileOf('mp3')
  const left = ['-f', 'lavfi', '-i', 'aevalsrc=0|0.5*sin(880*PI*t):s=48000:d=1']
  const stereo = await readFile(await encode(work, 'right.mp3', left))
  const { pcm, decoder } = await fromBytes([mono, stereo])
  t.equal(decoder.format?.channels, 1)
  const samples = firstChannel(pcm, 1)
  const second = samples.slice(-24_000)
  t.ok(toneShare(second, 440, 48_000) > 0.97 && Math.max(...second) > 0.2, 'what the right one alone says')
})

t.test('Opus channels that are no loudspeakers are ffmpeg’s', async t => {
  const args = [...SINE, '-ac', '3', '-c:a', 'libopus', '-mapping_family', '255']
  const file = await readFile(await encode(work, 'discrete.ogg', args))
  const { decoder, pcm } = await fromBytes([file])
  t.same(decoder.source, { container: 'ogg-opus', decodedBy: 'ffmpeg' })
  t.equal(decoder.format?.channels, 3)
  t.ok(pcm.length > 0)
})

t.test('a change of rate in the middle is an error that names the remedy', async t => {
  const low = await readFile(await encode(work, 'low.mp3', ['-f', 'lavfi', '-i', 'sine=440:r=22050:d=1']))
  await t.rejects(fromBytes([await fileOf('mp3'), low]), {
    code: 'STT_ERR_UNSUPPORTED_AUDIO',
    message: /48000 Hz and 1 channels become 22050 Hz and 1; the option decoder: 'ffmpeg' converts it$/,
  })
})

import t, { type Test } from 'tap'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode, Decoder, type DecodeWarning } from '#dist/audio/decode.js'
import { flacBits } from '#dist/audio/flac.js'
import { blockAlign, durationMs, type PcmFormat } from '#dist/audio/pcm-format.js'
import { wavHeader } from '#dist/audio/wav-header.js'
import {
  auFile,
  encode,
  firstChannel,
  mp4Box,
  randomBytes,
  randomSplit,
  readAll,
  sine,
  splitEvery,
  toneShare,
  wavFile,
} from './fixtures/audio.js'
import { samplesOf } from './fixtures/format-signal.js'

const TONE_HERTZ = 440
const SECONDS = 2
const STEREO: PcmFormat = { encoding: 's16le', sampleRateHertz: 44_100, channels: 2 }

/** The work directory holds the files, the temporary one only what the decoder leaves there: nothing. */
const work = t.testdir({ temporary: {} })
const temporary = join(work, 'temporary')
process.env['TMPDIR'] = temporary

async function leavesNothing(t: Test, pids: () => Promise<number[]>): Promise<void> {
  t.same(await readdir(temporary), [], 'no temporary file is left')
  for (const pid of await pids()) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'no child is left')
}

let runs = 0

/** The real ffmpeg, or a script of another, which tells its process ids. */
async function watchedFfmpeg(script = 'exec ffmpeg "$@"') {
  const directory = join(work, `run-${++runs}`)
  await mkdir(directory)
  const command = join(directory, 'ffmpeg')
  await writeFile(command, `#!/bin/sh\necho $$ >> '${directory}/pids'\n${script}\n`)
  await chmod(command, 0o755)
  const pids = async () => {
    const lines = await readFile(join(directory, 'pids'), 'utf8').catch(() => '')
    return lines.split('\n').filter(Boolean).map(Number)
  }
  return { command, pids }
}

/** Reads a decoder to its end. */
async function drain(decoder: Decoder) {
  const warnings: DecodeWarning[] = []
  const formats: PcmFormat[] = []
  decoder.on('warning', (warning: DecodeWarning) => warnings.push(warning))
  decoder.on('format', (format: PcmFormat) => formats.push(format))
  const pcm = await readAll(decoder)
  return { pcm, format: decoder.format, formats, warnings }
}

const fromBytes = (chunks: Buffer[], options?: DecodeOptions) => {
  const decoder = decode(options)
  Readable.from(chunks, { objectMode: true }).pipe(decoder)
  return drain(decoder)
}

/** Whether it is the tone at its full length; f32le, or as wanted. */
function isTone(
  t: Test,
  found: { pcm: Buffer; format?: PcmFormat },
  wanted: Partial<PcmFormat> = {},
  padMs = 60,
) {
  const format: PcmFormat = { ...STEREO, encoding: 'f32le', ...wanted }
  t.same(found.format, format)
  t.equal(found.pcm.length % blockAlign(format), 0, 'whole blocks')
  const length = durationMs(format, found.pcm.length)
  t.ok(Math.abs(length - SECONDS * 1000) <= padMs, `${length} ms of ${SECONDS * 1000}`)
  const share = toneShare(samplesOf(found.pcm, format)[0]!, TONE_HERTZ, format.sampleRateHertz)
  t.ok(share > 0.97, `${share} of the energy is the tone`)
}

const source = join(work, 'tone.wav')

t.before(async () => {
  const pcm = sine(STEREO, TONE_HERTZ, SECONDS)
  await writeFile(source, Buffer.concat([wavHeader(STEREO, pcm.length), pcm]))
})

/** File name, encoder arguments, what comes out, how much codecs pad. */
const compressed: [name: string, args: string[], format?: Partial<PcmFormat>][] = [
  ['tone.mp3', ['-c:a', 'libmp3lame']],
  ['untagged.mp3', ['-c:a', 'libmp3lame', '-id3v2_version', '0', '-write_xing', '0']],
  ['faststart.m4a', ['-c:a', 'aac', '-movflags', '+faststart']],
  ['moov-last.m4a', ['-c:a', 'aac']],
  [
    'fragmented.mp4',
    ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-frag_duration', '500000'],
  ],
  ['tone.mov', ['-c:a', 'pcm_s16le', '-f', 'mov']],
  ['tone.aac', ['-c:a', 'aac']],
  ['opus.ogg', ['-c:a', 'libopus'], { sampleRateHertz: 48_000 }],
  ['vorbis.ogg', ['-c:a', 'libvorbis']],
  ['tone.flac', ['-c:a', 'flac'], { encoding: 's16le' }],
  ['tone.webm', ['-c:a', 'libopus'], { sampleRateHertz: 48_000 }],
  ['tone.aiff', ['-c:a', 'pcm_s16be']],
  ['tone.w64', ['-c:a', 'pcm_s16le']],
  ['adpcm.wav', ['-c:a', 'adpcm_ms']],
  ['mp3.wav', ['-c:a', 'libmp3lame']],
  ['gsm.wav', ['-c:a', 'libgsm_ms', '-ar', '8000', '-ac', '1'], { sampleRateHertz: 8_000, channels: 1 }],
  ['g722.wav', ['-c:a', 'g722', '-ar', '16000', '-ac', '1'], { sampleRateHertz: 16_000, channels: 1 }],
]

for (const [name, args, format] of compressed) {
  t.test(`decodes ${name}, written whole, in pieces, and by path`, async t => {
    const path = await encode(work, name, ['-i', source, ...args])
    const file = await readFile(path)
    const { command: ffmpegPath, pids } = await watchedFfmpeg()
    const options: DecodeOptions = { ffmpegPath, decoder: 'ffmpeg' }
    const whole = await fromBytes([file], options)
    isTone(t, whole, format)
    t.same(whole.formats, [whole.format])
    t.same(whole.warnings, [])
    const pieces = await fromBytes(randomSplit(file, 1, 9_000), options)
    t.ok(pieces.pcm.equals(whole.pcm), 'the split makes no difference')
    const byPath = await drain(decode({ path, ...options }))
    isTone(t, byPath, format)
    await leavesNothing(t, pids)
    t.equal((await pids()).length, 3)
  })
}

t.test('decodes byte by byte, spooled or piped', async t => {
  for (const [name, args] of [
    ['short.mp3', []],
    ['short-moov-last.m4a', ['-c:a', 'aac']],
    ['short-faststart.m4a', ['-c:a', 'aac', '-movflags', '+faststart']],
  ] as [string, string[]][]) {
    const path = await encode(work, name, ['-i', source, '-t', '0.3', '-b:a', '32k', ...args])
    const file = await readFile(path)
    const { command: ffmpegPath, pids } = await watchedFfmpeg()
    const { pcm } = await fromBytes(splitEvery(file, 1), { ffmpegPath })
    t.ok(pcm.equals((await fromBytes([file])).pcm) && pcm.length > 80_000, name)
    await leavesNothing(t, pids)
  }
})

t.test('finds the sound in a video', async t => {
  const video = ['-f', 'lavfi', '-i', `testsrc=duration=${SECONDS}:size=160x120:rate=10`, '-i', source]
  const cases: [string, string[], Partial<PcmFormat>][] = [
    ['video.mp4', ['-c:v', 'mpeg4', '-c:a', 'aac'], {}],
    ['video-faststart.mp4', ['-c:v', 'mpeg4', '-c:a', 'aac', '-movflags', '+faststart'], {}],
    ['video.mkv', ['-c:v', 'mpeg4', '-c:a', 'libvorbis'], {}],
    ['video.ts', ['-c:v', 'mpeg2video', '-c:a', 'mp2'], {}],
    ['video.avi', ['-c:v', 'mpeg4', '-c:a', 'libmp3lame'], {}],
  ]
  for (const [name, args, format] of cases) {
    const path = await encode(work, name, [...video, ...args])
    isTone(t, await fromBytes([await readFile(path)]), format, 120)
    isTone(t, await drain(decode({ path })), format, 120)
  }
})

t.test('decodes AMR as ffmpeg itself does', async t => {
  // Debian's ffmpeg has no encoder for it: a second of 12.2 kbit/s frames of arbitrary speech parameters.
  const frames = Array.from({ length: 50 }, (_, i) =>
    Buffer.concat([Buffer.from([0x3c]), randomBytes(31, i)]),
  )
  const path = join(work, 'noise.amr')
  await writeFile(path, Buffer.concat([Buffer.from('#!AMR\n'), ...frames]))
  const { pcm, format } = await fromBytes(randomSplit(await readFile(path), 2, 100))
  t.same(format, { encoding: 'f32le', sampleRateHertz: 8_000, channels: 1 })
  t.equal(pcm.length, 8_000 * 4)
  const expected = await readFile(await encode(work, 'noise.f32', ['-i', path, '-f', 'f32le']))
  t.ok(pcm.equals(expected))
  t.ok(firstChannel(pcm, 1).some(sample => Math.abs(sample) > 0.01))
})

t.test('keeps 24 bits of a flac, and makes no more of 16 where its header says so', async t => {
  const format: PcmFormat = { encoding: 's32le', sampleRateHertz: 48_000, channels: 1 }
  const pcm = sine(format, TONE_HERTZ, 0.5)
  // Only the lowest of the 24 bits are used: 16-bit audio would be silence.
  const quiet = Buffer.alloc(pcm.length)
  for (let at = 0; at < pcm.length; at += 4) quiet.writeInt32LE((pcm.readInt32LE(at) >> 24) << 8, at)
  await writeFile(join(work, 'quiet.wav'), Buffer.concat([wavHeader(format, quiet.length), quiet]))
  const path = await encode(work, 'quiet.flac', ['-i', 'quiet.wav', '-c:a', 'flac', '-sample_fmt', 's32'])
  const decoded = firstChannel((await fromBytes([await readFile(path)])).pcm, 1)
  t.equal(decoded.length, quiet.length / 4)
  t.ok(decoded.every((sample, i) => sample * 2 ** 31 === quiet.readInt32LE(4 * i)))
  t.ok(decoded.some(sample => sample !== 0))

  const narrow = await readFile(await encode(work, 'narrow.flac', ['-i', 'tone.wav', '-c:a', 'flac']))
  const wide = Buffer.from(narrow)
  wide[4] = 1 // as if padding stood where STREAMINFO must
  t.equal(flacBits(narrow), 16)
  t.equal(flacBits(wide), 32)
  t.equal(flacBits(narrow.subarray(0, 21)), undefined)
  t.equal((await fromBytes(splitEvery(narrow, 7))).format?.encoding, 's16le')
})

t.test('delivers the good audio around damage', async t => {
  const path = await encode(work, 'whole.mp3', ['-i', source])
  const file = await readFile(path)
  const whole = (await fromBytes([file])).pcm.length
  const truncated = await fromBytes([file.subarray(0, file.length / 2)])
  t.ok(truncated.pcm.length > 0.4 * whole && truncated.pcm.length < 0.6 * whole)
  const twice = await fromBytes([file, file])
  t.ok(twice.pcm.length > 1.9 * whole)
  const damaged = Buffer.from(file)
  randomBytes(1_000, 1).copy(damaged, file.length / 2)
  t.ok((await fromBytes([damaged])).pcm.length > 0.9 * whole)
})

t.test('refuses garbage', async t => {
  for (const garbage of [
    randomBytes(20_000, 3),
    Buffer.from('x'),
    Buffer.from('RIFF'),
    mp4Box('ftyp', Buffer.alloc(8)),
  ]) {
    const { command: ffmpegPath, pids } = await watchedFfmpeg()
    const error = {
      name: 'SttError',
      code: /^STT_ERR_DECODE_(NOT_MEDIA|TRUNCATED)$/,
      message: /; ffmpeg exited with code \d+: .+/,
    }
    await t.rejects(fromBytes([garbage], { ffmpegPath }), error)
    await leavesNothing(t, pids)
    const path = join(work, 'garbage')
    await writeFile(path, garbage)
    await t.rejects(drain(decode({ path })), error)
  }
})

t.test('ends cleanly, without a format, where nothing is written', async t => {
  const input: PcmFormat = { encoding: 'mulaw', sampleRateHertz: 8_000, channels: 1 }
  for (const options of [{}, { input }]) {
    const decoder = decode({ ffmpegPath: '/nonexistent/ffmpeg', ...options })
    decoder.write(Buffer.alloc(0))
    decoder.end()
    const { pcm, format, formats } = await drain(decoder)
    t.equal(pcm.length, 0)
    t.equal(format, undefined)
    t.same(formats, [])
  }
})

t.test('passes declared samples untouched, torn blocks included', async t => {
  const data = randomBytes(1_001, 4)
  const input: PcmFormat = { encoding: 's24le', sampleRateHertz: 48_000, channels: 2 }
  for (const chunks of [[data], splitEvery(data, 1), randomSplit(data, 1, 50)]) {
    const { pcm, format, formats } = await fromBytes(chunks, { input })
    t.ok(pcm.equals(data))
    t.same(format, input)
    t.equal(formats.length, 1)
  }
  for (const declared of [input, { ...input, encoding: 'mulaw' as const }]) {
    const wav = Buffer.concat([wavHeader(STEREO, 4), Buffer.alloc(4)])
    const refused = {
      code: 'STT_ERR_UNEXPECTED_HEADER',
      message: /got a file with a header \(wav\): leave input out/,
    }
    await t.rejects(fromBytes(splitEvery(wav, 5), { input: declared }), refused)
    t.same((await fromBytes([wav], { input: 'auto' })).format, STEREO, "'auto' honours it")
  }
  const path = join(work, 'samples.raw')
  await writeFile(path, data)
  t.ok((await drain(decode({ path, input }))).pcm.equals(data))
})

t.test('reads WAV and AU files by path without ffmpeg', async t => {
  const ffmpegPath = '/nonexistent/ffmpeg'
  const data = randomBytes(300_000, 5)
  const files = [
    wavFile({ tag: 1, bits: 16, ...STEREO, data }),
    auFile({ encoding: 1, sampleRateHertz: 8_000, channels: 1, data }),
  ]
  for (const file of files) {
    const path = join(work, 'plain')
    await writeFile(path, file)
    t.ok((await drain(decode({ path, ffmpegPath }))).pcm.equals(data))
  }
})

t.test('reads a path that can be read only once', async t => {
  const path = join(work, 'fifo')
  await promisify(execFile)('mkfifo', [path])
  const mp3 = await readFile(await encode(work, 'once.mp3', ['-i', source]))
  const [decoded] = await Promise.all([drain(decode({ path })), writeFile(path, mp3)])
  isTone(t, decoded)
})

t.test('reads a path that looks like something else to ffmpeg', async t => {
  const mp3 = await readFile(await encode(work, 'odd.mp3', ['-i', source]))
  for (const name of ['concat:odd|%03d.mp3', '-y', 'a b:c.mp3']) {
    await writeFile(join(work, name), mp3)
    isTone(t, await drain(decode({ path: join(work, name) })))
  }
})

t.test('fails where the path cannot be read', async t => {
  for (const path of [join(work, 'missing.mp3'), work]) {
    const decoder = decode({ path })
    await t.rejects(drain(decoder), {
      code: 'STT_ERR_DECODE',
      message: new RegExp(`^${path} cannot be read: .+ \\(E[A-Z]+\\)$`),
    })
    t.ok(decoder.destroyed)
  }
})

t.test('refuses to be written to where it reads a path', async t => {
  const decoder = decode({ path: source })
  decoder.write('text')
  await t.rejects(once(decoder, 'close'), { name: 'TypeError', message: /nothing may be written/ })
})

t.test('reads nothing of a path until somebody reads the decoder', async t => {
  const decoder = decode({ path: join(work, 'not yet there.wav') })
  await setImmediate()
  await writeFile(join(work, 'not yet there.wav'), await readFile(source))
  t.ok((await drain(decoder)).pcm.length > 0)
})

t.test('reads a WAV behind a header too long to hold', async t => {
  const data = sine(STEREO, TONE_HERTZ, SECONDS)
  const art = Buffer.alloc(5 * 1024 * 1024)
  const before = [Buffer.concat([Buffer.from('LIST'), Buffer.from([0, 0, 0x50, 0]), art])]
  isTone(t, await fromBytes(splitEvery(wavFile({ tag: 1, bits: 16, ...STEREO, before, data }), 65_536)))
})

/** The open files of this process that lie, or lay, in a directory. */
async function descriptorsIn(directory: string): Promise<string[]> {
  const all = (await readdir('/proc/self/fd')).map(fd => `/proc/self/fd/${fd}`)
  const targets = await Promise.all(all.map(fd => readlink(fd).catch(() => '')))
  return all.filter((_, i) => targets[i]?.startsWith(directory))
}

t.test('stores an mp4 with its index at the end, for its owner alone, up to the limit', async t => {
  const file = await readFile(await encode(work, 'spooled.m4a', ['-i', source, '-c:a', 'aac']))
  const { command: ffmpegPath, pids } = await watchedFfmpeg()
  const decoder = decode({ ffmpegPath, spoolLimitBytes: file.length })
  await new Promise(taken => decoder.write(file.subarray(0, -1), taken))
  t.same(await readdir(temporary), [], 'it has no name')
  if (process.platform === 'linux') {
    const [writer = '', reader = ''] = await descriptorsIn(temporary)
    t.equal((await stat(writer)).mode & 0o777, 0o600)
    t.equal((await stat(reader)).size, file.length - 1)
  }
  decoder.end(file.subarray(-1))
  isTone(t, await drain(decoder))
  await leavesNothing(t, pids)
  const limited = fromBytes(randomSplit(file, 1, 4_000), { ffmpegPath, spoolLimitBytes: file.length - 1 })
  const message = new RegExp(`spoolLimitBytes is ${file.length - 1}$`)
  await t.rejects(limited, { code: 'STT_ERR_SPOOL_LIMIT', message })
  await leavesNothing(t, pids)
})

t.test('fails where the temporary file cannot be made', async t => {
  process.env['TMPDIR'] = join(work, 'nowhere')
  t.teardown(() => (process.env['TMPDIR'] = temporary))
  const file = await readFile(await encode(work, 'unspooled.m4a', ['-i', source, '-c:a', 'aac']))
  await t.rejects(fromBytes([file]), { code: 'STT_ERR_DECODE', message: /temporary file: ENOENT/ })
})

t.test('takes no more than it can pass on, in process or through ffmpeg', async t => {
  const chunk = Buffer.alloc(64 * 1024)
  const total = 32 * 1024 * 1024
  const header = wavHeader({ ...STEREO, encoding: 'f32le' })
  await writeFile(join(work, 'header'), header)
  const { command: ffmpegPath, pids } = await watchedFfmpeg(`cat '${join(work, 'header')}' -`)
  const ways: [name: string, first: Buffer, options: DecodeOptions, boundBytes: number][] = [
    ['in process', header, {}, 512 * 1024],
    // Zeros are nothing known. Besides the streams' buffers there are those of two pipes and of cat.
    ['through ffmpeg', Buffer.alloc(0), { ffmpegPath }, 1024 * 1024],
  ]
  for (const [name, first, options, boundBytes] of ways) {
    let taken = 0
    let given = 0
    let worst = 0
    const feed = function* () {
      if (first.length > 0) yield first
      for (; taken < total; taken += chunk.length) yield chunk
    }
    const decoder = decode(options)
    Readable.from(feed(), { objectMode: true, highWaterMark: 1 }).pipe(decoder)
    for (let idle = 0; idle < 200; idle++) await setImmediate()
    for await (const pcm of decoder) {
      worst = Math.max(worst, taken - given)
      given += (pcm as Buffer).length
      for (let idle = 0; idle < 10; idle++) await setImmediate()
    }
    t.equal(given, total)
    t.ok(worst <= boundBytes, `${name}: at most ${worst} bytes under way`)
  }
  await leavesNothing(t, pids)
})

/** How far a decoder has come when it is destroyed. */
const states: [
  name: string,
  reach: (decoder: Decoder, files: Record<string, Buffer>) => Promise<unknown> | void,
][] = [
  ['fresh', () => undefined],
  ['undecided', decoder => void decoder.write('R')],
  ['within a header', (decoder, { wav }) => void decoder.write(wav?.subarray(0, 30))],
  ['in process, unread', (decoder, { wav }) => void decoder.write(wav)],
  [
    'in process, flowing',
    (decoder, { wav }) => {
      decoder.write(wav)
      return once(decoder, 'data')
    },
  ],
  ['as ffmpeg starts', (decoder, { mp3 }) => void decoder.write(mp3)],
  [
    'ffmpeg unread',
    async (decoder, { mp3 }) => {
      decoder.end(mp3)
      await once(decoder, 'readable')
    },
  ],
  [
    'ffmpeg flowing',
    (decoder, { mp3 }) => {
      decoder.write(mp3)
      return once(decoder, 'data')
    },
  ],
  ['as spooling starts', (decoder, { m4a }) => void decoder.write(m4a)],
  ['spooling', (decoder, { m4a }) => new Promise(done => decoder.write(m4a, done))],
  ['as the spool closes', (decoder, { m4a }) => void decoder.end(m4a)],
  [
    'spooled, ffmpeg starts',
    (decoder, { m4a }) => {
      decoder.end(m4a)
      return once(decoder, 'finish')
    },
  ],
  [
    'spooled, ffmpeg flowing',
    (decoder, { m4a }) => {
      decoder.end(m4a)
      return once(decoder, 'data')
    },
  ],
  [
    'ended',
    async (decoder, { wav }) => {
      decoder.end(wav)
      await readAll(decoder)
    },
  ],
]

t.test('leaves nothing behind wherever it is destroyed', async t => {
  const files: Record<string, Buffer> = {
    wav: await readFile(source),
    mp3: await readFile(await encode(work, 'd.mp3', ['-i', source])),
    m4a: await readFile(await encode(work, 'd.m4a', ['-i', source, '-c:a', 'aac'])),
  }
  for (const [name, reach] of states) {
    for (const how of ['destroy()', 'destroy(error)', 'signal'] as const) {
      const { command: ffmpegPath, pids } = await watchedFfmpeg()
      const controller = new AbortController()
      const decoder = decode({ ffmpegPath, signal: controller.signal })
      const events: string[] = []
      decoder.on('error', error => events.push(error.name === 'AbortError' ? 'abort' : error.message))
      decoder.on('close', () => events.push('close'))
      const closed = new Promise(done => decoder.on('close', done))
      await reach(decoder, files)
      const over = decoder.closed
      if (how === 'signal') controller.abort()
      else decoder.destroy(how === 'destroy()' ? undefined : new Error('a reason'))
      decoder.destroy(new Error('a late one'))
      await closed
      await setImmediate()
      const wanted = over || how === 'destroy()' ? [] : [how === 'signal' ? 'abort' : 'a reason']
      t.same(events, [...wanted, 'close'], `${name}, ${how}`)
      await leavesNothing(t, pids)
    }
  }
})

t.test('leaves nothing behind wherever it is destroyed while it reads a path', async t => {
  for (const path of [source, await encode(work, 'p.m4a', ['-i', source, '-c:a', 'aac'])]) {
    for (const event of [undefined, 'open', 'format', 'data', 'end']) {
      const { command: ffmpegPath, pids } = await watchedFfmpeg()
      const decoder = decode({ path, ffmpegPath })
      if (event !== 'open' && event) {
        decoder.resume()
        await once(decoder, event)
      } else if (event === 'open') decoder.read(0)
      const closed = once(decoder, 'close')
      decoder.destroy()
      await closed
      await leavesNothing(t, pids)
    }
  }
})

t.test('is destroyed by a signal aborted before it begins', async t => {
  const decoder = decode({ signal: AbortSignal.abort() })
  await t.rejects(once(decoder, 'close'), { name: 'AbortError' })
})

t.test('goes with the source under pipeline', async t => {
  const mp3 = await readFile(await encode(work, 's.mp3', ['-i', source]))
  const m4a = await readFile(await encode(work, 's.m4a', ['-i', source, '-c:a', 'aac']))
  for (const file of [mp3, m4a]) {
    const { command: ffmpegPath, pids } = await watchedFfmpeg()
    const decoder = decode({ ffmpegPath })
    const broken = Readable.from(
      (async function* () {
        yield file.subarray(0, file.length / 2)
        await setImmediate()
        throw new Error('the source broke')
      })(),
    )
    const closed = new Promise(done => decoder.on('close', done))
    const sink = new Writable({ write: (_chunk, _encoding, callback) => callback() })
    await t.rejects(pipeline(broken, decoder, sink), { message: 'the source broke' })
    await closed
    await leavesNothing(t, pids)
  }
})

t.test('goes with the reader under pipeline', async t => {
  const path = await encode(work, 'r.mp3', ['-i', source])
  const { command: ffmpegPath, pids } = await watchedFfmpeg()
  const decoder = decode({ ffmpegPath })
  const closed = new Promise(done => decoder.on('close', done))
  const sink = new Writable({
    write: (_chunk, _encoding, callback) => callback(new Error('the reader broke')),
  })
  await t.rejects(pipeline(createReadStream(path), decoder, sink), { message: 'the reader broke' })
  await closed
  await leavesNothing(t, pids)
})

t.test('ends under for await that stops early', async t => {
  const { command: ffmpegPath, pids } = await watchedFfmpeg()
  const path = await encode(work, 'b.mp3', ['-i', source])
  const decoder = decode({ path, ffmpegPath })
  for await (const chunk of decoder) {
    t.ok((chunk as Buffer).length > 0)
    break
  }
  if (!decoder.closed) await new Promise(done => decoder.once('close', done))
  await leavesNothing(t, pids)
})

t.test('refuses unknown and wrong options at once', async t => {
  const wrong: [options: unknown, name: string, message: RegExp][] = [
    [null, 'TypeError', /decode options must be an object; got null/],
    [{ ffmpegpath: 'x' }, 'TypeError', /must be among .*ffmpegPath.*; got ffmpegpath/],
    [{ path: 7 }, 'TypeError', /path must be a path.*got number/],
    [{ path: '' }, 'TypeError', /path must be a path.*got ""/],
    [{ ffmpegPath: 'a\0b' }, 'TypeError', /ffmpegPath must be a path/],
    [{ spoolLimitBytes: '1' }, 'TypeError', /spoolLimitBytes must be an integer.*bytes; got "1"/],
    [{ spoolLimitBytes: -1 }, 'RangeError', /spoolLimitBytes must be an integer from 0 .*; got -1/],
    [
      { ffmpegStallTimeoutMs: 0 },
      'RangeError',
      /ffmpegStallTimeoutMs must be an integer from 1 .* ms; got 0/,
    ],
    [{ ffmpegStallTimeoutMs: 2 ** 31 }, 'RangeError', /got 2147483648/],
    [{ signal: {} }, 'TypeError', /signal must be an AbortSignal/],
    [{ input: 's16le' }, 'TypeError', /input must be an object; got "s16le"/],
    [{ input: { ...STEREO, samplerate: 8_000 } }, 'TypeError', /input must be among .*; got samplerate/],
    [{ input: { ...STEREO, encoding: 'mp3' } }, 'TypeError', /input.encoding must be one of/],
    [{ input: { ...STEREO, channels: 9 } }, 'RangeError', /input.channels/],
  ]
  for (const [options, name, message] of wrong)
    t.throws(() => decode(options as DecodeOptions), { name, message })
  t.ok(decode() instanceof Decoder)
})

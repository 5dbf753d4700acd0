import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode } from '#dist/audio/decode.js'
import { FfmpegLimiter } from '#dist/audio/ffmpeg-limiter.js'
import { ffmpegArguments, liveAnalysisMs, seekMs } from '#dist/audio/ffmpeg-arguments.js'
import { sttStream } from '#dist/stt-stream.js'
import { encode, firstChannel, readAll, toneShare } from './fixtures/audio.js'

const work = t.testdir()
const tone = (frequencyHertz: number, seconds = 2) => [
  ...['-f', 'lavfi', '-i', `sine=frequency=${frequencyHertz}:sample_rate=16000:duration=${seconds}`],
]

/** What comes out of a file, by path or written. */
async function decoded(options: DecodeOptions, written?: Buffer) {
  const decoder = decode(options)
  if (written) Readable.from([written]).pipe(decoder)
  const pcm = await readAll(decoder)
  return { pcm, channel: firstChannel(pcm, decoder.format?.channels ?? 1) }
}

/** The real ffmpeg; its process id is written to a file before it starts. */
async function watchedFfmpeg(name: string) {
  const directory = join(work, name)
  await mkdir(directory)
  const command = join(directory, 'ffmpeg')
  await writeFile(command, `#!/bin/sh\necho $$ > '${directory}/pid'\nexec ffmpeg "$@"\n`)
  await chmod(command, 0o755)
  return { command, pid: async () => Number(await readFile(join(directory, 'pid'), 'utf8')) }
}

t.test('track chooses the audio track', async t => {
  const args = [...tone(440), ...tone(1_000), '-map', '0', '-map', '1', '-c:a', 'flac']
  const path = await encode(work, 'two.mkv', args)
  const written = await readFile(path)
  for (const [track, frequencyHertz] of [
    [undefined, 440],
    [0, 440],
    [1, 1_000],
  ] as const) {
    const byPath = await decoded({ path, ...(track !== undefined && { track }) })
    t.ok(toneShare(byPath.channel, frequencyHertz, 16_000) > 0.99, `track ${track}`)
    const byPipe = await decoded({ ...(track !== undefined && { track }) }, written)
    t.ok(byPipe.pcm.equals(byPath.pcm), `track ${track}, written`)
  }
  await t.rejects(decoded({ path, track: 2 }), {
    code: 'STT_ERR_DECODE_NO_AUDIO',
    message: /^the audio track that was asked for is not in it: it has 2, counted from 0$/,
  })
})

t.test('the default track is the one that is marked so', async t => {
  const marked = [
    '-map',
    '0',
    '-map',
    '1',
    '-c:a',
    'flac',
    '-disposition:a:0',
    '0',
    '-disposition:a:1',
    'default',
  ]
  const path = await encode(work, 'marked.mkv', [...tone(440), ...tone(1_000), ...marked])
  t.ok(toneShare((await decoded({ path })).channel, 1_000, 16_000) > 0.99)
})

t.test('what is read in process has one track', async t => {
  const path = await encode(work, 'one.wav', tone(440))
  t.equal((await decoded({ path, track: 0 })).pcm.length, 64_000)
  await t.rejects(decoded({ path, track: 1 }), { code: 'STT_ERR_DECODE_NO_AUDIO' })
})

t.test('a live source is heard before seconds of it have come', async t => {
  const cases: [name: string, args: string[]][] = [
    ['live.ac3', ['-c:a', 'ac3', '-b:a', '64k']],
    ['live.flv', ['-c:a', 'aac', '-ar', '44100', '-f', 'flv']],
    ['live.mp3', ['-b:a', '64k']],
  ]
  for (const [name, args] of cases) {
    const path = await encode(work, name, [...tone(440, 20), ...args])
    const file = await readFile(path)
    // One second of it, and no end: ffmpeg must answer with what it has.
    const head = file.subarray(0, file.length / 20)
    const decoder = decode({ decoder: 'ffmpeg', live: true })
    decoder.write(head)
    const [first] = (await once(decoder, 'data')) as [Buffer]
    t.ok(first.length > 0, name)
    decoder.destroy()
    const [whole, live] = await Promise.all([
      decoded({ decoder: 'ffmpeg' }, file),
      decoded({ decoder: 'ffmpeg', live: true }, file),
    ])
    t.ok(live.pcm.equals(whole.pcm), `${name}: nothing at the start is lost`)
  }
})

t.test('a live transport stream with pictures is looked at for longer', async t => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc=duration=5:size=160x120:rate=25']
  const args = [...picture, ...tone(440, 5), '-c:v', 'libx264', '-c:a', 'aac', '-f', 'mpegts']
  const path = await encode(work, 'live.ts', args)
  const { pcm } = await decoded({ live: true }, await readFile(path))
  t.ok(pcm.equals((await decoded({}, await readFile(path))).pcm) && pcm.length > 200_000)
  t.equal(liveAnalysisMs(Buffer.from([0x47, 0x40])), 2_000)
  t.equal(liveAnalysisMs(Buffer.from([0, 0, 0, 0, 0x47])), 2_000, 'with time stamps')
  t.equal(liveAnalysisMs(Buffer.from('OggS')), 100)
  t.equal(liveAnalysisMs(Buffer.alloc(0)), 100)
})

t.test('startMs by path is what lies there in the whole, to the sample', async t => {
  const noise = ['-f', 'lavfi', '-i', 'anoisesrc=duration=6:sample_rate=16000:amplitude=0.3:seed=1']
  const files: [name: string, args: string[]][] = [
    ['part.flac', []],
    ['part.mp3', ['-q:a', '5']],
    ['part.ogg', ['-c:a', 'libvorbis']],
    ['opus.ogg', ['-c:a', 'libopus']],
    ['part.m4a', ['-c:a', 'alac']],
    ['adpcm.wav', ['-c:a', 'adpcm_ima_wav']],
  ]
  for (const [name, args] of files) {
    const path = await encode(work, name, [...noise, ...args])
    const whole = await decoded({ path, decoder: 'ffmpeg' })
    const bytesPerMs = name === 'opus.ogg' ? 192 : 64
    for (const [startMs, durationMs] of [
      [1_999, 500],
      [2_000, 500],
      [3_217, 1_000],
    ] as const) {
      const part = await decoded({ path, decoder: 'ffmpeg', startMs, durationMs })
      const expected = whole.pcm.subarray(startMs * bytesPerMs, (startMs + durationMs) * bytesPerMs)
      t.ok(part.pcm.equals(expected) && expected.length > 0, `${name} from ${startMs} ms`)
    }
    t.equal(
      (await decoded({ path, decoder: 'ffmpeg', startMs: 60_000 })).pcm.length,
      0,
      `${name} beyond its end`,
    )
  }
  t.equal(seekMs('mp3', 61_999), 60_000)
  t.equal(seekMs('mp3', 1_999), undefined)
  t.equal(seekMs('mp3'), undefined)
  t.equal(seekMs('wav', 61_999), undefined)
})

t.test('ffmpegNiceness is the priority of the child', async t => {
  const path = await encode(work, 'nice.ogg', [...tone(440, 60), '-c:a', 'libvorbis'])
  const { command, pid } = await watchedFfmpeg('nice')
  const decoder = decode({ path, ffmpegPath: command, ffmpegNiceness: 7 })
  decoder.read(0)
  await once(decoder, 'readable')
  t.equal(getPriority(await pid()), 7)
  decoder.destroy()
  await once(decoder, 'close')
})

t.test('ffmpegLimiter lets one stream after the other have its ffmpeg', async t => {
  const path = await encode(work, 'limited.ogg', [...tone(440), '-c:a', 'libvorbis'])
  const file = await readFile(path)
  const ffmpegLimiter = new FfmpegLimiter({ maxProcesses: 1 })
  const options = { ffmpegLimiter, decoder: 'ffmpeg' } as const
  const first = decode(options)
  await new Promise(taken => first.write(file.subarray(0, 4_096), taken))
  t.same(ffmpegLimiter.stats(), { processes: 1, waiting: 0 })
  const second = decode(options)
  let isTaken = false
  second.write(file.subarray(0, 4_096), () => (isTaken = true))
  const byPath = decoded({ ...options, path })
  while (ffmpegLimiter.stats().waiting < 2) await new Promise(setImmediate)
  t.notOk(isTaken, 'the source is held back')
  second.destroy()
  await once(second, 'close')
  t.same(ffmpegLimiter.stats(), { processes: 1, waiting: 1 })
  first.destroy()
  t.equal((await byPath).channel.length, 32_000)
  t.same(ffmpegLimiter.stats(), { processes: 0, waiting: 0 })
})

t.test('what is wrong with an option is said at once', async t => {
  const wrong: [options: object, error: RegExp][] = [
    [{ track: -1 }, /^track must be an integer from 0 to 999; got -1$/],
    [{ track: '1' }, /^track must be an integer from 0 to 999; got "1"$/],
    [{ live: 1 }, /^live must be a boolean; got number$/],
    [{ ffmpegNiceness: 20 }, /^ffmpegNiceness must be an integer from 0 to 19; got 20$/],
    [{ ffmpegLimiter: {} }, /^ffmpegLimiter must be an FfmpegLimiter; got object$/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => decode(options), { message })
    t.throws(() => sttStream({ url: 'local', ...options }), new RegExp(`^${Object.keys(options)[0]}: `))
  }
})

t.test('the command line says what was asked, and nothing else', async t => {
  const piped = ffmpegArguments({})
  t.same(piped.slice(piped.indexOf('-protocol_whitelist')), [
    ...['-protocol_whitelist', 'pipe', '-i', 'pipe:0'],
    ...['-vn', '-map_metadata', '-1', '-bitexact', '-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1'],
  ])
  t.match(
    ffmpegArguments({ path: '/a b/-c.mp3', seekMs: 61_500 }).join(' '),
    /-ss 61\.5 .*file -i file:\/a b\/-c\.mp3 -vn/,
  )
  t.match(
    ffmpegArguments({ analysisMs: 100, track: 2 }).join(' '),
    /-analyzeduration 100000 .*-i pipe:0 -map 0:a:2 -vn/,
  )
})

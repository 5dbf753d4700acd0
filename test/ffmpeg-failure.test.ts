import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { ffmpegFailure, ffmpegWarning } from '#dist/audio/ffmpeg-failure.js'
import { FfmpegLog, type FfmpegSaid } from '#dist/audio/ffmpeg-log.js'
import { Ffmpeg } from '#dist/audio/ffmpeg.js'
import type { SttError } from '#dist/errors.js'
import { encode, randomBytes } from './fixtures/audio.js'
import { matroska, protectedWma } from './fixtures/encrypted-audio.js'

const SINE = ['-f', 'lavfi', '-i', 'sine=duration=2']
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc=duration=1:size=64x64']
const KEY = '0123456789abcdef0123456789abcdef'
const CENC = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', KEY, '-encryption_kid', KEY]
/** The length of the WAV header that ffmpeg writes before it knows a sample, at most. */
const HEADER_BYTES = 68

interface Outcome {
  error?: SttError
  said: FfmpegSaid
  /** Of WAV. */
  bytes: number
}

/** Runs the installed ffmpeg over a file, by path or written to it. */
function decodeFile(path: string, written?: Buffer): Promise<Outcome> {
  return new Promise(resolve => {
    let bytes = 0
    const end = (error?: SttError) => resolve({ ...(error && { error }), said: child.said, bytes })
    const child = new Ffmpeg({
      command: 'ffmpeg',
      ...(!written && { path }),
      stallTimeoutMs: 30_000,
      onOutput: wav => (bytes += wav.length),
      onExit: () => end(),
      onError: end,
    })
    if (!written) return
    child.write(written, () => {})
    child.end()
  })
}

/** The outcome of both ways, which must have the same code. */
async function fails(t: Test, name: string, file: Buffer): Promise<SttError> {
  const path = join(t.testdir(), name)
  await writeFile(path, file)
  const byPath = await decodeFile(path)
  const byPipe = await decodeFile(path, file)
  const failureOf = ({ error, said, bytes }: Outcome) =>
    error ?? (bytes <= HEADER_BYTES ? ffmpegFailure(said, { code: 0 }) : undefined)
  const failure = failureOf(byPath)
  t.equal(failureOf(byPipe)?.code, failure?.code, `${name}: written as by path`)
  if (!failure) throw new Error(`${name} was decoded`)
  return failure
}

/** Encoded by ffmpeg into a file, and read. */
async function encoded(t: Test, name: string, args: string[]): Promise<Buffer> {
  return readFile(await encode(t.testdir(), name, args))
}

t.test('STT_ERR_DECODE_NOT_MEDIA: what is no audio or video', async t => {
  const html = `<!doctype html><html><body>${'<p>Not found</p>'.repeat(100)}</body></html>`
  const files: Record<string, Buffer> = {
    'page.html': Buffer.from(html),
    'list.json': Buffer.from(JSON.stringify(Array.from({ length: 1_000 }, (_, a) => ({ a })))),
    'text.txt': Buffer.from('Nothing but text.\n'.repeat(200)),
    'archive.gz': gzipSync(Buffer.from(html)),
    'archive.zip': Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(5_000, 1)]),
    'random.bin': randomBytes(50_000, 2),
    'zeros.bin': Buffer.alloc(50_000),
    'one.bin': Buffer.from('x'),
  }
  for (const [name, file] of Object.entries(files)) {
    const { code, message } = await fails(t, name, file)
    t.equal(code, 'STT_ERR_DECODE_NOT_MEDIA', name)
    t.match(message, /^this is no audio or video that ffmpeg knows; ffmpeg exited with code \d+: ./, name)
  }
})

t.test('STT_ERR_DECODE_NO_AUDIO: pictures without sound', async t => {
  for (const name of ['a.mp4', 'a.mkv', 'a.ts', 'a.png']) {
    const error = await fails(
      t,
      name,
      await encoded(t, name, [...PICTURE, '-frames:v', '20', '-update', '1']),
    )
    t.equal(error.code, 'STT_ERR_DECODE_NO_AUDIO', name)
  }
})

t.test('STT_ERR_DECODE_TRUNCATED: cut off before any sample can be read', async t => {
  const whole: [name: string, args: string[]][] = [
    ['a.m4a', ['-c:a', 'aac']],
    ['a.mov', ['-c:a', 'pcm_s16le']],
    ['a.mkv', ['-c:a', 'aac']],
    ['a.ogg', ['-c:a', 'libopus']],
    ['a.flac', []],
  ]
  for (const [name, args] of whole) {
    const file = await encoded(t, name, [...SINE, ...args])
    const [start, end] = name === 'a.m4a' || name === 'a.mov' ? [0.5, 0.9] : [0.01, 0.02]
    for (const share of [start, end]) {
      const error = await fails(t, name, file.subarray(0, Math.ceil(share * file.length)))
      t.equal(error.code, 'STT_ERR_DECODE_TRUNCATED', `${name}, ${share}`)
    }
  }
})

t.test('STT_ERR_DECODE_UNSUPPORTED_CODEC: a codec that nobody knows', async t => {
  const webm = await encoded(t, 'a.webm', [...SINE, '-c:a', 'libopus'])
  webm.write('A_ZZZZ', webm.indexOf('A_OPUS'), 'latin1')
  const { code, message } = await fails(t, 'a.webm', webm)
  t.equal(code, 'STT_ERR_DECODE_UNSUPPORTED_CODEC')
  t.match(message, /^this ffmpeg has no decoder for the audio; /)
  const adpcm = await encoded(t, 'a.wav', [...SINE, '-c:a', 'adpcm_ima_wav'])
  adpcm.writeUInt16LE(0x9999, 20)
  t.match(await fails(t, 'a.wav', adpcm), { code: 'STT_ERR_DECODE_UNSUPPORTED_CODEC' })
})

t.test('STT_ERR_DECODE_ENCRYPTED: before it makes noise of it', async t => {
  const m4a = await encoded(t, 'a.m4a', SINE)
  m4a.write('drms', m4a.indexOf('mp4a'), 'latin1')
  const wma = await encoded(t, 'a.wma', SINE)
  const files: Record<string, Buffer> = {
    'index-last.mp4': await encoded(t, 'a.mp4', [...SINE, ...CENC]),
    'index-first.mp4': await encoded(t, 'a.mp4', [...SINE, ...CENC, '-movflags', '+faststart']),
    'itunes.m4a': m4a,
    'a.wma': protectedWma(wma),
    'a.mkv': matroska({ encryption: true }),
  }
  for (const [name, file] of Object.entries(files)) {
    t.match(await fails(t, name, file), { code: 'STT_ERR_DECODE_ENCRYPTED' }, name)
  }
  const clear = join(t.testdir(), 'clear.mkv')
  await writeFile(clear, matroska({ encryption: false }))
  t.match(await decodeFile(clear), { error: undefined, said: { decodes: { codec: 'pcm_s16le' } } })
})

t.test('STT_ERR_DECODE: media that is broken', async t => {
  const file = await encoded(t, 'a.flv', [...SINE, '-c:a', 'aac'])
  file.fill(0xa5, 400)
  t.match(await fails(t, 'a.flv', file), { code: 'STT_ERR_DECODE' })
})

t.test(
  'what succeeds with complaints is a warning, with a code of its own where the file is cut off',
  async t => {
    const mkv = await encoded(t, 'a.mkv', [...SINE, '-c:a', 'aac'])
    const path = t.testdir({ 'cut.mkv': mkv.subarray(0, mkv.length / 2) }) + '/cut.mkv'
    const cut = await decodeFile(path)
    t.equal(cut.error, undefined)
    t.ok(cut.bytes > 100_000, 'what is there is delivered')
    t.match(ffmpegWarning(cut.said), { code: 'STT_WARN_TRUNCATED', message: /ended prematurely/ })
    const mp3 = await encoded(t, 'a.mp3', SINE)
    const truncated = await decodeFile('a.mp3', mp3.subarray(0, mp3.length / 2))
    t.equal(ffmpegWarning(truncated.said), undefined, 'half an mp3 is an mp3')
    t.match(ffmpegWarning(said('[error] one bad frame')), {
      code: 'STT_WARN_FFMPEG',
      message: 'ffmpeg complained, yet succeeded: one bad frame',
    })
  },
)

function said(log: string): FfmpegSaid {
  const reader = new FfmpegLog()
  reader.append(Buffer.from(log))
  reader.end()
  return reader.said
}

/** What other versions say. 4.1 is of 2018, 7.0 of 2024; all that lies between follows one or the other. */
const WORDINGS: [version: string, log: string, code: string][] = [
  ['4.1', '[error] pipe:0: Invalid data found when processing input', 'STT_ERR_DECODE_NOT_MEDIA'],
  [
    '7.0',
    '[in#0 @ 0x1cb80c40] [error] Error opening input: Invalid data found when processing input',
    'STT_ERR_DECODE_NOT_MEDIA',
  ],
  [
    '7.0',
    '[mp3 @ 0x3303df40] [warning] Format mp3 detected only with low score of 1, misdetection possible!\n' +
      '[mp3 @ 0x3303df40] [error] Failed to find two consecutive MPEG audio frames.\n' +
      '[in#0 @ 0x3303dc40] [error] Error opening input: Invalid data found when processing input',
    'STT_ERR_DECODE_NOT_MEDIA',
  ],
  [
    '7.0',
    "[info] Input #0, png_pipe, from 'pipe:0':\n[info]   Stream #0:0: Video: png, rgb24, 64x64, 25 fps\n" +
      '[out#0/wav @ 0x2777e180] [error] Output file does not contain any stream',
    'STT_ERR_DECODE_NO_AUDIO',
  ],
  [
    '4.1',
    "[info] Input #0, ogg, from 'pipe:0':\n[info]     Stream #0:0: Audio: opus, 48000 Hz, mono, fltp\n" +
      "[fatal] Stream map '0:a:1' matches no streams.",
    'STT_ERR_DECODE_NO_AUDIO',
  ],
  ['4.1', '[error] pipe:0: End of file', 'STT_ERR_DECODE_TRUNCATED'],
  ['7.0', '[in#0 @ 0x2c804c40] [error] Error opening input: End of file', 'STT_ERR_DECODE_TRUNCATED'],
  [
    '7.0',
    "[info] Input #0, asf, from 'pipe:0':\n[info]   Stream #0:0: Audio: atrac9, 44100 Hz, mono\n" +
      '[aist#0:0/atrac9 @ 0x43a378c0] [error] Decoding requested, but no decoder found for: atrac9',
    'STT_ERR_DECODE_UNSUPPORTED_CODEC',
  ],
  [
    '5.1',
    '[hls @ 0x56340a2439c0] [error] URL file:///x is not in allowed_segment_extensions\n' +
      '[error] pipe:0: Invalid data found when processing input',
    'STT_ERR_DECODE',
  ],
]

t.test('knows the wording of other versions', async t => {
  for (const [version, log, code] of WORDINGS) {
    t.equal(ffmpegFailure(said(log), { code: 1 }).code, code, `${version}: ${log}`)
  }
  const noDecoder = ffmpegFailure(said(WORDINGS[7]?.[1] ?? ''), { code: 1 })
  t.match(noDecoder.message, /^this ffmpeg has no decoder for the audio \(atrac9\); /)
})

t.test('says how it ended, and why where it said so', async t => {
  const nothing = said('')
  t.match(ffmpegFailure(nothing, { code: 3 }), {
    code: 'STT_ERR_DECODE',
    message: 'ffmpeg exited with code 3: it gave no reason',
    retryable: false,
  })
  t.match(ffmpegFailure(said('[error] moov atom not found'), { code: null, signal: 'SIGKILL' }), {
    code: 'STT_ERR_DECODE',
    message: 'ffmpeg was ended by SIGKILL: moov atom not found',
  })
  t.match(ffmpegFailure(nothing, { code: 0 }), {
    code: 'STT_ERR_DECODE_NO_AUDIO',
    message: 'there is no audio in it; ffmpeg succeeded without a sample: it gave no reason',
  })
})

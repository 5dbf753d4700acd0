import t from 'tap'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readCafHeader } from '#dist/audio/caf.js'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { randomBytes, randomSplit, splitEvery } from './fixtures/audio.js'
import { cafChunk, cafFile, encodeAll, piped, readPcm, type CafParts } from './fixtures/pcm-files.js'

const read = (chunks: Buffer[]) => readPcm(readCafHeader, chunks)

const FFMPEG_ENCODINGS: readonly PcmEncoding[] = [
  's8',
  's16be',
  's16le',
  's24be',
  's24le',
  's32be',
  's32le',
  'f32be',
  'f32le',
  'f64be',
  'f64le',
  'alaw',
  'mulaw',
]

for (const [sampleRateHertz, channels] of [
  [8_000, 1],
  [11_025, 2],
  [44_100, 6],
  [192_000, 2],
] as const) {
  t.test(`reads what ffmpeg writes at ${sampleRateHertz} Hz, ${channels} channels, in any split`, async t => {
    const format = { sampleRateHertz, channels }
    for (const { encoding, file, pcm } of await encodeAll(t.testdir({}), 'caf', format, FFMPEG_ENCODINGS)) {
      for (const chunks of [[file], splitEvery(file, 1), splitEvery(file, 7), randomSplit(file, 1, 90)]) {
        const found = read(chunks)
        t.same(found.format, { encoding, sampleRateHertz, channels }, encoding)
        t.ok(found.pcm.equals(pcm), encoding)
        t.equal(found.missingBytes, 0)
      }
    }
  })
}

t.test('reads what libsndfile writes through sox, and what ffmpeg writes to a pipe', async t => {
  const directory = t.testdir({})
  const path = join(directory, 'noise.caf')
  await promisify(execFile)('sox', [
    '-R',
    '-n',
    '-r',
    '32000',
    '-b',
    '24',
    path,
    'synth',
    '0.05',
    'whitenoise',
  ])
  const pcm = await piped('sox', [path, '-t', 'raw', '-B', '-'])
  const format = { encoding: 's24be', sampleRateHertz: 32_000, channels: 1 }
  const arguments_ = ['-loglevel', 'error', '-i', path, '-c:a', 'pcm_s24be', '-f', 'caf', '-']
  for (const file of [await readFile(path), await piped('ffmpeg', arguments_)]) {
    const found = read(splitEvery(file, 11))
    t.same(found.format, format)
    t.ok(found.pcm.equals(pcm))
    t.equal(found.missingBytes, 0)
  }
})

const MONO: Omit<CafParts, 'data'> = { sampleRateHertz: 16_000, channels: 1, bits: 16 }

t.test('finds the samples behind chunks of any size, and their end', async t => {
  const data = randomBytes(602, 2)
  const odd = cafChunk('info', Buffer.alloc(33, 1))
  const files = {
    'chunks on both sides': cafFile({
      ...MONO,
      data,
      before: [odd, cafChunk('free', Buffer.alloc(4_000))],
      after: [odd],
    }),
    'a size of -1': cafFile({ ...MONO, data, before: [odd], dataSize: -1 }),
    'a size of exabytes': cafFile({ ...MONO, data, before: [odd], dataSize: 2 ** 62 }),
    'two desc, the first of which counts': cafFile({
      ...MONO,
      data,
      before: [cafChunk('desc', Buffer.alloc(32))],
    }),
    'a rate between two': cafFile({ ...MONO, sampleRateHertz: 16_000.4, data }),
    'a depth between two': cafFile({ ...MONO, bits: 12, data }),
  }
  for (const [what, file] of Object.entries(files)) {
    for (const chunks of [[file], splitEvery(file, 1), randomSplit(file, 3, 60)]) {
      const { format, pcm, missingBytes } = read(chunks)
      t.same(format, { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 })
      t.ok(pcm.equals(data), what)
      t.equal(missingBytes, 0)
    }
  }
  t.equal(read([cafFile({ ...MONO, data: Buffer.alloc(0) })]).pcm.length, 0, 'none at all')
})

t.test('tells codecs from samples', async t => {
  const data = randomBytes(48, 1)
  for (const codec of ['aac ', 'alac', 'ima4', 'opus', 'flac', '.mp3']) {
    t.equal(readCafHeader(cafFile({ ...MONO, codec, data })), 'foreign', codec)
  }
  const odd: Partial<CafParts>[] = [{ bits: 0 }, { bits: 64 }, { bits: 16, flags: 1 }, { bits: 24, flags: 3 }]
  for (const parts of odd) t.equal(readCafHeader(cafFile({ ...MONO, ...parts, data })), 'foreign')
})

t.test('tells how much of a truncated file is missing, and nothing before its header is whole', async t => {
  const data = randomBytes(300, 4)
  const file = cafFile({ ...MONO, data })
  // The count of edits means nothing, so the header is whole before it.
  const prefix = file.length - data.length - 4
  for (let length = 0; length <= file.length; length++) {
    const { format, pcm, missingBytes } = read([file.subarray(0, length)])
    const got = Math.max(0, length - prefix - 4)
    if (format === undefined ? length >= prefix : missingBytes !== 300 - got || pcm.length !== got)
      t.fail(`${length} bytes`)
  }
  t.equal(read([file]).missingBytes, 0)
})

t.test('refuses a header that contradicts itself', async t => {
  const data = randomBytes(64, 1)
  const header = Buffer.from('6361666600010000', 'hex')
  const file = cafFile({ ...MONO, data })
  const desc = file.subarray(8, 8 + 12 + 32)
  const cases: [Buffer, code: string, message: RegExp][] = [
    [
      Buffer.concat([header, cafChunk('desc', Buffer.alloc(31))]),
      'STT_ERR_DECODE',
      /desc chunk has 31 bytes; expected 32/,
    ],
    [Buffer.concat([header, cafChunk('data', data), desc]), 'STT_ERR_DECODE', /data come before its desc/],
    [Buffer.concat([header, cafChunk('free', data, -9)]), 'STT_ERR_DECODE', /size of a chunk is -9 bytes/],
    [Buffer.concat([header, Buffer.alloc(12 * 1_001)]), 'STT_ERR_DECODE', /more than 1000 chunks/],
    [
      cafFile({ ...MONO, data, dataSize: -2 }),
      'STT_ERR_DECODE',
      /data chunk has -2 bytes; expected 4 or more/,
    ],
    [cafFile({ ...MONO, data, dataSize: 3 }), 'STT_ERR_DECODE', /data chunk has 3 bytes/],
    [
      cafFile({ ...MONO, bits: 24, packetBytes: 4, data }),
      'STT_ERR_DECODE',
      /packets have 4 bytes; 1 channels of s24le make 3/,
    ],
    [cafFile({ ...MONO, channels: 0, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /0 channels; expected 1 to 8/],
    [cafFile({ ...MONO, channels: 300, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /300 channels/],
    ...[0, -16_000, NaN, Infinity, 3_999, 384_001].map((sampleRateHertz): [Buffer, string, RegExp] => [
      cafFile({ ...MONO, sampleRateHertz, data }),
      'STT_ERR_UNSUPPORTED_AUDIO',
      new RegExp(`has ${sampleRateHertz} Hz; expected 4000 to 384000 Hz`),
    ]),
  ]
  for (const [broken, code, message] of cases) {
    for (const chunks of [[broken], splitEvery(broken, 1)]) t.throws(() => read(chunks), { code, message })
  }
})

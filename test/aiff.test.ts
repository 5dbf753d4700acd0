import t from 'tap'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'
import { readAiffHeader } from '#dist/audio/aiff.js'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { randomBytes, randomSplit, splitEvery } from './fixtures/audio.js'
import { aiffChunk, aiffFile, encodeAll, piped, readPcm, type AiffParts } from './fixtures/pcm-files.js'

const read = (chunks: Buffer[]) => readPcm(readAiffHeader, chunks)
const run = promisify(execFile)

const FFMPEG_ENCODINGS: readonly PcmEncoding[] = [
  's8',
  's16be',
  's16le',
  's24be',
  's32be',
  'f32be',
  'f64be',
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
    for (const { encoding, file, pcm } of await encodeAll(t.testdir({}), 'aiff', format, FFMPEG_ENCODINGS)) {
      for (const chunks of [[file], splitEvery(file, 1), splitEvery(file, 7), randomSplit(file, 1, 90)]) {
        const found = read(chunks)
        t.same(found.format, { encoding, sampleRateHertz, channels }, encoding)
        // A pad byte is no sample.
        t.ok(found.pcm.equals(pcm), encoding)
        t.equal(found.missingBytes, 0)
      }
    }
  })
}

t.test('reads what sox writes, comments before COMM and odd rates included', async t => {
  const directory = t.testdir({})
  for (const [bits, rate, hertz] of [
    [8, '22254.5454', 22_255],
    [16, '16000', 16_000],
    [24, '96000', 96_000],
    [32, '7999.6', 8_000],
  ] as const) {
    const path = join(directory, `${bits}.aiff`)
    const raw = ['-t', 'raw', '-e', 'signed', '-b', `${bits}`, '-B']
    await run('sox', ['-R', '-n', '-r', rate, '-c', '2', '-b', `${bits}`, path, 'synth', '0.01', 'pinknoise'])
    const file = await readFile(path)
    const { format, pcm } = read(splitEvery(file, 3))
    t.same(format, {
      encoding: bits === 8 ? 's8' : `s${bits}be`,
      sampleRateHertz: hertz,
      channels: 2,
    })
    t.ok(pcm.equals(await piped('sox', [path, ...raw, '-'])), `${bits} bits`)
  }
})

t.test('takes everything to the end where the writer could not seek back', async t => {
  const source = join(t.testdir({}), 'noise.wav')
  await run('sox', ['-R', '-n', '-r', '16000', '-b', '16', source, 'synth', '0.1', 'whitenoise'])
  const pcm = await piped('sox', [source, '-t', 'raw', '-B', '-'])
  const files = [
    await piped('ffmpeg', ['-loglevel', 'error', '-i', source, '-f', 'aiff', '-']),
    await piped('sox', [source, '-t', 'aiff', '-']),
    await piped('sox', [source, '-t', 'aifc', '-']),
    aiffFile({ ...MONO, data: pcm, dataSize: 0xffffffff }),
    // What sox leaves is a whole number of blocks.
    aiffFile({ ...MONO, data: pcm, dataSize: 0x7f000008 - 31 }),
  ]
  for (const file of files) {
    const found = read(splitEvery(file, 5))
    t.ok(found.pcm.equals(pcm))
    t.equal(found.missingBytes, 0)
  }
})

const MONO: Omit<AiffParts, 'data'> = { channels: 1, bits: 16 }

const compressions: [type: string, bits: number, encoding: PcmEncoding | 'foreign'][] = [
  ['NONE', 8, 's8'],
  ['NONE', 12, 's16be'],
  ['none', 24, 's24be'],
  ['twos', 16, 's16be'],
  ['twos', 32, 's32be'],
  ['sowt', 8, 's8'],
  ['sowt', 16, 's16le'],
  ['sowt', 24, 's24le'],
  ['raw ', 8, 'u8'],
  ['raw ', 16, 'foreign'],
  ['in24', 24, 's24be'],
  ['in32', 32, 's32be'],
  ['42ni', 24, 's24le'],
  ['23ni', 32, 's32le'],
  ['fl32', 32, 'f32be'],
  ['FL32', 32, 'f32be'],
  ['fl64', 64, 'f64be'],
  ['FL64', 64, 'f64be'],
  ['ulaw', 16, 'mulaw'],
  ['ULAW', 8, 'mulaw'],
  ['alaw', 16, 'alaw'],
  ['ALAW', 8, 'alaw'],
  ['NONE', 0, 'foreign'],
  ['NONE', 33, 'foreign'],
  ['ima4', 16, 'foreign'],
  ['MAC3', 8, 'foreign'],
  ['GSM ', 16, 'foreign'],
]

t.test('knows the compression types that are no codecs', async t => {
  for (const [compressionType, bits, encoding] of compressions) {
    const header = readAiffHeader(aiffFile({ ...MONO, bits, compressionType, data: randomBytes(48, 1) }))
    const found = typeof header === 'object' ? header.format.encoding : header
    t.equal(found, encoding, `${compressionType}, ${bits} bits`)
  }
})

t.test('finds the samples wherever they stand', async t => {
  const data = randomBytes(602, 2)
  const note = aiffChunk('ANNO', Buffer.from('odd'))
  const plain = aiffFile({ ...MONO, data })
  const comm = plain.subarray(12, 12 + 8 + 18)
  const ssnd = plain.subarray(12 + 8 + 18)
  const files = {
    'chunks on both sides': aiffFile({ ...MONO, data, before: [note, note], after: [note] }),
    'a gap before them': aiffFile({ ...MONO, data, gap: Buffer.alloc(500, 0x55), after: [note] }),
    'COMM behind them': aiffFile({ ...MONO, data, commLast: true, after: [note] }),
    'COMM behind them and a gap': aiffFile({ ...MONO, data, commLast: true, gap: Buffer.alloc(3) }),
    'two COMM, the first of which counts': aiffFile({ channels: 2, bits: 8, data, before: [comm] }),
    'two SSND, the first of which counts': aiffFile({ ...MONO, data: note, before: [ssnd], commLast: true }),
  }
  for (const [what, file] of Object.entries(files)) {
    for (const chunks of [[file], splitEvery(file, 1), randomSplit(file, 3, 60)]) {
      const { format, pcm, missingBytes } = read(chunks)
      t.same(format, { encoding: 's16be', sampleRateHertz: 16_000, channels: 1 })
      t.ok(pcm.equals(data), what)
      t.equal(missingBytes, 0)
    }
  }
  t.equal(read([aiffFile({ ...MONO, data: Buffer.alloc(0) })]).pcm.length, 0, 'none at all')
})

t.test('tells how much of a truncated file is missing, and nothing before its header is whole', async t => {
  const data = randomBytes(300, 4)
  const file = aiffFile({ ...MONO, compressionType: 'sowt', data })
  const dataOffset = file.length - data.length
  for (let length = 0; length <= file.length; length++) {
    const { format, pcm, missingBytes } = read([file.subarray(0, length)])
    const got = Math.max(0, length - dataOffset)
    if (format === undefined ? length >= dataOffset : missingBytes !== 300 - got || pcm.length !== got)
      t.fail(`${length} bytes`)
  }
  t.equal(read([file]).missingBytes, 0)
})

t.test('refuses a header that contradicts itself', async t => {
  const data = randomBytes(64, 1)
  const shortComm = Buffer.concat([Buffer.from('FORM\0\0\0\0AIFF'), aiffChunk('COMM', Buffer.alloc(16))])
  const shortCommC = Buffer.concat([Buffer.from('FORM\0\0\0\0AIFC'), aiffChunk('COMM', Buffer.alloc(18))])
  const empties = Buffer.concat([aiffFile({ ...MONO, data }).subarray(0, 12), Buffer.alloc(8 * 1_001)])
  const cases: [Buffer, code: string, message: RegExp][] = [
    [shortComm, 'STT_ERR_DECODE', /COMM chunk has 16 bytes; expected 18 or more/],
    [shortCommC, 'STT_ERR_DECODE', /COMM chunk has 18 bytes; expected 22 or more/],
    [aiffFile({ ...MONO, data, offset: 65 }), 'STT_ERR_DECODE', /begin 65 bytes into an SSND chunk of 72/],
    [aiffFile({ ...MONO, data, dataSize: 7 }), 'STT_ERR_DECODE', /into an SSND chunk of 7/],
    [
      aiffFile({ ...MONO, data, dataSize: 0, offset: 2 ** 31 }),
      'STT_ERR_DECODE',
      /begin 2147483648 bytes into/,
    ],
    [
      aiffFile({ ...MONO, data, dataSize: 0, commLast: true }),
      'STT_ERR_DECODE',
      /unknown length come before/,
    ],
    [empties, 'STT_ERR_DECODE', /more than 1000 chunks/],
    [aiffFile({ ...MONO, channels: 0, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /0 channels; expected 1 to 8/],
    [aiffFile({ ...MONO, channels: 300, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /300 channels/],
  ]
  for (const [file, code, message] of cases) {
    for (const chunks of [[file], splitEvery(file, 1)]) t.throws(() => read(chunks), { code, message })
  }
})

t.test('refuses rates that are no rates', async t => {
  const rates = {
    zero: ['00000000000000000000', /has 0 Hz/],
    negative: ['c00cfa00000000000000', /has -16000 Hz/],
    infinite: ['7fff0000000000000000', /has NaN Hz/],
    'not a number': ['7fffc000000000000000', /has Infinity Hz/],
    'far too high': ['403effffffffffffffff', /has 18446744073709552000 Hz/],
    'far too low': ['0001ffffffffffffffff', /has 0 Hz/],
  } as const
  for (const [what, [extendedRate, message]] of Object.entries(rates)) {
    const file = aiffFile({ ...MONO, extendedRate, data: randomBytes(8, 1) })
    t.throws(() => read([file]), { code: 'STT_ERR_UNSUPPORTED_AUDIO', message }, what)
  }
})

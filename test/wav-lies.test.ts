import t from 'tap'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { readWavHeader } from '#dist/audio/wav.js'
import { HEAD_LIMIT_BYTES } from '#dist/audio/head.js'
import { randomBytes, rifxFile, riffChunk, splitEvery, wavFile, type WavParts } from './fixtures/audio.js'
import { readPcm } from './fixtures/pcm-files.js'

const read = (chunks: Buffer[]) => readPcm(readWavHeader, chunks)

const data = randomBytes(602, 1)
const PLAIN: WavParts = { tag: 1, channels: 1, sampleRateHertz: 16_000, bits: 16, data }
const S16: unknown = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }

/** A copy with something else at a place. */
function changed(file: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(file)
  change(copy)
  return copy
}

t.test('heeds no field that it can do without', async t => {
  const fmt = wavFile(PLAIN).subarray(12, 36)
  const other = changed(fmt, copy => copy.writeUInt16LE(2, 10))
  const files = {
    'a RIFF size of 0': wavFile({ ...PLAIN, riffSize: 0 }),
    'a RIFF size past the end': wavFile({ ...PLAIN, riffSize: 0x7ffffffe }),
    'a RIFF size that ends before the data': wavFile({ ...PLAIN, riffSize: 4 }),
    'a wrong byte rate': changed(wavFile(PLAIN), copy => copy.writeUInt32LE(1, 28)),
    'a fmt chunk longer than any': wavFile({
      ...PLAIN,
      before: [riffChunk('fmt ', Buffer.concat([fmt.subarray(8), data]))],
    }),
    'two fmt chunks, the first of which counts': wavFile({ ...PLAIN, channels: 7, before: [fmt] }),
    'a third chunk of that name': wavFile({ ...PLAIN, channels: 7, before: [fmt, other] }),
    'a second data chunk, which is no audio': wavFile({ ...PLAIN, after: [riffChunk('data', data)] }),
    'a channel mask of more channels than there are': changed(wavFile({ ...PLAIN, validBits: 16 }), copy =>
      copy.writeUInt32LE(0x3ffff, 40),
    ),
  }
  for (const [what, file] of Object.entries(files)) {
    for (const chunks of [[file], splitEvery(file, 1)]) {
      const { format, pcm, missingBytes } = read(chunks)
      t.same(format, S16, what)
      t.ok(pcm.equals(data), what)
      t.equal(missingBytes, 0, what)
    }
  }
})

t.test('reads containers wider than their samples by the container', async t => {
  const widths: [bits: number, validBits: number | undefined, encoding: PcmEncoding][] = [
    [32, 24, 's32le'],
    [32, 20, 's32le'],
    [24, 20, 's24le'],
    [16, 12, 's16le'],
    [8, 5, 'u8'],
    [20, undefined, 's24le'],
    [12, undefined, 's16le'],
    [24, 99, 's24le'],
    [24, 0, 's24le'],
  ]
  for (const [bits, validBits, encoding] of widths) {
    const { format, pcm } = read([wavFile({ ...PLAIN, bits, validBits })])
    t.equal(format?.encoding, encoding, `${validBits} bits in ${bits}`)
    t.ok(pcm.equals(data))
  }
})

t.test('gives what there is where more is claimed, and tells what is missing', async t => {
  for (const dataSize of [603, 604, 100_000, 0x7ffe0000, 0xfffe0000]) {
    const { pcm, missingBytes } = read(splitEvery(wavFile({ ...PLAIN, dataSize }), 100))
    t.ok(pcm.equals(data))
    t.equal(missingBytes, dataSize - 602)
  }
  const ds64 = Buffer.alloc(28)
  ds64.writeBigUInt64LE(10_000_000_000n, 8)
  const before = [riffChunk('ds64', ds64)]
  const { pcm, missingBytes } = read([wavFile({ ...PLAIN, id: 'RF64', before, dataSize: 0xffffffff })])
  t.ok(pcm.equals(data))
  t.equal(missingBytes, 10_000_000_000 - 602)
})

t.test('believes a data size that is smaller than the file', async t => {
  for (const dataSize of [1, 2, 333, 601]) {
    const { pcm, missingBytes } = read([wavFile({ ...PLAIN, dataSize })])
    t.ok(pcm.equals(data.subarray(0, dataSize)))
    t.equal(missingBytes, 0)
  }
})

t.test('gives up on a chunk that claims more than may stand before samples', async t => {
  const file = wavFile({ ...PLAIN, before: [riffChunk('LIST', data, 10_000_000)] })
  t.equal(readWavHeader(file), undefined)
  const long = Buffer.concat([file, Buffer.alloc(HEAD_LIMIT_BYTES)])
  t.throws(() => read(splitEvery(long, 65_536)), {
    code: 'STT_ERR_DECODE',
    message: /no audio within the first/,
  })
})

t.test('leaves codecs to others, whatever else their headers say', async t => {
  const codecs = { adpcm: 2, 'ima adpcm': 0x11, gsm: 0x31, g722: 0x28f, mp3: 0x55, speex: 0xa109, none: 0 }
  for (const [name, tag] of Object.entries(codecs)) {
    for (const parts of [{}, { channels: 0 }, { sampleRateHertz: 0 }, { bits: 0 }, { blockBytes: 1_024 }]) {
      const bits = 4
      t.equal(readWavHeader(wavFile({ ...PLAIN, bits, ...parts, tag })), 'foreign', name)
      t.equal(readWavHeader(wavFile({ ...PLAIN, bits, ...parts, tag, validBits: 4 })), 'foreign', name)
    }
  }
  for (const bits of [0, 33, 64, 65_535]) {
    t.equal(readWavHeader(wavFile({ ...PLAIN, bits })), 'foreign', `${bits} bits`)
    if (bits !== 64)
      t.equal(readWavHeader(wavFile({ ...PLAIN, bits, tag: 3 })), 'foreign', `${bits} bits of float`)
  }
  const guid = changed(wavFile({ ...PLAIN, validBits: 16 }), copy => copy.fill(0xff, 52, 60))
  t.equal(readWavHeader(guid), 'foreign', 'a GUID of someone else')
})

t.test('refuses rates, channels and chunks that cannot be', async t => {
  const rate = (hertz: number) => changed(wavFile(PLAIN), copy => copy.writeInt32LE(hertz, 24))
  const empty = [...Array<Buffer>(1_001)].map(() => riffChunk('JUNK', Buffer.alloc(0)))
  const short = riffChunk('fmt ', wavFile({ ...PLAIN, validBits: 16 }).subarray(20, 59))
  const cases: [Buffer, code: string, message: RegExp][] = [
    [rate(0), 'STT_ERR_UNSUPPORTED_AUDIO', /WAV file has 0 Hz; expected 4000 to 384000 Hz/],
    [rate(-1), 'STT_ERR_UNSUPPORTED_AUDIO', /has 4294967295 Hz/],
    [rate(-16_000), 'STT_ERR_UNSUPPORTED_AUDIO', /has 4294951296 Hz/],
    [wavFile({ ...PLAIN, channels: 0 }), 'STT_ERR_UNSUPPORTED_AUDIO', /has 0 channels; expected 1 to 8/],
    [wavFile({ ...PLAIN, channels: 300 }), 'STT_ERR_UNSUPPORTED_AUDIO', /has 300 channels/],
    [
      wavFile({ ...PLAIN, channels: 65_535, blockBytes: 0 }),
      'STT_ERR_UNSUPPORTED_AUDIO',
      /has 65535 channels/,
    ],
    [wavFile({ ...PLAIN, blockBytes: 0 }), 'STT_ERR_DECODE', /block align is 0 bytes/],
    [wavFile({ ...PLAIN, bits: 24, blockBytes: 4 }), 'STT_ERR_DECODE', /1 channels of s24le make 3/],
    [rifxFile({ ...PLAIN, blockBytes: 4 }), 'STT_ERR_DECODE', /1 channels of s16be make 2/],
    [
      wavFile({ ...PLAIN, before: [short] }),
      'STT_ERR_DECODE',
      /extensible fmt chunk has 39 bytes; expected 40/,
    ],
    [
      wavFile({ ...PLAIN, before: empty }),
      'STT_ERR_DECODE',
      /more than 1000 chunks stand before its samples/,
    ],
  ]
  for (const [file, code, message] of cases) {
    for (const chunks of [[file], splitEvery(file, 7)]) t.throws(() => read(chunks), { code, message })
  }
})

import t from 'tap'
import { once } from 'node:events'
import type { DecodeOptions } from '#dist/audio/decode-options.js'
import { decode, type DecodeWarning } from '#dist/audio/decode.js'
import { bytesPerSample, type PcmEncoding, type PcmFormat } from '#dist/audio/pcm-format.js'
import { wavHeader } from '#dist/audio/wav-header.js'
import {
  auFile,
  randomBytes,
  randomSplit,
  rifxFile,
  riffChunk,
  splitEvery,
  wavFile,
  type WavParts,
} from './fixtures/audio.js'

/** None of these files may need ffmpeg. */
const IN_PROCESS: DecodeOptions = { ffmpegPath: '/nonexistent/ffmpeg' }

async function read(chunks: Buffer[], options: DecodeOptions = IN_PROCESS) {
  const decoder = decode(options)
  const warnings: DecodeWarning[] = []
  const formats: PcmFormat[] = []
  const out: Buffer[] = []
  let formatAtFirstChunk: PcmFormat | undefined
  decoder.on('warning', (warning: DecodeWarning) => warnings.push(warning))
  decoder.on('format', (format: PcmFormat) => formats.push(format))
  decoder.on('data', (chunk: Buffer) => {
    formatAtFirstChunk ??= decoder.format
    out.push(chunk)
  })
  for (const chunk of chunks) decoder.write(chunk)
  decoder.end()
  await once(decoder, 'close')
  return { pcm: Buffer.concat(out), format: decoder.format, formats, formatAtFirstChunk, warnings }
}

const waves: [tag: number, bits: number, encoding: PcmEncoding][] = [
  [1, 8, 'u8'],
  [1, 16, 's16le'],
  [1, 24, 's24le'],
  [1, 32, 's32le'],
  [3, 32, 'f32le'],
  [3, 64, 'f64le'],
  [6, 8, 'alaw'],
  [7, 8, 'mulaw'],
]

for (const [tag, bits, encoding] of waves) {
  t.test(
    `passes the samples of a ${encoding} WAV untouched, from 1 to 8 channels, plain and extensible`,
    async t => {
      for (const channels of [1, 2, 3, 6, 8]) {
        for (const validBits of [undefined, bits, bits - 4]) {
          const data = randomBytes(50 * channels * bytesPerSample(encoding), channels)
          const after = [riffChunk('LIST', Buffer.from('INFOodd'))]
          const file = wavFile({ tag, channels, sampleRateHertz: 44_100, bits, validBits, data, after })
          const { pcm, format, formats, formatAtFirstChunk, warnings } = await read([file])
          t.same(format, { encoding, sampleRateHertz: 44_100, channels })
          t.same(formats, [format])
          t.same(formatAtFirstChunk, format)
          t.ok(pcm.equals(data), `${channels} channels, valid bits ${validBits}`)
          t.same(warnings, [])
        }
      }
    },
  )
}

t.test('reads the big-endian form', async t => {
  for (const [tag, bits, encoding] of waves) {
    for (const validBits of [undefined, bits]) {
      const data = randomBytes(12 * bytesPerSample(encoding), 6)
      const parts = { tag, channels: 2, sampleRateHertz: 22_050, bits, validBits, data }
      const { pcm, format } = await read(splitEvery(rifxFile(parts), 1))
      t.same(format, { encoding: encoding.replace('le', 'be'), sampleRateHertz: 22_050, channels: 2 })
      t.ok(swapped(pcm, bits / 8).equals(data))
    }
  }
})

function swapped(bytes: Buffer, size: number): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse()
  return copy
}

const MONO_S16: Omit<WavParts, 'data'> = { tag: 1, channels: 1, sampleRateHertz: 16_000, bits: 16 }

t.test('reads every rate from 4 to 384 kHz', async t => {
  for (const sampleRateHertz of [4_000, 8_000, 11_025, 22_050, 48_000, 96_000, 384_000]) {
    const { format } = await read([wavFile({ ...MONO_S16, sampleRateHertz, data: randomBytes(64, 1) })])
    t.equal(format?.sampleRateHertz, sampleRateHertz)
  }
})

t.test('reads the same from every split', async t => {
  const data = randomBytes(401, 7)
  const file = wavFile({
    ...MONO_S16,
    bits: 8,
    validBits: 8,
    before: [riffChunk('bext', randomBytes(33, 1)), riffChunk('JUNK', Buffer.alloc(28))],
    after: [riffChunk('LIST', Buffer.from('INFOISFT')), riffChunk('id3 ', randomBytes(77, 2))],
    data,
  })
  const splits = [splitEvery(file, 1), splitEvery(file, 3), splitEvery(file, 44)]
  for (let at = 0; at <= file.length; at++) splits.push([file.subarray(0, at), file.subarray(at)])
  for (let seed = 1; seed <= 50; seed++) splits.push(randomSplit(file, seed, 90))
  for (const [i, chunks] of splits.entries()) {
    const { pcm, warnings } = await read(chunks)
    if (!pcm.equals(data) || warnings.length > 0)
      t.fail(`split ${i} into ${chunks.map(({ length }) => length).join()}`)
  }
  t.ok(splits.length > 500)
})

t.test('takes everything to the end where the header does not know the size', async t => {
  const data = randomBytes(500, 3)
  for (const dataSize of [0, 0xffffffff, 0xffffffff - 36, 0x7ffff000, 0x7fffffff, 0x80000000]) {
    for (const riffSize of [0, 36, 0xffffffff]) {
      const file = wavFile({ ...MONO_S16, data, dataSize, riffSize })
      for (const chunks of [[file], splitEvery(file, 1)]) {
        const { pcm, warnings } = await read(chunks)
        t.ok(pcm.equals(data), `data size ${dataSize}, RIFF size ${riffSize}`)
        t.same(warnings, [])
      }
    }
  }
})

t.test('ends cleanly without samples where there are none', async t => {
  const list = riffChunk('LIST', Buffer.from('INFOISFT'))
  for (const after of [[], [list]]) {
    const file = wavFile({ ...MONO_S16, data: Buffer.alloc(0), after })
    for (const chunks of [[file], splitEvery(file, 1)]) {
      const { pcm, format, warnings } = await read(chunks)
      t.equal(pcm.length, 0)
      t.same(format, { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 })
      t.same(warnings, [])
    }
  }
})

t.test('reads RF64 and BW64 by the sizes of ds64', async t => {
  const data = randomBytes(300, 4)
  const after = [riffChunk('LIST', Buffer.from('INFOISFT'))]
  const ds64 = (dataBytes: bigint) => {
    const payload = Buffer.alloc(28)
    payload.writeBigUInt64LE(dataBytes, 8)
    return riffChunk('ds64', payload)
  }
  const sizes = { dataSize: 0xffffffff, riffSize: 0xffffffff }
  for (const id of ['RF64', 'BW64']) {
    const known = wavFile({ ...MONO_S16, ...sizes, id, before: [ds64(300n)], data, after })
    t.ok((await read(splitEvery(known, 1))).pcm.equals(data), `${id}, size known`)
    for (const unknown of [0n, 0xffffffffffffffffn]) {
      const file = wavFile({ ...MONO_S16, ...sizes, id, before: [ds64(unknown)], data })
      t.ok((await read([file])).pcm.equals(data), `${id}, size ${unknown}`)
    }
    const small = wavFile({ ...MONO_S16, id, before: [ds64(0n)], data, after })
    t.ok((await read([small])).pcm.equals(data), `${id}, size in its old place`)
    const long = wavFile({ ...MONO_S16, ...sizes, id, before: [ds64(5n * 2n ** 32n)], data })
    const { pcm, warnings } = await read([long])
    t.ok(pcm.equals(data), `${id}, past 4 GiB`)
    t.match(warnings, [
      { message: `the file ends ${5 * 2 ** 32 - 300} bytes before its header says, after 300` },
    ])
  }
})

t.test('gives what there is of a truncated file, with a warning', async t => {
  const data = randomBytes(1001, 5)
  const file = wavFile({ ...MONO_S16, bits: 8, data })
  for (let cut = 1; cut < 1001; cut += 37) {
    const { pcm, warnings } = await read(splitEvery(file.subarray(0, 44 + cut), 100))
    t.ok(pcm.equals(data.subarray(0, cut)))
    t.match(warnings, [{ code: 'STT_WARN_TRUNCATED' }])
  }
})

t.test('refuses a header that is cut off', async t => {
  const file = wavFile({ ...MONO_S16, validBits: 16, data: randomBytes(10, 1) })
  for (let length = 12; length < file.length - 10; length++) {
    await t.rejects(read([file.subarray(0, length)]), {
      name: 'SttError',
      code: 'STT_ERR_DECODE_TRUNCATED',
      message: `the header of this file is cut off after ${length} bytes`,
    })
  }
})

t.test('refuses a header that contradicts itself', async t => {
  const data = randomBytes(10, 1)
  const early = wavFile({ ...MONO_S16, data })
  const swapped = Buffer.concat([early.subarray(0, 12), riffChunk('data', data), early.subarray(12, 36)])
  const shortFmt = Buffer.concat([
    early.subarray(0, 12),
    riffChunk('fmt ', Buffer.alloc(14)),
    riffChunk('data', data),
  ])
  const cases: [file: Buffer, code: string, message: RegExp][] = [
    [
      wavFile({ ...MONO_S16, blockBytes: 3, data }),
      'STT_ERR_DECODE',
      /block align is 3 bytes; 1 channels of s16le make 2/,
    ],
    [wavFile({ ...MONO_S16, channels: 2, blockBytes: 2, data }), 'STT_ERR_DECODE', /block align is 2 bytes/],
    [wavFile({ ...MONO_S16, tag: 7, bits: 8, blockBytes: 2, data }), 'STT_ERR_DECODE', /block align/],
    [swapped, 'STT_ERR_DECODE', /data come before its fmt/],
    [shortFmt, 'STT_ERR_DECODE', /fmt chunk has 14 bytes/],
    [wavFile({ ...MONO_S16, channels: 0, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /0 channels; expected 1 to 8/],
    [wavFile({ ...MONO_S16, channels: 9, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /9 channels/],
    [
      wavFile({ ...MONO_S16, sampleRateHertz: 3_999, data }),
      'STT_ERR_UNSUPPORTED_AUDIO',
      /3999 Hz; expected 4000 to 384000 Hz/,
    ],
    [wavFile({ ...MONO_S16, sampleRateHertz: 400_000, data }), 'STT_ERR_UNSUPPORTED_AUDIO', /400000 Hz/],
  ]
  for (const [file, code, message] of cases) {
    for (const chunks of [[file], splitEvery(file, 1)]) await t.rejects(read(chunks), { code, message })
  }
})

const suns: [number: number, encoding: PcmEncoding][] = [
  [1, 'mulaw'],
  [2, 's8'],
  [3, 's16be'],
  [4, 's24be'],
  [5, 's32be'],
  [6, 'f32be'],
  [7, 'f64be'],
  [27, 'alaw'],
]

for (const [number, encoding] of suns) {
  t.test(`passes the samples of an ${encoding} AU file untouched`, async t => {
    for (const channels of [1, 2, 8]) {
      const data = randomBytes(60 * channels * bytesPerSample(encoding), channels)
      for (const annotation of [undefined, Buffer.from('recorded long ago\0\0\0')]) {
        const file = auFile({ encoding: number, sampleRateHertz: 8_000, channels, data, annotation })
        for (const chunks of [[file], splitEvery(file, 1), randomSplit(file, 9, 40)]) {
          const { pcm, format, formats } = await read(chunks)
          t.same(format, { encoding, sampleRateHertz: 8_000, channels })
          t.equal(formats.length, 1)
          t.ok(pcm.equals(data))
        }
      }
    }
  })
}

t.test('reads AU files of unknown, short and empty length', async t => {
  const data = randomBytes(100, 1)
  const parts = { encoding: 1, sampleRateHertz: 8_000, channels: 1, data }
  for (const dataSize of [0xffffffff, 0]) {
    t.ok((await read([auFile({ ...parts, dataSize })])).pcm.equals(data), `size ${dataSize}`)
  }
  const trailing = await read([auFile({ ...parts, dataSize: 60 })])
  t.ok(trailing.pcm.equals(data.subarray(0, 60)), 'what follows the data is not audio')
  const truncated = await read([auFile({ ...parts, dataSize: 200 })])
  t.ok(truncated.pcm.equals(data))
  t.match(truncated.warnings, [{ code: 'STT_WARN_TRUNCATED', message: /ends 100 bytes before/ }])
  t.equal((await read([auFile({ ...parts, data: Buffer.alloc(0) })])).pcm.length, 0)
})

t.test('refuses broken AU headers', async t => {
  const file = auFile({ encoding: 1, sampleRateHertz: 8_000, channels: 1, data: randomBytes(10, 1) })
  await t.rejects(read([file.subarray(0, 23)]), { code: 'STT_ERR_DECODE', message: /cut off after 23 bytes/ })
  const offset = Buffer.from(file)
  offset.writeUInt32BE(20, 4)
  await t.rejects(read([offset]), { code: 'STT_ERR_DECODE', message: /data begin at 20; expected 24 to/ })
  offset.writeUInt32BE(0xfffffff0, 4)
  await t.rejects(read([offset]), { code: 'STT_ERR_DECODE', message: /data begin at 4294967280/ })
  offset.writeUInt32BE(50, 4)
  await t.rejects(read(splitEvery(offset, 9)), {
    code: 'STT_ERR_DECODE_TRUNCATED',
    message: /ends 16 bytes before its samples, which begin at 50/,
  })
  const channels = Buffer.from(file)
  channels.writeUInt32BE(0x10000001, 20)
  await t.rejects(read([channels]), { code: 'STT_ERR_UNSUPPORTED_AUDIO', message: /268435457 channels/ })
})

t.test('writes a header that it reads back', async t => {
  for (const [, , encoding] of waves) {
    for (const channels of [1, 2, 5]) {
      const format = { encoding, sampleRateHertz: 22_050, channels }
      const data = randomBytes(20 * channels * bytesPerSample(encoding) + (encoding === 'u8' ? 1 : 0), 1)
      for (const dataBytes of [data.length, undefined]) {
        const file = Buffer.concat([wavHeader(format, dataBytes), data])
        const { pcm, format: found, warnings } = await read(splitEvery(file, 5))
        t.same(found, format)
        t.ok(pcm.equals(data))
        t.same(warnings, [])
      }
    }
  }
  t.equal(wavHeader({ encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }, 10).length, 44)
})

t.test('refuses to write what WAV cannot hold', async t => {
  const format: PcmFormat = { encoding: 's16le', sampleRateHertz: 16_000, channels: 1 }
  t.throws(() => wavHeader({ ...format, encoding: 's16be' }), {
    name: 'TypeError',
    message: /one of u8, .*; got s16be/,
  })
  t.throws(() => wavHeader({ ...format, channels: 9 }), { name: 'RangeError', message: /format.channels/ })
  for (const dataBytes of [-1, 0.5, NaN, 2 ** 32]) {
    t.throws(() => wavHeader(format, dataBytes), {
      name: 'RangeError',
      message: /dataBytes must be an integer/,
    })
  }
})

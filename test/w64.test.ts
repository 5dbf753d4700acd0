import t from 'tap'
import { readW64Header } from '#dist/audio/w64.js'
import type { PcmEncoding } from '#dist/audio/pcm-format.js'
import { randomSplit, splitEvery } from './fixtures/audio.js'
import { encodeAll, piped, readPcm } from './fixtures/pcm-files.js'

const read = (chunks: Buffer[]) => readPcm(readW64Header, chunks)

const ENCODINGS: readonly PcmEncoding[] = ['u8', 's16le', 's24le', 's32le', 'f32le', 'f64le', 'alaw', 'mulaw']

for (const [sampleRateHertz, channels] of [
  [8_000, 1],
  [44_100, 6],
] as const) {
  t.test(`reads what ffmpeg writes at ${sampleRateHertz} Hz, ${channels} channels, in any split`, async t => {
    const format = { sampleRateHertz, channels }
    for (const { encoding, file, pcm } of await encodeAll(t.testdir({}), 'w64', format, ENCODINGS)) {
      for (const chunks of [[file], splitEvery(file, 1), randomSplit(file, 1, 90)]) {
        const found = read(chunks)
        t.same(found.format, { encoding, sampleRateHertz, channels }, encoding)
        // ffmpeg counts the padding up to the next multiple of eight as samples.
        t.ok(found.pcm.subarray(0, pcm.length).equals(pcm), encoding)
        t.ok(found.pcm.length < pcm.length + 8)
        t.equal(found.missingBytes, 0)
      }
    }
  })
}

const noise = ['-loglevel', 'error', '-f', 'lavfi', '-i', 'anoisesrc=r=16000:d=0.05:seed=1']

t.test('takes everything to the end where the writer could not seek back', async t => {
  const [file, pcm] = await Promise.all([
    piped('ffmpeg', [...noise, '-c:a', 'pcm_s16le', '-f', 'w64', '-']),
    piped('ffmpeg', [...noise, '-c:a', 'pcm_s16le', '-f', 's16le', '-']),
  ])
  const found = read(splitEvery(file, 3))
  t.ok(found.pcm.equals(pcm))
  t.equal(found.missingBytes, 0)
})

t.test('leaves a codec to others', async t => {
  const file = await piped('ffmpeg', [...noise, '-c:a', 'adpcm_ms', '-f', 'w64', '-'])
  t.equal(readW64Header(file), 'foreign')
})

t.test('refuses a header that contradicts itself', async t => {
  const file = await piped('ffmpeg', [...noise, '-c:a', 'pcm_s16le', '-f', 'w64', '-'])
  const broken = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(file)
    change(copy)
    return copy
  }
  const fmt = 40
  const cases: [Buffer, code: string, message: RegExp][] = [
    [broken(copy => copy.writeBigInt64LE(39n, fmt + 16)), 'STT_ERR_DECODE', /fmt chunk has 15 bytes/],
    [broken(copy => copy.writeBigInt64LE(-1n, fmt + 16)), 'STT_ERR_DECODE', /fmt chunk has 0 bytes/],
    [broken(copy => copy.fill(0, fmt, fmt + 16)), 'STT_ERR_DECODE', /data come before its fmt/],
    [broken(copy => copy.fill(0, fmt)), 'STT_ERR_DECODE', /size of a chunk is -24 bytes/],
    [broken(copy => copy.writeUInt16LE(3, fmt + 24 + 12)), 'STT_ERR_DECODE', /block align is 3 bytes/],
    [broken(copy => copy.writeUInt16LE(300, fmt + 24 + 2)), 'STT_ERR_UNSUPPORTED_AUDIO', /300 channels/],
    [broken(copy => copy.writeInt32LE(-8_000, fmt + 24 + 4)), 'STT_ERR_UNSUPPORTED_AUDIO', /4294959296 Hz/],
  ]
  for (const [bytes, code, message] of cases) {
    for (const chunks of [[bytes], splitEvery(bytes, 1)]) t.throws(() => read(chunks), { code, message })
  }
})

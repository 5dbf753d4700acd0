import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { decode } from '#dist/audio/decode.js'
import { randomBytes, readAll } from './fixtures/audio.js'
import { makeFiles, type FormatFile } from './fixtures/format-files.js'
import { CHUNKS, hear, hearBytes, lossFaults } from './fixtures/format-hearing.js'
import { samplesOf } from './fixtures/format-signal.js'
import { FORMATS } from './fixtures/formats.js'

// What stands at the seams: files behind one another, files cut off at the front, tags, files without a header.

async function file(t: Test, codec: string, sampleRateHertz = 48_000, channels = 2): Promise<FormatFile> {
  const format = FORMATS.find(format => `${format.family}: ${format.codec}` === codec)
  if (!format) throw new Error(`no format is ${codec}`)
  const [made] = await makeFiles(t.testdir({}), [format], sampleRateHertz, channels)
  return made!
}

t.test('hears both of two files that stand behind one another', async t => {
  for (const codec of [
    'Ogg: Opus',
    'Ogg: Vorbis',
    'Ogg: FLAC',
    'MP3: MP3, constant bit rate',
    'MP3: MP3 without tags',
  ]) {
    const { file: bytes, format } = await file(t, codec)
    const alone = await hearBytes([bytes])
    const both = await hearBytes(CHUNKS['7 bytes'](Buffer.concat([bytes, bytes])))
    t.strictSame(both.source, alone.source, codec)
    t.strictSame(both.warnings, [], codec)
    const [one, two] = [alone, both].map(heard => samplesOf(heard.pcm, heard.format!))
    const { frameSamples, primingSamples } = format.loss ?? { frameSamples: 0, primingSamples: 0 }
    const join = one![0]!.length
    // What an encoder puts before the first sample, is dropped at the head of a file alone.
    const seam = { frameSamples: 2 * frameSamples, primingSamples: frameSamples + primingSamples }
    t.strictSame(
      lossFaults(
        one!,
        two!.map(channel => channel.subarray(0, join)),
        seam,
      ),
      [],
      `${codec}, the first`,
    )
    t.strictSame(
      lossFaults(
        one!,
        two!.map(channel => channel.subarray(join)),
        seam,
      ),
      [],
      `${codec}, the second`,
    )
  }
})

t.test('hears an mp3 that begins within a frame', async t => {
  const { file: bytes, said } = await file(t, 'MP3: MP3 without tags')
  const from = 2_500
  for (const way of ['whole', '1 byte'] as const) {
    const { pcm, format, source } = await hearBytes(CHUNKS[way](bytes.subarray(from)))
    t.equal(source?.decodedBy, 'ffmpeg', 'it is not known by its first bytes')
    const heard = samplesOf(pcm, format!)
    // Frames of 960 bytes: three are lost, and the fourth lacks what it keeps in them.
    const rest = said.map(channel => channel.subarray(4 * 1_152))
    t.strictSame(
      lossFaults(rest, heard, { frameSamples: 1_152, primingSamples: 2 * 1_152, edgeSamples: 1_152 }),
      [],
    )
  }
})

t.test('skips an ID3v2 tag of megabytes', async t => {
  const { file: bytes } = await file(t, 'MP3: MP3, variable bit rate')
  const plain = await hearBytes([bytes])
  const size = 5_000_000
  const header = Buffer.from([
    0x49,
    0x44,
    0x33,
    4,
    0,
    0,
    ...[21, 14, 7, 0].map(shift => (size >> shift) & 0x7f),
  ])
  const tagged = Buffer.concat([header, Buffer.alloc(size, 0xff), bytes])
  for (const way of ['whole', '64 KiB'] as const) {
    const heard = await hearBytes(CHUNKS[way](tagged))
    t.strictSame(heard.source, { container: 'mp3', decodedBy: 'codec' })
    t.ok(heard.pcm.equals(plain.pcm), way)
  }
})

t.test('skips as many ID3v2 tags as there are', async t => {
  const { file: bytes } = await file(t, 'MP3: MP3, variable bit rate')
  const plain = await hearBytes([bytes])
  const tags = Buffer.alloc(200_000, 'ID3\x04\0\0\0\0\0\0', 'latin1')
  for (const way of ['whole', '7 bytes'] as const) {
    const heard = await hearBytes(CHUNKS[way](Buffer.concat([tags, bytes])))
    t.ok(heard.pcm.equals(plain.pcm), way)
  }
})

t.test('a file of tags alone is an error, not silence', async t => {
  const header = Buffer.from('ID3\x04\0\0\0\0\x02\x00', 'latin1')
  const cutOff = Buffer.concat([header, Buffer.alloc(100)])
  const files = [
    [Buffer.concat([header, Buffer.alloc(256)]), 'STT_ERR_DECODE_NO_AUDIO', /266 bytes of tags/],
    [header, 'STT_ERR_DECODE_TRUNCATED', /ends 256 bytes before the end of its tags/],
    [cutOff, 'STT_ERR_DECODE_TRUNCATED', /ends 156 bytes before/],
  ] as const
  for (const [bytes, code, message] of files) {
    for (const way of ['whole', '1 byte'] as const)
      await t.rejects(hearBytes(CHUNKS[way](bytes)), { code, message })
  }
})

t.test('what is decoded in process is what ffmpeg makes of it', async t => {
  for (const codec of ['MP3: MP3, variable bit rate', 'MP3: MP2', 'Ogg: Opus']) {
    const made = await file(t, codec)
    const heard = await hear(made, 'whole')
    for (const way of ['64 KiB', '7 bytes', '1 byte'] as const)
      t.ok((await hear(made, way)).pcm.equals(heard.pcm), `${codec}, ${way}`)
    const reference = await hear(made, 'whole', { decoder: 'ffmpeg' })
    t.equal(heard.source?.decodedBy, 'codec')
    t.equal(reference.source?.decodedBy, 'ffmpeg')
    t.strictSame(heard.format, reference.format)
    const [ours, theirs] = [heard, reference].map(({ pcm, format }) => samplesOf(pcm, format!))
    const { frameSamples, primingSamples } = made.format.loss ?? { frameSamples: 0, primingSamples: 0 }
    t.strictSame(lossFaults(theirs!, ours!, { frameSamples, primingSamples, correlation: 0.9999 }), [], codec)
  }
})

t.test('decodes vocoders as ffmpeg itself does', async t => {
  for (const codec of ['Ogg: Speex', 'AMR: AMR-NB', 'WAV with a codec: GSM 06.10']) {
    const made = await file(t, codec, 8_000, 1)
    const { pcm } = await hear(made, '7 bytes')
    t.ok(pcm.equals(await decodedByFfmpeg(made.path)), codec)
  }
})

t.test('GSM without a header is found by its frames, where there are enough', async t => {
  const { path: wav } = await file(t, 'WAV with a codec: GSM 06.10', 8_000, 1)
  const path = join(t.testdirName, 'voice.gsm')
  await promisify(execFile)('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', wav, '-c:a', 'libgsm', path])
  const decoder = decode({ path })
  const pcm = await readAll(decoder)
  t.strictSame(decoder.format, { encoding: 'f32le', sampleRateHertz: 8_000, channels: 1 })
  t.ok(pcm.equals(await decodedByFfmpeg(path)))
  const bytes = await readFile(path)
  t.ok((await hearBytes([bytes])).pcm.equals(pcm), 'written, too')
  await t.rejects(
    hearBytes([bytes.subarray(0, 160)]),
    { code: 'STT_ERR_DECODE_NOT_MEDIA' },
    'a tenth of a second',
  )
})

t.test('decodes AMR-WB as ffmpeg itself does', async t => {
  // Nobody in Debian encodes it: frames of 23.85 kbit/s of arbitrary speech parameters.
  const frames = Array.from({ length: 25 }, (_, i) =>
    Buffer.concat([Buffer.from([0x44]), randomBytes(60, i)]),
  )
  const path = join(
    t.testdir({ 'noise.awb': Buffer.concat([Buffer.from('#!AMR-WB\n'), ...frames]) }),
    'noise.awb',
  )
  const { pcm, format, source } = await hearBytes(CHUNKS['7 bytes'](await readFile(path)))
  t.strictSame(source, { container: 'amr', decodedBy: 'ffmpeg' })
  t.strictSame(format, { encoding: 'f32le', sampleRateHertz: 16_000, channels: 1 })
  t.equal(pcm.length, 4 * 8_000)
  t.ok(pcm.equals(await decodedByFfmpeg(path)))
})

async function decodedByFfmpeg(path: string): Promise<Buffer> {
  const args = ['-nostdin', '-loglevel', 'error', '-i', path, '-f', 'f32le', '-']
  return (await promisify(execFile)('ffmpeg', args, { encoding: 'buffer' })).stdout
}

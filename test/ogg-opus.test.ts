import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import t from 'tap'
import { decode, type DecodeWarning } from '#dist/audio/decode.js'
import { OggPackets } from '#dist/audio/ogg-packets.js'
import { readOpusHead } from '#dist/audio/opus-head.js'
import { encode, firstChannel, randomSplit, readAll, splitEvery, toneShare } from './fixtures/audio.js'

const RATE = 48_000
const PAGE = { flags: 5, granule: 6, serial: 14, sequence: 18, segments: 26, header: 27 }
const work = t.testdir()

/** A tone in an Opus file of so many samples, in pages of a fifth of a second. */
async function opusFile(samples: number, channels = 1): Promise<Buffer> {
  const source = ['-f', 'lavfi', '-i', `sine=440:r=${RATE},atrim=end_sample=${samples}`]
  const args = ['-ac', String(channels), '-c:a', 'libopus', '-page_duration', '200000']
  return readFile(await encode(work, `${samples}-${channels}.opus`, [...source, ...args]))
}

/** Samples interleaved. */
async function decoded(bytes: Buffer | Buffer[], options = {}) {
  const decoder = decode(options)
  const warnings: DecodeWarning[] = []
  decoder.on('warning', (warning: DecodeWarning) => warnings.push(warning))
  const chunks = Array.isArray(bytes) ? bytes : [bytes]
  const pcm = await readAll(Readable.from(chunks, { objectMode: true }).pipe(decoder))
  return { samples: firstChannel(pcm, 1), format: decoder.format, warnings, by: decoder.source?.decodedBy }
}

function pagesOf(file: Buffer): Buffer[] {
  const starts: number[] = []
  for (let at = file.indexOf('OggS'); at !== -1; at = file.indexOf('OggS', at + 1)) starts.push(at)
  return starts.map((at, i) => Buffer.from(file.subarray(at, starts[i + 1])))
}

const rms = (samples: Float64Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)

t.test('exact to the sample, and what ffmpeg makes of it', async t => {
  for (const [samples, channels] of [
    [12_345, 1],
    [48_000, 2],
    [100_001, 6],
  ] as const) {
    const file = await opusFile(samples, channels)
    const ours = await decoded(file)
    const theirs = await decoded(file, { decoder: 'ffmpeg' })
    t.equal(ours.by, 'codec')
    t.equal(ours.samples.length, samples * channels)
    t.equal(theirs.samples.length, samples * channels)
    t.match(ours.format, { sampleRateHertz: RATE, channels })
    const difference = ours.samples.map((sample, i) => sample - theirs.samples[i]!)
    t.ok(rms(difference) < 0.001 * rms(theirs.samples), `${channels} channels: ${rms(difference)}`)
  }
})

t.test('the gain of the header is applied', async t => {
  const file = await opusFile(48_000)
  const quieter = Buffer.from(file)
  quieter.writeInt16LE(-6 * 256, file.indexOf('OpusHead') + 16)
  const ratio = rms((await decoded(quieter)).samples) / rms((await decoded(file)).samples)
  t.ok(Math.abs(20 * Math.log10(ratio) + 6) < 0.01, `${20 * Math.log10(ratio)} dB`)
})

t.test('links of a chain keep their own lengths, whatever their gain', async t => {
  const [first, second] = [await opusFile(12_345), await opusFile(48_000)]
  second.writeInt16LE(-6 * 256, second.indexOf('OpusHead') + 16)
  const { samples } = await decoded(randomSplit(Buffer.concat([first, second]), 5, 4_000))
  t.equal(samples.length, 60_345)
  t.ok(rms(samples.subarray(20_000)) < 0.6 * rms(samples.subarray(1_000, 12_000)))
})

t.test('a link that is no Opus is left out, and that is told', async t => {
  const file = await opusFile(48_000)
  const other = Buffer.from(file)
  other.write('Speex   ', other.indexOf('OpusHead'))
  const { samples, warnings } = await decoded(Buffer.concat([file, other, file]))
  t.equal(samples.length, 96_000)
  t.match(warnings, [
    { code: 'STT_WARN_DAMAGED', message: /is no Opus that can be decoded, and is left out$/ },
  ])
})

t.test('a recording of a running stream ends where its last page says', async t => {
  const [head, tags, ...audio] = pagesOf(await opusFile(96_001))
  const { samples } = await decoded(Buffer.concat([head!, tags!, ...audio.slice(4)]))
  const before = audio[3]!.readBigInt64LE(PAGE.granule)
  // The decoder drops the pre-skip again: it cannot know that it is behind it already.
  t.equal(samples.length, 96_001 - Number(before))
})

t.test('a lost page costs its own audio, and the packets that it shared', async t => {
  const pages = pagesOf(await opusFile(96_000))
  const { samples } = await decoded(Buffer.concat([...pages.slice(0, 5), ...pages.slice(6)]))
  t.ok(samples.length >= 96_000 - 12_000 && samples.length < 96_000, `${samples.length}`)
  t.ok(toneShare(samples.subarray(-24_000), 440, RATE) > 0.97)
})

t.test('pages of another stream are passed over', async t => {
  const file = await opusFile(48_000)
  const pages = pagesOf(file)
  const stranger = Buffer.from(pages[3]!)
  stranger[PAGE.serial]! ^= 1
  const { samples } = await decoded(Buffer.concat([...pages.slice(0, 4), stranger, ...pages.slice(4)]))
  t.same(samples, (await decoded(file)).samples)
})

t.test('tags of any length are passed over', async t => {
  const pages = pagesOf(await opusFile(48_000))
  const serial = pages[0]!.readUInt32LE(PAGE.serial)
  const tags = [...Array(40).keys()].map(i => {
    const page = Buffer.alloc(PAGE.header + 255 + 255 * 255, 1)
    pages[1]!.copy(page, 0, 0, PAGE.header)
    page[PAGE.flags] = i === 0 ? 0 : 1
    page.writeUInt32LE(serial, PAGE.serial)
    page.writeUInt32LE(i + 1, PAGE.sequence)
    page.fill(255, PAGE.segments, PAGE.header + 255)
    if (i === 39) page[PAGE.header + 254] = 254
    return i === 39 ? page.subarray(0, -1) : page
  })
  tags[0]!.write('OpusTags', PAGE.header + 255)
  const audio = pages.slice(2).map((page, i) => {
    page.writeUInt32LE(41 + i, PAGE.sequence)
    return page
  })
  const { samples } = await decoded(splitEvery(Buffer.concat([pages[0]!, ...tags, ...audio]), 50_000))
  t.equal(samples.length, 48_000)
})

t.test('packets come before their page is whole, and the same for every split', async t => {
  const file = await opusFile(48_000)
  const read = (chunks: Buffer[]) => {
    const packets = new OggPackets()
    return chunks
      .flatMap(chunk => packets.read(chunk))
      .map(({ bytes, ...rest }) => [bytes.toString('hex'), rest])
  }
  const whole = read([file])
  t.ok(whole.length > 50)
  for (const size of [1, 7, 300]) t.same(read(splitEvery(file, size)), whole)

  const [head, tags, audio] = pagesOf(file)
  const table = audio!.subarray(PAGE.header, PAGE.header + audio![PAGE.segments]!)
  const lastSegment = table.findIndex(length => length < 255)
  const packetBytes = table.subarray(0, lastSegment + 1).reduce((sum, length) => sum + length, 0)
  const begin = Buffer.concat([head!, tags!, audio!.subarray(0, PAGE.header + table.length + packetBytes)])
  t.equal(read([begin]).length, 3, 'head, tags and one packet of ten')
})

t.test('a head that makes no sense is none', async t => {
  const file = await opusFile(48_000, 6)
  const at = file.indexOf('OpusHead')
  const head = Buffer.from(file.subarray(at, at + 27))
  t.match(readOpusHead(head), { channels: 6, preSkip: 312, gain: 1, streamCount: 4, coupledStreamCount: 2 })
  const changed = (offset: number, value: number) => {
    const other = Buffer.from(head)
    other[offset] = value
    return readOpusHead(other)
  }
  for (const [what, offset, value] of [
    ['another name', 0, 1],
    ['a later major version', 8, 16],
    ['no channels', 9, 0],
    ['more channels than the table', 9, 7],
    ['six channels without a table', 18, 0],
    ['more pairs than streams', 20, 5],
    ['a channel that is not decoded', 21, 6],
  ] as const) {
    t.equal(changed(offset, value), undefined, what)
  }
  t.ok(changed(21, 255), 'a silent channel')
  t.equal(readOpusHead(head.subarray(0, 18)), undefined, 'a short one')

  const broken = Buffer.from(file)
  broken[at + 20] = 200
  await t.rejects(decoded(broken), { code: 'STT_ERR_DECODE', message: /found no audio/ })
})

import t from 'tap'
import { mp4Layout } from '#dist/audio/mp4-layout.js'
import { id3Bytes, sniff, sniffHeader, type Container } from '#dist/audio/sniff.js'
import { mp4Box } from './fixtures/audio.js'

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** A first page of Ogg, of one packet. */
const oggPage = (packet: string, beginsStream = true) =>
  bytes(
    `OggS\0${beginsStream ? '\x02' : '\0'}${'\0'.repeat(20)}\x01${String.fromCharCode(packet.length)}${packet}`,
  )
const opus = oggPage('OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0')
const secondPage = oggPage('OpusTags', false)
/** 128 kbit/s at 44.1 kHz is 417 bytes a frame; 22 050 Hz at 64 kbit/s 208; the ADTS header says 100. */
const mp3 = mpegStream('\xff\xfb\x90\x64', 417)
const mp3Low = mpegStream('\xff\xf3\x80\xc4', 208)
const layer2 = mpegStream('\xff\xfd\x80\x04', 417)
const adts = mpegStream('\xff\xf1\x50\x80\x0c\x9f\xfc', 100)
const freeFormat = mpegStream('\xff\xfb\x00\x64', 500)

function mpegStream(header: string, frameBytes: number): Buffer {
  const frame = Buffer.concat([bytes(header), Buffer.alloc(frameBytes - header.length)])
  return Buffer.concat([frame, frame, frame])
}

/** A beginning, what it is, and after how many bytes that is known. */
const beginnings: [head: Buffer, container: Container, needed: number][] = [
  [bytes('RIFF\x24\0\0\0WAVEfmt '), 'wav', 12],
  [bytes('RIFF\x24\0\0\0AVI LIST'), 'other', 9],
  [bytes('RIFX\0\0\0\x24WAVEfmt '), 'wav', 12],
  [bytes('RF64\xff\xff\xff\xffWAVEds64'), 'rf64', 12],
  [bytes('BW64\xff\xff\xff\xffWAVEds64'), 'bw64', 12],
  [bytes('riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0'), 'w64', 12],
  [bytes('FORM\0\0\0\x24AIFFCOMM'), 'aiff', 12],
  [bytes('FORM\0\0\0\x24AIFCFVER'), 'aiff', 12],
  [bytes('FORM\0\0\0\x248SVX'), 'other', 9],
  [bytes('.snd\0\0\0\x18'), 'au', 4],
  [bytes('caff\0\x01\0\0'), 'caf', 4],
  [bytes('fLaC\0\0\0\x22'), 'flac', 4],
  [bytes('\0\0\0\x20ftypM4A '), 'mp4', 8],
  [bytes('\0\x10\0\0mdat\0\0'), 'mp4', 8],
  [bytes('\0\0\0\x08wide\0\0'), 'mp4', 8],
  [bytes('ID3\x04\0\0'), 'id3', 3],
  [mp3, 'mp3', 423],
  [mp3Low, 'mp3', 214],
  [layer2, 'mp3', 423],
  [freeFormat, 'mp3', 506],
  [adts, 'aac', 106],
  [Buffer.concat([mp3.subarray(0, 417), Buffer.alloc(500)]), 'other', 418],
  [Buffer.concat([opus, secondPage]), 'ogg-opus', opus.length + 27],
  [Buffer.concat([opus, opus]), 'ogg', opus.length + 27],
  [Buffer.concat([oggPage('\x01vorbis'), secondPage]), 'ogg-vorbis', 35 + 27],
  [Buffer.concat([oggPage('\x7fFLAC'), secondPage]), 'ogg-flac', 33 + 27],
  [Buffer.concat([oggPage('Speex   '), secondPage]), 'ogg-speex', 36 + 27],
  [Buffer.concat([oggPage('\x80theora'), secondPage]), 'ogg', 35],
  [bytes('OggS?'), 'ogg', 5],
  [bytes('\x1a\x45\xdf\xa3\x9f'), 'matroska', 4],
  [bytes('#!AMR\n'), 'amr', 5],
  [bytes('\x30\x26\xb2\x75\x8e\x66\xcf\x11'), 'asf', 8],
  [bytes('\0\0\0\x20fake'), 'other', 6],
]

t.test('recognises a container from as few bytes as tell it apart', async t => {
  for (const [head, container, needed] of beginnings) {
    const name = JSON.stringify(head.toString('latin1', 0, 16))
    for (let length = 0; length <= head.length; length++) {
      const found = sniff(head.subarray(0, length))
      const expected = length < needed ? undefined : container
      if (found !== expected) t.equal(found, expected, `${name}, ${length} of ${head.length} bytes`)
    }
    t.equal(sniff(head, true), container, name)
  }
})

t.test('decides about what has ended', async t => {
  t.equal(sniff(Buffer.alloc(0), true), 'other')
  t.equal(sniff(bytes('RIFF'), true), 'other')
  t.equal(sniff(opus, true), 'ogg-opus', 'one page')
  t.equal(sniff(opus.subarray(0, 30), true), 'ogg')
  t.equal(sniff(mp3.subarray(0, 417), true), 'other', 'one frame is no proof')
})

t.test('finds headers at the beginning of raw audio, by what samples do not show by chance', async t => {
  const raw: [head: Buffer, container: Container | undefined][] = [
    [bytes('RIFF\x24\0\0\0WAVEfmt '), 'wav'],
    [bytes('RIFF\x24\0\0'), undefined],
    [bytes('OggS\0\x02\0\0\0\0\0\0'), 'ogg'],
    [bytes('ID3\x04\0\0\0\0\x02\x01'), 'id3'],
    [bytes('ID3\x04\0\0\xff\0\x02\x01'), 'other'],
    [bytes('ID3\x04\0\0'), undefined],
    [mp3, 'other'],
    [bytes('\0\x10\0\0free\0\0\0\0'), 'other'],
    [bytes('\0\0\0\x20ftypM4A '), 'mp4'],
    [Buffer.alloc(12), 'other'],
  ]
  for (const [head, container] of raw)
    t.equal(sniffHeader(head), container, JSON.stringify(head.toString('latin1', 0, 16)))
})

t.test('measures ID3 tags', async t => {
  t.equal(id3Bytes(bytes('ID3\x04\0\0\0\0\x02\x01')), 10 + 257)
  t.equal(id3Bytes(bytes('ID3\x04\0\x10\0\0\x02\x01')), 20 + 257, 'with a footer')
  t.equal(id3Bytes(bytes('ID3\x04\0\0\x7f\x7f\x7f\x7f')), 10 + 2 ** 28 - 1)
  t.equal(id3Bytes(bytes('ID3\x04\0\0\x80\0\x02\x01')), undefined, 'no synchsafe size')
  t.equal(id3Bytes(bytes('ID3\x04\0\0\0\0\x02')), undefined)
  const two = bytes('ID3\x04\0\0\0\0\0\x01_ID3\x03\0\0\0\0\0\x05')
  t.equal(id3Bytes(two), 11 + 15, 'one behind the other')
})

t.test('knows nothing of no bytes', async t => t.equal(sniff(Buffer.alloc(0)), undefined))

t.test('tells a streamable mp4 from one with its index at the end', async t => {
  const ftyp = mp4Box('ftyp', bytes('M4A \0\0\x02\0'))
  const free = mp4Box('free', Buffer.alloc(300))
  const large = Buffer.concat([bytes('\0\0\0\x01uuid\0\0\0\0\0\0\0\x20'), Buffer.alloc(16)])
  const layouts: [name: string, before: Buffer[], type: string, layout: string][] = [
    ['index first', [ftyp], 'moov', 'streamable'],
    ['index first behind free space', [ftyp, free], 'moov', 'streamable'],
    ['fragments', [ftyp], 'moof', 'streamable'],
    ['samples first', [ftyp], 'mdat', 'seek-only'],
    ['samples first behind a 64-bit box', [ftyp, large, free], 'mdat', 'seek-only'],
    ['QuickTime without ftyp', [mp4Box('wide', Buffer.alloc(0))], 'mdat', 'seek-only'],
  ]
  for (const [name, before, type, layout] of layouts) {
    const file = Buffer.concat([...before, mp4Box(type, Buffer.alloc(64))])
    const decidedAt = Buffer.concat(before).length + 8
    for (let length = 0; length <= file.length; length++) {
      const expected = length < decidedAt ? undefined : layout
      t.equal(mp4Layout(file.subarray(0, length)), expected, `${name}, ${length} bytes`)
    }
  }
})

t.test('leaves an impossible box size to ffmpeg', async t => {
  t.equal(mp4Layout(bytes('\0\0\0\x05ftypM4A ')), 'streamable')
  t.equal(mp4Layout(bytes('\0\0\0\0freeM4A ')), 'streamable')
})

t.test('calls what has a hundred other boxes first a file to be sought', async t => {
  const free = bytes('\0\0\0\x08free')
  const many = Buffer.concat([bytes('\0\0\0\x08ftyp'), ...Array<Buffer>(99).fill(free)])
  t.equal(mp4Layout(many), undefined)
  t.equal(mp4Layout(Buffer.concat([many, bytes('\0\0\0\x08moov')])), 'seek-only')
})

t.test('waits where a size spells the name of a box', async t => {
  t.equal(sniff(bytes('FORMwideAI')), undefined)
  t.equal(sniff(bytes('FORMwideAIFF')), 'aiff')
  t.equal(sniff(bytes('FORMwide8SVX')), 'mp4')
})

import t from 'tap'
import { mp4Layout } from '#dist/audio/mp4-layout.js'
import { sniff, type Container } from '#dist/audio/sniff.js'
import { mp4Box } from './fixtures/audio.js'

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** A beginning, what it is, and after how many bytes that is known. */
const beginnings: [head: Buffer, container: Container, needed: number][] = [
  [bytes('RIFF\x24\0\0\0WAVEfmt '), 'wav', 12],
  [bytes('RIFF\x24\0\0\0AVI LIST'), 'other', 9],
  [bytes('RIFX\0\0\0\x24WAVEfmt '), 'wav', 12],
  [bytes('RF64\xff\xff\xff\xffWAVEds64'), 'rf64', 12],
  [bytes('BW64\xff\xff\xff\xffWAVEds64'), 'rf64', 12],
  [bytes('.snd\0\0\0\x18'), 'au', 4],
  [bytes('\0\0\0\x20ftypM4A '), 'mp4', 8],
  [bytes('\0\x10\0\0mdat\0\0'), 'mp4', 8],
  [bytes('\0\0\0\x08wide\0\0'), 'mp4', 8],
  [bytes('ID3\x04\0\0'), 'mpeg', 3],
  [bytes('\xff\xfb\x90\x64'), 'mpeg', 2],
  [bytes('\xff\xf1\x50\x80'), 'mpeg', 2],
  [bytes('OggS\0\x02'), 'other', 5],
  [bytes('fLaC\0\0\0\x22'), 'other', 5],
  [bytes('\x1a\x45\xdf\xa3\x9f'), 'other', 5],
  [bytes('#!AMR\n'), 'other', 5],
  [bytes('\0\0\0\x20fake'), 'other', 6],
]

t.test('recognises a container from as few bytes as tell it apart', async t => {
  for (const [head, container, needed] of beginnings) {
    const name = JSON.stringify(head.toString('latin1'))
    for (let length = 0; length <= head.length; length++) {
      t.equal(
        sniff(head.subarray(0, length)),
        length < needed ? undefined : container,
        `${name}, ${length} bytes`,
      )
    }
  }
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

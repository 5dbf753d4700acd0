import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { isEncryptedMp4, Mp4EncryptionScan } from '#dist/audio/mp4-encryption.js'
import { mp4Box, splitEvery } from './fixtures/audio.js'

/** The beginning of a sample entry: type, six reserved bytes, data reference 1. */
const entry = (type: string) => mp4Box(type, Buffer.from('0000000000000001', 'hex'))
const index = (type: string) =>
  mp4Box('moov', Buffer.concat([Buffer.alloc(100), entry(type), Buffer.alloc(50)]))
const ftyp = mp4Box('ftyp', Buffer.from('isom'))
const mdat = mp4Box('mdat', Buffer.concat([Buffer.alloc(200_000), entry('enca')]))

/** With its size in 64 bits. */
function largeBox(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32BE(1)
  header.write(type, 4, 'latin1')
  header.writeBigUInt64BE(BigInt(16 + payload.length), 8)
  return Buffer.concat([header, payload])
}

const CASES: [name: string, file: Buffer[], isEncrypted: boolean][] = [
  ['index first', [ftyp, index('enca'), mdat], true],
  ['index last', [ftyp, mdat, index('enca')], true],
  [
    'index behind a box with a large size',
    [ftyp, largeBox('mdat', Buffer.alloc(70_000)), index('enca')],
    true,
  ],
  ['not encrypted; the samples happen to look like it', [ftyp, index('mp4a'), mdat], false],
  ['a second index', [ftyp, index('mp4a'), index('enca')], false],
  [
    'boxes without end',
    [...Array.from({ length: 1_000 }, () => mp4Box('free', Buffer.alloc(0))), index('enca')],
    false,
  ],
  ['a box of no size', [ftyp, Buffer.alloc(8), index('enca')], false],
  ['cut off', [ftyp, mdat, index('enca').subarray(0, 110)], false],
  ['an Ogg page', [Buffer.from('OggS'), index('enca')], false],
  ['nothing', [], false],
]

async function read(path: string, signal = new AbortController().signal): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    return await isEncryptedMp4(file, signal)
  } finally {
    await file.close()
  }
}

t.test('finds encrypted audio in the index, and nowhere else', async t => {
  for (const [name, boxes, isEncrypted] of CASES) {
    const file = Buffer.concat(boxes)
    for (const chunkBytes of [1, 7, 64 * 1024, 1_000_000]) {
      const scan = new Mp4EncryptionScan()
      for (const chunk of splitEvery(file, chunkBytes)) scan.push(chunk)
      t.equal(scan.isEncrypted, isEncrypted, `${name}, in chunks of ${chunkBytes}`)
    }
    const path = join(t.testdir(), 'file')
    await writeFile(path, file)
    t.equal(await read(path), isEncrypted, `${name}, as a file`)
  }
})

t.test('reads no further when it is told to stop', async t => {
  const path = join(t.testdir(), 'file')
  await writeFile(path, Buffer.concat([ftyp, index('enca')]))
  t.equal(await read(path, AbortSignal.abort()), false)
})

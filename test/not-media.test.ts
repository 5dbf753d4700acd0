import t from 'tap'
import { notMedia } from '#dist/audio/not-media.js'

const known: [text: string, what: string][] = [
  ['<!DOCTYPE html><html>', 'a web page or other markup'],
  ['\r\n\t <html lang="en">', 'a web page or other markup'],
  ['<?xml version="1.0"?>', 'a web page or other markup'],
  ['\xef\xbb\xbf<HTML><body>', 'a web page or other markup'],
  [`${' '.repeat(60)}<svg xmlns=`, 'a web page or other markup'],
  ['{"error":{"code":403}}', 'JSON'],
  ['{\n  "id": 1}', 'JSON'],
  ['[{"id":1},{"id":2}]', 'JSON'],
  ['#EXTM3U\n#EXTINF:1,\na.ts', 'a playlist'],
  ['PK\x03\x04\x14\0\0\0\x08\0', 'a ZIP archive'],
  ['\x1f\x8b\x08\0\0\0\0\0', 'gzip data'],
  ['%PDF-1.7\n%', 'a PDF document'],
]

const unknown = [
  'NIST_1A\n   1024\n',
  '#!AMR\n\x3c\x91\x17',
  '#EXT-X-VERSION:3',
  '<\0\0\0\0\0\0\0\0\0',
  '< 3 of them >',
  '{\0\x01\x02\x03\x04\x05\x06',
  '[Script Info]\n',
  'PK\x05\x06\0\0\0\0\0\0',
  '\x1f\x8b\x07\0\0\0\0\0',
  '\xd2\x36\xec\x2d\xa2\x50\x4f\x7c',
  `${' '.repeat(80)}<html>`,
]

const bytes = (text: string) => Buffer.from(text, 'latin1')

t.test('recognises what is no media, and sticks to it with every further byte', async t => {
  for (const [text, what] of [...known, ...unknown.map(text => [text, ''] as const)]) {
    const file = bytes(text.padEnd(80))
    let decided: string | undefined
    for (let length = 0; length <= file.length; length++) {
      const found = notMedia(file.subarray(0, length), false)
      if (decided !== undefined && found !== decided) t.fail(`${text}: ${decided}, then ${found}`)
      decided = found
    }
    t.equal(decided, what, JSON.stringify(text))
  }
})

t.test('decides at the end of a short file', async t => {
  for (const text of ['', 'x', '\n\n', '\xef\xbb']) {
    t.equal(notMedia(bytes(text), false), undefined)
    t.equal(notMedia(bytes(text), true), '')
  }
  t.equal(notMedia(bytes('{}'), true), 'JSON')
  t.equal(notMedia(bytes('[1]'), true), '')
  t.equal(notMedia(bytes('<p>'), true), 'a web page or other markup')
})

import { openSync, readSync, closeSync } from 'node:fs'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { mp4Box, randomBytes, riffChunk, wavFile } from '../fixtures/audio.js'
import { aiffChunk, cafChunk } from '../fixtures/pcm-files.js'

const JSON_TEXT = Buffer.from(JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: 'voice' }))))
const HTML = Buffer.from(
  `<!DOCTYPE html>\n<html><head><title>404</title></head>${'<p>Not Found</p>\n'.repeat(300)}</html>`,
)

/** What people hand over in place of audio. None of these may become any. */
export function noAudio(): Record<string, Buffer> {
  return {
    'a zip archive': zipArchive('readme.txt', HTML),
    'a gzip file': gzipSync(HTML),
    'a web page': HTML,
    'a web page with a byte order mark': Buffer.concat([Buffer.from('efbbbf', 'hex'), HTML]),
    JSON: JSON_TEXT,
    'an error in JSON': Buffer.from('{"error":{"code":403,"message":"expired"}}'),
    'UTF-16 text': Buffer.from(HTML.toString(), 'utf16le'),
    'a line of text': Buffer.from('hello\n'),
    'a PDF file': Buffer.concat([
      Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'),
      deflateRawSync(HTML),
    ]),
    'a program': beginOf(process.execPath, 100_000),
    zeros: Buffer.alloc(50_000),
    'one byte': Buffer.from([0]),
    'one byte of every beginning': Buffer.from([0xff]),
    'RIFF alone': Buffer.from('RIFF'),
    'a RIFF file of another kind': Buffer.concat([
      Buffer.from('RIFF\x20\0\0\0WEBP'),
      riffChunk('VP8L', Buffer.alloc(100)),
    ]),
    'a magic word alone': Buffer.from('OggS'),
    'a playlist': Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/hosts\n'),
    noise: randomBytes(50_000, 3),
  }
}

/** Ends of headers that are megabytes away, or never come. Each is made when it is asked for: together they are large. */
export function longHeaders(): Record<string, () => Buffer> {
  const filling = () => Buffer.alloc(5_000_000, 0x41)
  const latin1 = (text: string) => Buffer.from(text, 'latin1')
  const ftyp = mp4Box('ftyp', latin1('M4A \0\0\0\0'))
  const wav = (...before: Buffer[]) =>
    wavFile({ tag: 1, channels: 1, sampleRateHertz: 16_000, bits: 16, before, data: Buffer.alloc(3_200) })
  return {
    'a WAV with cover art of 5 MB': () => wav(riffChunk('LIST', filling())),
    'a WAV whose LIST claims 4 GB': () => wav(riffChunk('LIST', filling(), 0xfffffff0)),
    'a WAV of 100 000 empty chunks': () => wav(Buffer.alloc(800_000)),
    'an AIFF whose first chunk claims 4 GB': () =>
      aiffChunk('FORM', Buffer.concat([latin1('AIFF'), aiffChunk('ANNO', filling(), 0xffffffff)])),
    'a CAF whose first chunk claims 4 EB': () =>
      Buffer.concat([latin1('caff\0\x01\0\0'), cafChunk('free', filling(), 2 ** 62)]),
    'an ID3 tag of 256 MB': () => Buffer.concat([latin1('ID3\x03\0\0\x7f\x7f\x7f\x7f'), filling()]),
    'FLAC metadata of 16 MB': () => Buffer.concat([latin1('fLaC\x06\xff\xff\xff'), filling()]),
    'a Matroska file of an exabyte of nothing': () =>
      Buffer.concat([Buffer.from('1a45dfa38682827765626dec01ffffffffffff', 'hex'), filling()]),
    'an mp4 of 10 GB': () =>
      Buffer.concat([ftyp, Buffer.from('000000016d64617400000002540be400', 'hex'), filling()]),
    'an mp4 of 600 000 boxes': () =>
      Buffer.concat([ftyp, repeated(mp4Box('free', Buffer.alloc(0)), 600_000)]),
    'an mp4 with 5 MB of nothing': () => Buffer.concat([ftyp, mp4Box('free', filling())]),
    'sync words': () => Buffer.alloc(5_000_000, 0xff),
  }
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.alloc(bytes.length * times, bytes)
}

/** An archive of one file, without a directory at its end. */
function zipArchive(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content)
  const header = Buffer.alloc(30)
  header.write('PK\x03\x04', 0, 'latin1')
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(8, 8)
  header.writeUInt32LE(packed.length, 18)
  header.writeUInt32LE(content.length, 22)
  header.writeUInt16LE(name.length, 26)
  return Buffer.concat([header, Buffer.from(name), packed])
}

function beginOf(path: string, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  const file = openSync(path, 'r')
  const length = readSync(file, buffer)
  closeSync(file)
  return buffer.subarray(0, length)
}

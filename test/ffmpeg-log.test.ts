import t from 'tap'
import { FfmpegLog } from '#dist/audio/ffmpeg-log.js'
import { splitEvery } from './fixtures/audio.js'

const read = (text: string, chunkBytes = 1_000) => {
  const log = new FfmpegLog()
  for (const chunk of splitEvery(Buffer.from(text), chunkBytes)) log.append(chunk)
  log.end()
  return log.said
}

/** What ffmpeg 7.0 says of a film with two languages, the second encrypted. */
const FILM = `[info] Input #0, matroska,webm, from 'pipe:0':
[info]   Metadata:
[info]     title           : Stream #0:0: Audio: opus
[info]     enc_key_id      : of nothing
[info]   Duration: 00:00:02.00, start: 0.000000, bitrate: N/A
[info]   Stream #0:0: Video: mpeg4 (Simple Profile), yuv420p, 64x64, 25 fps
[info]   Stream #0:1(eng): Audio: aac (LC), 44100 Hz, mono, fltp (default)
[info]   Stream #0:2[0x1](und): Audio: mp3 (mp3float), 44100 Hz, mono, fltp
[info]       Metadata:
[info]         enc_key_id      : MDEyMzQ1Njc4OWFiY2RlZg==
[info] Stream mapping:
[info]   Stream #0:1 -> #0:0 (aac (native) -> pcm_f32le (native))
[info] Output #0, wav, to 'pipe:1':
[info]   Stream #0:0: Audio: pcm_f32le ([3][0][0][0] / 0x0003), 44100 Hz, mono, flt, 1411 kb/s
`

t.test('reads container and tracks, in chunks of any size', async t => {
  for (const chunkBytes of [1, 7, 10_000]) {
    t.match(read(FILM, chunkBytes), {
      container: 'matroska,webm',
      tracks: [
        { kind: 'video', codec: 'mpeg4', isEncrypted: false },
        { kind: 'audio', codec: 'aac', isEncrypted: false },
        { kind: 'audio', codec: 'mp3', isEncrypted: true },
      ],
      decodes: { codec: 'aac' },
      complaints: '',
    })
    t.equal(read(FILM, chunkBytes).tracks.length, 3, "neither the tags' nor the output's")
  }
  const old =
    "[info] Input #0, ogg, from 'pipe:0':\n[info]     Stream #0:0: Audio: opus, 48000 Hz, mono, fltp\n"
  t.match(read(old), { tracks: [{ kind: 'audio', codec: 'opus' }] }, 'as 4.1 writes it')
})

t.test('knows the marks of encryption', async t => {
  for (const tag of ['enca / 0x61636E65', 'drms / 0x736D7264', 'aavd / 0x64766161']) {
    const line = `[info]   Stream #0:0[0x1](und): Audio: aac (LC) (${tag}), 44100 Hz\n`
    t.match(read(`[info] Input #0, mov, from 'x':\n${line}`).tracks, [{ isEncrypted: true }], tag)
  }
  const warning =
    '[asf @ 0x55acfa8af9c0] [warning] DRM protected stream detected, decoding will likely fail!\n'
  t.ok(read(warning).signs.has('encrypted'))
  t.notOk(read(`[info]     title           : ${warning}`).signs.has('encrypted'), 'in a tag')
})

t.test('keeps errors alone, without addresses, with their further lines', async t => {
  const { complaints, hasRecognised } =
    read(`[mp3 @ 0x558891df8900] [warning] invalid concatenated file detected
[info] Input #0, mp3, from 'pipe:0':
[aist#0:0/aac @ 000001d2c4f0a1b0] [dec:aac @ 0xa358a40] [error] Reserved bit set.
    Last message repeated 2 times
[info] Stream mapping:
  and more of it
[fatal] Stream map '0:a:1' matches no streams.
To ignore this, add a trailing '?' to the map.
`)
  t.equal(
    complaints,
    `[aist#0:0/aac] [dec:aac] Reserved bit set.
    Last message repeated 2 times
Stream map '0:a:1' matches no streams.
To ignore this, add a trailing '?' to the map.`,
  )
  t.ok(hasRecognised)
  t.notOk(read('[in#0 @ 0x1cb80c40] [error] Error opening input: Invalid data found').hasRecognised)
  t.equal(
    read('ffmpeg: error while loading shared libraries').complaints,
    'ffmpeg: error while loading shared libraries',
  )
})

t.test('keeps the end of it in bounded memory, whatever its lines are', async t => {
  t.equal(read('').complaints, '')
  const flood = Array.from({ length: 1_000 }, (_, i) => `[error] mishap ${i}\n`).join('')
  t.strictSame(
    read(flood).complaints.split('\n'),
    Array.from({ length: 20 }, (_, i) => `mishap ${980 + i}`),
  )
  const log = new FfmpegLog()
  for (let i = 0; i < 1_000; i++) log.append(Buffer.from('é'.repeat(5_000)))
  log.append(Buffer.from('\r\n\r\nthe last word'))
  t.equal(log.said.complaints, 'é'.repeat(300), 'a line without end is cut')
  log.end()
  t.equal(log.said.complaints, `${'é'.repeat(300)}\nthe last word`)
  const tracks = '[info]   Stream #0:0: Data: none\n'.repeat(1_000)
  t.equal(read(`[info] Input #0, mpegts, from 'x':\n${tracks}`).tracks.length, 64)
})

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { captions } from '#dist/captions/captions.js'
import { columns } from '#dist/captions/caption-lines.js'
import { cuesOf } from '#dist/captions/cues.js'
import { formatSrt } from '#dist/captions/srt.js'
import { formatVtt } from '#dist/captions/vtt.js'
import type { TranscriptionEvent, WordTimestamp } from '#dist/stt/events.js'

let turnId = 0

function final(transcript: string, more: Partial<TranscriptionEvent> = {}): TranscriptionEvent {
  turnId++
  return {
    type: 'transcription',
    transcript,
    isFinal: true,
    turnId,
    seq: turnId,
    wordTimestamps: [],
    ...more,
  }
}

/** Every word lasts 250 ms and follows 50 ms after the one before. */
function spoken(transcript: string, startMs: number): TranscriptionEvent {
  const words = transcript.split(' ').map((word, i): WordTimestamp => {
    const from = startMs + i * 300
    return {
      word: word.replace(/[^\p{L}\p{N}'-]/gu, '').toLowerCase(),
      startMs: from,
      endMs: from + 250,
      confidence: 1,
    }
  })
  return final(transcript, { startMs, endMs: words.at(-1)?.endMs, wordTimestamps: words })
}

const DASHWOOD =
  'And Mister John Dashwood had then leisure to consider how much there might be prudently in his power to do ' +
  'for them. He was not an ill-disposed young man, unless to be rather cold hearted is to be ill-disposed.'

t.test('a long final becomes cues of two lines, cut where sentences end, at word times', async t => {
  t.equal(
    formatSrt(cuesOf([spoken(DASHWOOD, 1_000)])),
    `1
00:00:01,000 --> 00:00:05,150
And Mister John Dashwood had then leisure
to consider how much there might be

2
00:00:05,200 --> 00:00:09,650
prudently in his power to do for them.
He was not an ill-disposed young man,

3
00:00:09,700 --> 00:00:12,650
unless to be rather cold
hearted is to be ill-disposed.

`,
  )
})

t.test('no cue breaks a rule, whatever the text', async t => {
  let seed = 42
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below
  for (let round = 0; round < 50; round++) {
    const finals: TranscriptionEvent[] = []
    let atMs = random(5_000)
    for (let turn = 0; turn < 5; turn++) {
      const words: WordTimestamp[] = []
      for (let i = 0; i <= random(60); i++) {
        const endMs = atMs + 20 + random(600)
        words.push({
          word: 'abcdefghijkl'.repeat(5).slice(0, 1 + random(round % 7 === 0 ? 60 : 12)),
          startMs: atMs,
          endMs,
        })
        atMs = endMs + (random(10) === 0 ? random(3_000) : random(60))
      }
      const marks = ['', '', '', ',', '.', '?']
      const transcript = words.map(({ word }) => word + marks[random(marks.length)]).join(' ')
      finals.push(final(transcript, { wordTimestamps: words }))
    }
    const cues = cuesOf(finals)
    const shown = cues
      .flatMap(cue => cue.lines)
      .join('')
      .replaceAll(' ', '')
    t.equal(
      shown,
      finals
        .map(one => one.transcript)
        .join('')
        .replaceAll(' ', ''),
      'nothing is lost or doubled',
    )
    let previousEndMs = 0
    for (const cue of cues) {
      if (cue.lines.length > 2) t.fail('more than two lines')
      if (cue.lines.some(line => columns(line) > 42)) t.fail('a line is too long')
      if (cue.endMs - cue.startMs > 7_000) t.fail(`a cue lasts ${cue.endMs - cue.startMs} ms`)
      if (cue.startMs < previousEndMs || cue.endMs <= cue.startMs) t.fail('cues overlap or are empty')
      previousEndMs = cue.endMs
    }
  }
})

t.test('a short cue stays until it is read, but not into the next one', async t => {
  const alone = cuesOf([spoken('Yes.', 500)])
  t.match(alone, [{ startMs: 500, endMs: 1_500 }])
  const followed = cuesOf([spoken('Yes.', 500), spoken('No.', 1_100)])
  t.match(followed, [
    { startMs: 500, endMs: 1_100 },
    { startMs: 1_100, endMs: 2_100 },
  ])
})

t.test('fast speech stays for its reading speed', async t => {
  const cue = final('forty characters are read in two seconds', { startMs: 0, endMs: 1_200 })
  t.match(cuesOf([cue]), [{ startMs: 0, endMs: 2_000 }])
  t.match(cuesOf([cue], { maxCharsPerSecond: 10 }), [{ startMs: 0, endMs: 4_000 }])
})

t.test('overlapping finals follow each other', async t => {
  const cues = cuesOf([
    final('said first', { startMs: 0, endMs: 2_000 }),
    final('said over it', { startMs: 1_500, endMs: 3_000, overlapMs: 500 }),
    final('wholly inside', { startMs: 1_600, endMs: 1_700 }),
  ])
  t.strictSame(
    cues.map(({ startMs, endMs }) => [startMs, endMs]),
    [
      [0, 2_000],
      [2_000, 3_000],
      [3_000, 4_000],
    ],
  )
})

t.test('a pause within a turn starts a new cue', async t => {
  const words = [
    { word: 'wait', startMs: 0, endMs: 400 },
    { word: 'now', startMs: 3_000, endMs: 3_400 },
  ]
  t.match(cuesOf([final('wait now', { wordTimestamps: words })]), [
    { startMs: 0, endMs: 1_000, lines: ['wait'] },
    { startMs: 3_000, endMs: 4_000, lines: ['now'] },
  ])
})

t.test('a channel stands for its speaker where nobody labelled one', t => {
  const cue = (speaker?: string) => {
    const word = { word: 'yes', startMs: 0, endMs: 400, ...(speaker !== undefined && { speaker }) }
    return cuesOf([final('yes', { wordTimestamps: [word], channel: 1 })])
  }
  t.match(formatVtt(cue()), '<v Channel 1>yes')
  t.match(formatVtt(cue('Ann')), '<v Ann>yes')
  t.end()
})

t.test('a change of speaker starts a new cue, and a voice in WebVTT', async t => {
  const words = [
    { word: 'ready', startMs: 0, endMs: 400, speaker: 'Tom & <Ann>' },
    { word: 'yes', startMs: 500, endMs: 900, speaker: 'B' },
  ]
  t.equal(
    formatVtt(cuesOf([final('Ready? Yes!', { wordTimestamps: words })])),
    `WEBVTT

00:00:00.000 --> 00:00:00.500
<v Tom &amp; &lt;Ann&gt;>Ready?

00:00:00.500 --> 00:00:01.500
<v B>Yes!

`,
  )
})

t.test('without word times the segment is shared out by length', async t => {
  const cues = cuesOf([final(DASHWOOD, { startMs: 10_000, endMs: 24_000 })])
  t.equal(cues[0]?.startMs, 10_000)
  t.equal(cues.at(-1)?.endMs, 24_000)
  t.ok(cues.length >= 3)
})

t.test('without any time a final follows the one before at 15 characters per second', async t => {
  const cues = cuesOf([
    final('has its times', { startMs: 0, endMs: 4_000 }),
    final('thirty characters has this one'),
  ])
  t.match(cues, [
    { startMs: 0, endMs: 4_000 },
    { startMs: 4_000, endMs: 6_000 },
  ])
})

t.test('words spelt otherwise than in the transcript keep their times by position', async t => {
  const words = [
    { word: 'ten', startMs: 100, endMs: 300 },
    { word: 'meters', startMs: 5_000, endMs: 5_400 },
  ]
  t.match(cuesOf([final('10 m.', { wordTimestamps: words })]), [
    { startMs: 100, lines: ['10'] },
    { startMs: 5_000, lines: ['m.'] },
  ])
})

t.test('opening marks go with the word that they open', async t => {
  const words = ['call', 'it', 'a', 'day'].map((word, i) => ({
    word,
    startMs: i * 2_000,
    endMs: i * 2_000 + 200,
  }))
  const lines = cuesOf([final('Call it “a (day)”.', { wordTimestamps: words })]).map(cue => cue.lines)
  t.strictSame(lines, [['Call'], ['it'], ['“a'], ['(day)”.']])
})

t.test('text without spaces is cut between its words and counts two columns a character', async t => {
  const transcript = '今日は天気がいいので公園まで散歩に行きました。明日は雨が降るそうです。'
  const words = Array.from(transcript.replace(/。/g, ''), (word, i) => ({
    word,
    startMs: i * 150,
    endMs: i * 150 + 150,
  }))
  const cues = cuesOf([final(transcript, { wordTimestamps: words })])
  t.equal(cues.flatMap(cue => cue.lines).join(''), transcript)
  t.ok(cues.every(cue => cue.lines.every(line => columns(line) <= 42)))
  const untimed = cuesOf([final(transcript, { startMs: 0, endMs: 5_000 })])
  t.equal(untimed.flatMap(cue => cue.lines).join(''), transcript)
})

t.test('a word longer than a line is cut without tearing a character', async t => {
  const flags = '🇫🇷'.repeat(30)
  const cues = cuesOf([final(`${'x'.repeat(50)} ${flags}`, { startMs: 0, endMs: 6_000 })])
  const shown = cues.flatMap(cue => cue.lines)
  t.equal(shown.join(''), 'x'.repeat(50) + flags)
  t.ok(shown.every(line => line.length > 0 && !line.startsWith('\udde8') && !line.startsWith('🇷')))
})

t.test('hours roll over', async t => {
  t.equal(
    formatSrt([{ startMs: 3_599_999.6, endMs: 360_000_001, lines: ['late'] }]),
    '1\n01:00:00,000 --> 100:00:00,001\nlate\n\n',
  )
})

t.test('text cannot break out of its block', async t => {
  const cue = { startMs: 0, endMs: 1_000, lines: ['a <b> & --> c'] }
  t.equal(formatVtt([cue]), 'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt;b&gt; &amp; --&gt; c\n\n')
  t.equal(formatSrt([cue]), '1\n00:00:00,000 --> 00:00:01,000\na <b> & -> c\n\n')
})

t.test('interims, empty finals and other events write nothing', async t => {
  t.strictSame(cuesOf([{ ...spoken('half a sen', 0), isFinal: false }, final('  ')]), [])
})

t.test('the stream writes what the functions write', async t => {
  const finals = [
    spoken(DASHWOOD, 0),
    spoken('Yes.', 20_000),
    spoken('No.', 20_500),
    spoken('Well then.', 30_000),
  ]
  const stream = captions({ format: 'srt' })
  for (const event of finals) {
    stream.write({ ...event, isFinal: false })
    stream.write(event)
  }
  stream.end({ type: 'usage', transcribedAudioMs: 31_000 })
  t.equal(await text(stream), formatSrt(cuesOf(finals)))
})

t.test('the stream writes a cue as soon as nothing can change it', async t => {
  const stream = captions({ format: 'vtt' })
  t.equal(stream.read(), 'WEBVTT\n\n')
  stream.write(final('long enough', { startMs: 0, endMs: 1_200 }))
  t.equal(stream.read(), '00:00:00.000 --> 00:00:01.200\nlong enough\n\n')
  stream.write(final('Yes.', { startMs: 5_000, endMs: 5_200 }))
  t.equal(stream.read(), null, 'a short one waits for the next sign of speech')
  stream.write({ type: 'speechStarted', startMs: 5_700 })
  t.equal(stream.read(), '00:00:05.000 --> 00:00:05.700\nYes.\n\n')
  stream.write(final('No.', { startMs: 5_700, endMs: 5_900 }))
  stream.end()
  t.equal(await text(stream), '00:00:05.700 --> 00:00:06.700\nNo.\n\n')
})

t.test('an empty stream is a valid file', async t => {
  t.equal(await text(captions({ format: 'vtt' }).end()), 'WEBVTT\n\n')
  t.equal(await text(captions({ format: 'srt' }).end()), '')
})

t.test('a slow reader holds the writer', async t => {
  const stream = captions({ format: 'srt' })
  let written = 0
  while (stream.write(final('x'.repeat(40), { startMs: written * 3_000, endMs: written * 3_000 + 2_500 })))
    written++
  t.ok(written < 1_000)
  stream.resume()
  await once(stream, 'drain')
  stream.destroy()
})

t.test('misuse throws and names the option', async t => {
  const withOption = (option: object) => () => captions({ format: 'srt', ...option })
  t.throws(withOption({ format: 'ass' }), new TypeError("format must be 'srt' or 'vtt'; got ass"))
  t.throws(withOption({ maxLines: '2' }), { name: 'TypeError', message: /^maxLines must be .* got string$/ })
  t.throws(withOption({ maxLines: 9 }), {
    name: 'RangeError',
    message: /^maxLines must be a number from 1 to 4; got 9$/,
  })
  t.throws(withOption({ maxCueMs: NaN }), RangeError)
  t.throws(withOption({ maxLine: 2 }), { name: 'TypeError', message: /^maxLine is no rule/ })
})

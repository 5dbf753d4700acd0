import t from 'tap'
import { scriptedRecognizer, type RecognizerSession } from '#dist/testing.js'

const audio = (durationMs: number) => new Int16Array(durationMs * 16)
const LAMP = { startMs: 500, endMs: 1300, text: 'Turn the lamp on.' }

async function open(...script: Parameters<typeof scriptedRecognizer>): Promise<RecognizerSession> {
  return scriptedRecognizer(...script).open({})
}

t.test('voice activity is 1 inside the utterances and 0 outside, however the audio is cut', async t => {
  const probabilities = (cut: number) => {
    const voiceActivity = session.voiceActivity?.()
    const whole = audio(2000)
    const all: number[] = []
    for (let at = 0; at < whole.length; at += cut) {
      all.push(...(voiceActivity?.process(whole.subarray(at, at + cut)) ?? []))
    }
    return all
  }
  const session = await open([LAMP])
  const expected = Array.from({ length: 200 }, (_, hop) => (hop >= 50 && hop < 130 ? 1 : 0))
  for (const cut of [1, 160, 161, 1600, 32_000]) t.strictSame(probabilities(cut), expected)
})

t.test('interims grow by a word each time one has passed, whatever the audio says', async t => {
  const session = await open([LAMP])
  session.start(200)
  t.equal(await session.push(audio(300)), '')
  t.equal(await session.push(audio(199)), '')
  t.equal(await session.push(audio(1)), 'Turn')
  t.equal(await session.push(audio(200)), 'Turn the')
  t.equal(await session.push(audio(400)), 'Turn the lamp on.')
})

t.test('word times count from the first sample of the utterance', async t => {
  const session = await open([{ ...LAMP, confidence: 0.5 }])
  session.start(200)
  await session.push(audio(2000))
  t.strictSame(await session.finish(), {
    text: 'Turn the lamp on.',
    words: [
      { word: 'Turn', startMs: 300, endMs: 500, confidence: 0.5 },
      { word: 'the', startMs: 500, endMs: 700, confidence: 0.5 },
      { word: 'lamp', startMs: 700, endMs: 900, confidence: 0.5 },
      { word: 'on.', startMs: 900, endMs: 1100, confidence: 0.5 },
    ],
  })
})

t.test('a word belongs to the turn in which it ends', async t => {
  const session = await open([LAMP])
  session.start(0)
  await session.push(audio(1000))
  t.match(await session.finish(), { text: 'Turn the', words: { length: 2 } })
  session.start()
  await session.push(audio(1000))
  t.match(await session.finish(), {
    text: 'lamp on.',
    words: [
      { word: 'lamp', startMs: -100, endMs: 100 },
      { word: 'on.', startMs: 100, endMs: 300 },
    ],
  })
})

t.test('words, interims and final may be given', async t => {
  const session = await open([
    {
      startMs: 0,
      endMs: 1000,
      text: 'in world',
      words: [
        { word: 'in', startMs: 0, endMs: 100, confidence: 0.2 },
        { word: 'world', startMs: 600, endMs: 900 },
      ],
      interims: ['inn', 'inworld'],
      final: 'Inworld',
    },
  ])
  session.start(0)
  t.equal(await session.push(audio(499)), '')
  t.equal(await session.push(audio(1)), 'inn')
  t.equal(await session.push(audio(500)), 'inworld')
  t.equal(await session.push(audio(500)), 'inworld')
  t.strictSame(await session.finish(), {
    text: 'Inworld',
    words: [
      { word: 'in', startMs: 0, endMs: 100, confidence: 0.2 },
      { word: 'world', startMs: 600, endMs: 900, confidence: 0.9 },
    ],
  })
})

t.test('utterances without a pause that ends the turn are joined', async t => {
  const session = await open([
    { startMs: 0, endMs: 200, text: 'one' },
    { startMs: 300, endMs: 500, text: 'two' },
  ])
  session.start(0)
  t.equal(await session.push(audio(600)), 'one two')
  t.match(await session.finish(), { text: 'one two', words: { length: 2 } })
})

t.test('each session may have its own script', async t => {
  const recognizer = scriptedRecognizer(index => [{ startMs: 0, endMs: 100, text: `session ${index}` }])
  for (const expected of ['session 0', 'session 1']) {
    const session = await recognizer.open({})
    session.start(0)
    t.equal(await session.push(audio(100)), expected)
  }
})

t.test('a script out of order is refused', async t => {
  t.throws(() => scriptedRecognizer([{ startMs: 5, endMs: 5, text: '' }]), RangeError)
  t.throws(() => scriptedRecognizer([LAMP, { startMs: 1000, endMs: 2000, text: '' }]), {
    name: 'RangeError',
    message: 'script[1] must begin at 1300 ms or later and end after it begins; got 1000 to 2000',
  })
  t.throws(() => scriptedRecognizer([{ startMs: NaN, endMs: 5, text: '' }]), RangeError)
  t.throws(() => scriptedRecognizer([{ startMs: 0, endMs: 5 } as never]), TypeError)
})

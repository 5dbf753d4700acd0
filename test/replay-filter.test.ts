import t from 'tap'
import type { ServerMessage } from '#dist/stt/protocol.js'
import { ReplayFilter } from '#dist/stt/replay-filter.js'

const delivered = { finalEndMs: 1_000, speechStartMs: 600 }
type Times = [startMs: number, endMs: number][]
const transcription = (transcript: string, isFinal: boolean, times: Times = []): ServerMessage => ({
  kind: 'transcription',
  transcript,
  isFinal,
  words: times.map(([startMs, endMs]) => ({ word: 'w', startMs, endMs })),
})
const final = (times: Times) => transcription('text', true, times)
const interim = (times: Times = []) => transcription('text', false, times)
const speech = (startMs: number): ServerMessage => ({ kind: 'speechStarted', startMs })
const STOPPED: ServerMessage = { kind: 'speechStopped', silenceDurationMs: 300 }

t.test('lets everything pass on a connection that begins behind what was delivered', t => {
  const filter = new ReplayFilter(delivered, 1_000)
  for (const message of [interim(), final([[700, 900]]), STOPPED])
    t.strictSame(filter.judge(message), { deliver: true })
  t.end()
})

t.test('drops finals whose last word lies by its middle in what was delivered', t => {
  const filter = new ReplayFilter(delivered, 0)
  t.strictSame(filter.judge(final([[600, 900]])), { deliver: false })
  t.strictSame(
    filter.judge(
      final([
        [600, 700],
        [800, 1_150],
      ]),
    ),
    { deliver: false },
    'jitter of a word end',
  )
  t.strictSame(filter.judge(final([[900, 1_150]])), { deliver: true, overlapMs: 100 })
  t.strictSame(filter.judge(final([[600, 900]])), { deliver: true }, 'none behind a new one')
  t.end()
})

t.test('delivers what has no times, and takes repetition for over', t => {
  const filter = new ReplayFilter(delivered, 0)
  t.strictSame(filter.judge(final([])), { deliver: true })
  t.strictSame(filter.judge(interim()), { deliver: true })
  t.end()
})

t.test('holds interims back until they are new', t => {
  const held = new ReplayFilter(delivered, 0)
  t.match(held.judge(interim()), { deliver: false, held: { transcript: 'text' } })
  t.strictSame(held.judge(interim([[700, 900]])), { deliver: false })
  t.strictSame(held.judge(interim([[700, 1_400]])), { deliver: true }, 'its times say that it is new')
  held.judge(final([[300, 500]]))
  t.match(held.judge(interim()), { deliver: false }, 'more may repeat')
  held.judge(final([[600, 950]]))
  t.strictSame(held.judge(interim()), { deliver: true })

  const told = new ReplayFilter(delivered, 0)
  told.judge(speech(650))
  t.strictSame(told.judge(interim()), { deliver: false }, 'its speech has a final: nothing to keep')
  told.judge(speech(1_000))
  t.strictSame(told.judge(interim()), { deliver: true })
  t.end()
})

t.test('tells the same speech once', t => {
  const filter = new ReplayFilter(delivered, 0)
  t.strictSame(filter.judge(speech(800)), { deliver: false }, 'found a little later')
  t.strictSame(filter.judge(STOPPED), { deliver: false })
  t.strictSame(filter.judge(speech(801)), { deliver: true })
  t.strictSame(filter.judge(STOPPED), { deliver: true })
  t.strictSame(filter.judge({ kind: 'usage', transcribedAudioMs: 5 }), { deliver: true })
  t.end()
})

t.test('drops a final that the service sends twice', t => {
  const filter = new ReplayFilter({ finalEndMs: -1, speechStartMs: -1 }, 0)
  t.strictSame(filter.judge(final([[600, 900]])), { deliver: true })
  t.strictSame(filter.judge(final([[600, 900]])), { deliver: false })
  t.strictSame(filter.judge(final([[600, 950]])), { deliver: true }, 'other times are another final')
  t.strictSame(filter.judge(final([])), { deliver: true })
  t.strictSame(filter.judge(final([])), { deliver: true }, 'without times nobody can tell')
  t.end()
})

t.test('lets an empty final withdraw what its own connection said, and nothing else', t => {
  const filter = new ReplayFilter(delivered, 1_000)
  const empty = transcription('', true)
  t.strictSame(filter.judge(empty), { deliver: false }, 'the open turn is that of the connection before')
  filter.judge(interim())
  t.strictSame(filter.judge(empty), { deliver: true })
  t.strictSame(filter.judge(empty), { deliver: false })
  t.end()
})

t.test('tells of the first speech of a stream, however early it starts', t => {
  const filter = new ReplayFilter({ finalEndMs: -1, speechStartMs: -1 }, 0)
  t.strictSame(filter.judge(speech(0)), { deliver: true })
  t.strictSame(filter.judge(STOPPED), { deliver: true })
  t.end()
})

t.test('learns what the connection before it says meanwhile, until it has a final of its own', t => {
  const filter = new ReplayFilter({ finalEndMs: 500, speechStartMs: -1 }, 700)
  filter.formerDelivered({ finalEndMs: 1_000, speechStartMs: -1 })
  t.strictSame(filter.judge(final([[750, 950]])), { deliver: false })
  t.strictSame(filter.judge(final([[750, 1_500]])), { deliver: true, overlapMs: 250 })
  filter.formerDelivered({ finalEndMs: 3_000, speechStartMs: -1 })
  t.strictSame(filter.judge(final([[1_600, 1_900]])), { deliver: true })
  t.end()
})

import t from 'tap'
import { ChannelMerge, type MergedChannel } from '#dist/stt/channel-merge.js'
import type { SttEvent, TranscriptionEvent } from '#dist/stt/events.js'

/** A channel that says what it is told to, and how far it is. */
class Channel implements MergedChannel {
  settledMs = 0
  resting = false
  readonly #events: SttEvent[] = []

  says(...events: SttEvent[]): this {
    this.#events.push(...events)
    return this
  }

  read(): SttEvent | null {
    return this.#events.shift() ?? null
  }
}

const result = (transcript: string, isFinal: boolean, startMs?: number): TranscriptionEvent => ({
  type: 'transcription',
  transcript,
  isFinal,
  turnId: 1,
  seq: 1,
  ...(startMs !== undefined && { startMs, endMs: startMs + 500 }),
  wordTimestamps: [],
})
const final = (transcript: string, startMs?: number) => result(transcript, true, startMs)
const interim = (transcript: string) => result(transcript, false)

function merge(waitMs: number, ...channels: Channel[]) {
  const merged = new ChannelMerge(channels, waitMs)
  /** What leaves at this time, in short. */
  const leaves = (nowMs = 0) => {
    const left: string[] = []
    for (let event; (event = merged.next(nowMs));)
      left.push(event.type === 'transcription' ? event.transcript : event.type)
    return left
  }
  return { merged, leaves }
}

t.test('a final waits for another channel that may begin earlier, and no longer', t => {
  const [a, b] = [new Channel(), new Channel()]
  const { leaves } = merge(Infinity, a, b)
  a.says(final('later', 1_000))
  b.settledMs = 999
  t.strictSame(leaves(), [])
  b.says(final('earlier', 400))
  t.strictSame(leaves(), ['earlier'], 'the one that it waited for goes first')
  b.settledMs = 1_000
  t.strictSame(leaves(), ['later'])
  t.end()
})

t.test('finals of many channels leave in the order in which they begin', t => {
  const channels = Array.from({ length: 8 }, () => new Channel())
  const { leaves } = merge(Infinity, ...channels)
  const startsMs = [700, 100, 500, 300, 800, 200, 600, 400]
  startsMs.forEach((startMs, index) => channels[index]!.says(final(`${startMs}`, startMs)))
  t.strictSame(leaves(), ['100'], 'its channel may still bring one before the next')
  for (const channel of channels) channel.settledMs = Infinity
  t.strictSame(leaves(), ['200', '300', '400', '500', '600', '700', '800'])
  t.end()
})

t.test('all but finals leaves at once, and each channel keeps its own order', t => {
  const [a, b] = [new Channel(), new Channel()]
  const { leaves } = merge(Infinity, a, b)
  a.says(interim('a1'), { type: 'speechStarted', startMs: 0 }, final('a', 900), interim('a2'))
  b.says(interim('b1'), { type: 'unknown', message: {} }, interim('b2'))
  t.strictSame(leaves(), ['a1', 'b1', 'speechStarted', 'unknown', 'b2'], 'by turns')
  b.settledMs = 900
  t.strictSame(leaves(), ['a', 'a2'], 'what follows a waiting final waits with it')
  t.end()
})

t.test('a final without times leaves at once', t => {
  const [a, b] = [new Channel(), new Channel()]
  const { leaves } = merge(Infinity, a, b)
  a.says(final('some time'))
  t.strictSame(leaves(), ['some time'])
  t.end()
})

t.test('a final waits so long and no longer; before it leave those that begin earlier', t => {
  const [a, b, silent] = [new Channel(), new Channel(), new Channel()]
  const { merged, leaves } = merge(2_000, a, b, silent)
  t.equal(merged.dueMs, undefined)
  a.says(final('late', 1_000))
  t.strictSame(leaves(10_000), [])
  t.equal(merged.dueMs, 12_000)
  b.says(final('early', 500))
  t.strictSame(leaves(11_999), [])
  t.strictSame(leaves(12_000), ['early', 'late'])
  t.equal(merged.dueMs, undefined)
  b.says(final('behind', 100))
  silent.settledMs = 100
  t.strictSame(leaves(12_000), [], 'the first channel may begin earlier still')
  t.strictSame(leaves(14_000), ['behind'])
  t.end()
})

t.test('without a wait finals leave as they come', t => {
  const [a, b] = [new Channel(), new Channel()]
  const { leaves } = merge(0, a, b)
  a.says(final('late', 1_000))
  t.strictSame(leaves(), ['late'])
  t.end()
})

t.test('a channel whose results can wait no longer waits for nobody', t => {
  const [a, b] = [new Channel(), new Channel()]
  const { leaves } = merge(Infinity, a, b)
  a.says(final('a', 1_000))
  t.strictSame(leaves(), [])
  a.resting = true
  t.strictSame(leaves(), ['a'])
  t.end()
})

t.test('transcriptions are numbered as they leave, usage is summed', t => {
  const [a, b] = [new Channel(), new Channel()]
  a.settledMs = b.settledMs = Infinity
  const merged = new ChannelMerge([a, b], Infinity)
  const usage = (transcribedAudioMs: number): SttEvent => ({ type: 'usage', transcribedAudioMs })
  a.says(final('a', 200), usage(1_000), usage(1_500))
  b.says(interim('b'), final('b', 100), usage(300))
  const events: (SttEvent | undefined)[] = Array.from({ length: 6 }, () => merged.next(0))
  t.match(events, [
    { transcript: 'b', isFinal: false, seq: 1 },
    { transcript: 'b', isFinal: true, seq: 2 },
    usage(300),
    { transcript: 'a', seq: 3 },
    usage(1_300),
    usage(1_800),
  ])
  t.equal(merged.next(0), undefined)
  t.end()
})

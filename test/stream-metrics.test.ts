import t from 'tap'
import { StreamMetrics } from '#dist/stt/stream-metrics.js'

/** Frames of 100 ms from 0, sent in real time from 10 000 on: the frame that ends at e leaves at 10 000 + e. */
function sent(untilMs: number, isVoiced: (endMs: number) => boolean = () => true) {
  const metrics = new StreamMetrics()
  for (let endMs = 100; endMs <= untilMs; endMs += 100)
    metrics.frameSent(endMs, isVoiced(endMs), 10_000 + endMs)
  return metrics
}

t.test('measures from when the audio of the last word left', async t => {
  const metrics = sent(2_000)
  t.equal(metrics.interim(450, 10_800), 300, 'the frame with the word left at 10 500')
  t.equal(metrics.final(1_200, 12_100), 900)
  t.match(metrics.snapshot(), {
    audioToInterim: { count: 1, maxMs: 300 },
    audioToFinal: { count: 1, maxMs: 900 },
  })
})

t.test('without word times, measures from the newest speech', async t => {
  const metrics = sent(2_000, endMs => endMs <= 1_300)
  t.equal(metrics.interim(undefined, 11_500), 200)
  t.equal(metrics.final(undefined, 12_000), 700)
  t.equal(metrics.final(undefined, 12_500), undefined, 'no speech since: a final of nothing that can be told')
  t.equal(sent(2_000, () => false).final(undefined, 12_500), undefined, 'no speech at all')
})

t.test('measures what an interim adds, once', async t => {
  const metrics = sent(2_000)
  t.equal(metrics.interim(500, 10_700), 200)
  t.equal(metrics.interim(500, 11_500), undefined, 'the same again')
  t.equal(metrics.interim(300, 11_500), undefined, 'less than before')
  t.equal(metrics.interim(700, 11_600), 900)
  t.equal(metrics.final(700, 11_800), 1_100, 'the final of it is another thing')
  t.equal(metrics.interim(650, 11_900), undefined, 'late, of a turn that is over')
  t.equal(metrics.final(600, 12_000), undefined, 'a final of what has been final')
  t.match(metrics.snapshot(), { audioToInterim: { count: 2 }, audioToFinal: { count: 1 } })
})

t.test('takes word times beyond the audio as its end', async t => {
  const metrics = sent(1_000)
  t.equal(metrics.interim(1_080, 11_250), 250)
  metrics.frameSent(1_100, true, 11_300)
  t.equal(metrics.final(1_100, 11_500), 200)
})

t.test('counts replayed audio from when it first left', async t => {
  const metrics = sent(1_000, endMs => endMs <= 800)
  for (let endMs = 600; endMs <= 1_000; endMs += 100) metrics.frameSent(endMs, true, 15_000)
  t.equal(metrics.interim(undefined, 15_200), 4_400, 'the end of speech stands where it first stood')
  t.equal(metrics.final(750, 15_300), 4_500)
})

t.test('never tells a negative latency', async t => {
  t.equal(sent(1_000).final(1_000, 10_900), 0)
})

t.test('counts messages and bytes, and leaves out what was not measured', async t => {
  const metrics = new StreamMetrics()
  metrics.messageSent(300)
  metrics.messageSent(4_300)
  metrics.messageReceived(120)
  t.strictSame(metrics.snapshot(), {
    messagesSent: 2,
    bytesSent: 4_600,
    messagesReceived: 1,
    bytesReceived: 120,
  })
})

t.test('knows how far the source is done, sent or left out', async t => {
  const metrics = new StreamMetrics()
  t.equal(metrics.doneMs, 0)
  metrics.frameSent(100, false, 5)
  t.equal(metrics.doneMs, 100)
  metrics.skipped(900)
  t.equal(metrics.doneMs, 900)
  metrics.frameSent(800, true, 7)
  t.equal(metrics.doneMs, 900, 'what comes before speech is sent after all')
  metrics.frameSent(1_000, true, 8)
  t.equal(metrics.doneMs, 1_000)
})

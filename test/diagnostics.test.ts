import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { StreamDiagnostics, type DiagnosticChannel, type DiagnosticStats } from '#dist/diagnostics.js'
import { SttError } from '#dist/errors.js'
import { StreamMetrics } from '#dist/stt/stream-metrics.js'

const CHANNELS: DiagnosticChannel[] = [
  'sttstream:stream:start',
  'sttstream:stream:metrics',
  'sttstream:stream:end',
  'sttstream:connection:open',
  'sttstream:connection:reconnecting',
  'sttstream:connection:reconnected',
  'sttstream:connection:rotated',
  'sttstream:connection:hibernating',
  'sttstream:turn:interim',
  'sttstream:turn:final',
  'sttstream:warning',
  'sttstream:error',
]
const stats: DiagnosticStats = {
  ...new StreamMetrics().snapshot(),
  elapsedMs: 900,
  decodedMs: 800,
  sentMs: 700,
  replayedMs: 0,
  lostMs: 0,
  finals: 2,
}

/** All that is published until the test ends. */
function listen(t: Test): [string, unknown][] {
  const heard: [string, unknown][] = []
  for (const name of CHANNELS) {
    const listener = (message: unknown) => heard.push([name, message])
    subscribe(name, listener)
    t.teardown(() => unsubscribe(name, listener))
  }
  return heard
}

t.test('reads nothing of what it is given while nobody subscribes', async t => {
  const untouchable = new Proxy(function () {}, {
    get: (_, property) => t.fail(`${String(property)} is read`),
    apply: () => t.fail('the figures are taken'),
  }) as unknown as never
  const diagnostics = new StreamDiagnostics('s1')
  diagnostics.started(untouchable, untouchable)
  diagnostics.metrics(untouchable)
  diagnostics.opened()
  diagnostics.reconnecting(untouchable)
  diagnostics.reconnected(untouchable)
  diagnostics.rotated(untouchable)
  diagnostics.hibernating(untouchable)
  diagnostics.interim(1, 200)
  diagnostics.final(untouchable, 200)
  diagnostics.warning(untouchable)
  diagnostics.ended(untouchable, false, untouchable)
  t.pass('all methods were called')
})

t.test('tells each message on its channel', async t => {
  const heard = listen(t)
  const diagnostics = new StreamDiagnostics('s1')
  const cause = new SttError('STT_ERR_SERVER', 'busy', { retryable: true, httpStatus: 503, requestId: 'r7' })
  const error = { name: 'SttError', message: 'busy', code: 'STT_ERR_SERVER', retryable: true }
  diagnostics.started({ modelId: 'a/b', language: 'en-US' }, 'wss://example.org/stt')
  diagnostics.started({ modelId: 'a/b' }, 'ws://127.0.0.1:8090/')
  diagnostics.started({ modelId: 'a/b' }, 'local')
  diagnostics.opened()
  diagnostics.reconnecting({ attempt: 2, delayMs: 300, cause })
  diagnostics.reconnected({ fromMs: 4_000, replayedMs: 900, lostMs: 0 })
  diagnostics.rotated({ fromMs: 5_000, overlapMs: 200, cause: 'token' })
  diagnostics.hibernating({ atMs: 6_000 })
  diagnostics.interim(1, 250)
  diagnostics.interim(1, undefined)
  diagnostics.final({ turnId: 1, startMs: 100, endMs: 900 }, 420)
  diagnostics.final({ turnId: 2, promoted: true }, undefined)
  diagnostics.warning({ code: 'STT_WARN_PORTABLE', message: 'slower' })
  diagnostics.metrics(stats)
  diagnostics.ended(cause, false, () => stats)
  const streamId = 's1'
  t.strictSame(heard, [
    [
      'sttstream:stream:start',
      { streamId, modelId: 'a/b', language: 'en-US', serverAddress: 'example.org', serverPort: 443 },
    ],
    ['sttstream:stream:start', { streamId, modelId: 'a/b', serverAddress: '127.0.0.1', serverPort: 8090 }],
    ['sttstream:stream:start', { streamId, modelId: 'a/b' }],
    ['sttstream:connection:open', { streamId }],
    [
      'sttstream:connection:reconnecting',
      { streamId, attempt: 2, delayMs: 300, error: { ...error, httpStatus: 503, requestId: 'r7' } },
    ],
    ['sttstream:connection:reconnected', { streamId, fromMs: 4_000, replayedMs: 900, lostMs: 0 }],
    ['sttstream:connection:rotated', { streamId, fromMs: 5_000, overlapMs: 200, cause: 'token' }],
    ['sttstream:connection:hibernating', { streamId, atMs: 6_000 }],
    ['sttstream:turn:interim', { streamId, turnId: 1, latencyMs: 250 }],
    ['sttstream:turn:final', { streamId, turnId: 1, startMs: 100, endMs: 900, latencyMs: 420 }],
    ['sttstream:turn:final', { streamId, turnId: 2, promoted: true }],
    ['sttstream:warning', { streamId, code: 'STT_WARN_PORTABLE', message: 'slower' }],
    ['sttstream:stream:metrics', { streamId, stats }],
    ['sttstream:error', { streamId, error: { ...error, httpStatus: 503, requestId: 'r7' } }],
    [
      'sttstream:stream:end',
      { streamId, outcome: 'failed', stats, error: { ...error, httpStatus: 503, requestId: 'r7' } },
    ],
  ])
  t.strictSame([...new Set(heard.map(([name]) => name))].sort(), CHANNELS.toSorted(), 'every channel')
})

t.test('tells outcomes apart', async t => {
  const heard = listen(t)
  const diagnostics = new StreamDiagnostics('s1')
  diagnostics.ended(null, true, () => stats)
  diagnostics.ended(null, false, () => stats)
  diagnostics.ended(new DOMException('stop', 'AbortError'), false, () => stats)
  diagnostics.ended(Object.assign(new Error('no'), { code: 'ENOENT' }), false, () => stats)
  const outcomes = heard.filter(([name]) => name === 'sttstream:stream:end')
  t.match(
    outcomes.map(([, message]) => message),
    [
      { outcome: 'ended' },
      { outcome: 'destroyed' },
      { outcome: 'aborted', error: { name: 'AbortError' } },
      { outcome: 'failed', error: { name: 'Error', code: 'ENOENT', message: 'no' } },
    ],
  )
  t.equal(heard.filter(([name]) => name === 'sttstream:error').length, 1, 'an abort is no error')
})

t.test('tells neither what was said nor what stands in the URL', async t => {
  const heard = listen(t)
  const diagnostics = new StreamDiagnostics('s1')
  diagnostics.started(
    { modelId: 'a/b', apiKey: 'hunter2' } as never,
    'wss://me:hunter2@example.org/x?key=hunter2',
  )
  const error = new SttError('STT_ERR_SOCKET', 'reset')
  Object.defineProperty(error, 'interim', { value: { transcript: 'hunter2' }, enumerable: true })
  const said = { turnId: 1, transcript: 'hunter2', wordTimestamps: [{ word: 'hunter2' }] }
  diagnostics.final(said, 100)
  diagnostics.reconnecting({ attempt: 1, delayMs: 10, cause: error })
  diagnostics.ended(error, false, () => stats)
  t.equal(heard.length, 5)
  t.notMatch(JSON.stringify(heard), 'hunter2')
})

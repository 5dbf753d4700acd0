import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import t, { type Test } from 'tap'
import { StreamDiagnostics, type DiagnosticStats } from '#dist/diagnostics.js'
import { SttError } from '#dist/errors.js'
import { sttStream } from '#dist/index.js'
import { instrument } from '#dist/opentelemetry.js'
import { StreamMetrics } from '#dist/stt/stream-metrics.js'
import { LAMP, scriptedServer, toneWav } from './fixtures/scripted.js'

const MODEL = 'inworld/inworld-stt-1'
const URL = 'wss://example.org/stt'

/** The OpenTelemetry SDK with its exporters in memory, instrumented until the test ends. */
function telemetry(t: Test) {
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: metricExporter })],
  })
  const stop = instrument({ tracerProvider, meterProvider })
  t.teardown(async () => {
    stop()
    await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()])
  })
  return {
    stop,
    tracerProvider,
    spans: () => spanExporter.getFinishedSpans(),
    /** Name → its metric, of all that was measured so far. */
    metrics: async (): Promise<Record<string, MetricData>> => {
      metricExporter.reset()
      await meterProvider.forceFlush()
      const [collected] = metricExporter.getMetrics()
      const all = collected?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
      return Object.fromEntries(all.map(metric => [metric.descriptor.name, metric]))
    },
  }
}

/** What a counter stands at, over all attributes or those that match. */
function sum(metric: MetricData | undefined, attributes: Record<string, unknown> = {}): number {
  if (metric?.dataPointType !== DataPointType.SUM) return NaN
  return metric.dataPoints
    .filter(point => Object.entries(attributes).every(([name, value]) => point.attributes[name] === value))
    .reduce((total, point) => total + point.value, 0)
}

const statsOf = (figures: Partial<DiagnosticStats> = {}): DiagnosticStats => ({
  ...new StreamMetrics().snapshot(),
  elapsedMs: 0,
  decodedMs: 0,
  sentMs: 0,
  replayedMs: 0,
  lostMs: 0,
  finals: 0,
  ...figures,
})

t.test('makes one span of a stream, with what happened to its connections', async t => {
  const { spans } = telemetry(t)
  const stream = new StreamDiagnostics('s1')
  const cause = new SttError('STT_ERR_SOCKET', 'reset by peer', { retryable: true })
  stream.started({ modelId: MODEL, language: 'en-US' }, URL)
  stream.opened()
  stream.reconnecting({ attempt: 1, delayMs: 120, cause })
  stream.reconnected({ fromMs: 4_000, replayedMs: 900, lostMs: 0 })
  stream.rotated({ fromMs: 5_000, overlapMs: 250, cause: 'token' })
  stream.hibernating({ atMs: 6_000 })
  stream.warning({ code: 'STT_WARN_PORTABLE', message: 'slower' })
  t.equal(spans().length, 0, 'it goes on')
  stream.ended(null, true, () => statsOf({ decodedMs: 9_500, finals: 3 }))
  const [span, ...others] = spans()
  t.equal(others.length, 0)
  t.match(span, {
    name: `transcribe ${MODEL}`,
    kind: SpanKind.CLIENT,
    status: { code: SpanStatusCode.UNSET },
  })
  t.strictSame(span?.attributes, {
    'sttstream.model': MODEL,
    'server.address': 'example.org',
    'server.port': 443,
    'sttstream.stream.id': 's1',
    'sttstream.language': 'en-US',
    'sttstream.outcome': 'ended',
    'sttstream.audio.duration': 9.5,
    'sttstream.turn.count': 3,
    'sttstream.reconnect.count': 1,
  })
  t.strictSame(
    span?.events.map(({ name, attributes }) => [name, attributes ?? {}]),
    [
      ['sttstream.connection.open', {}],
      [
        'sttstream.connection.reconnecting',
        {
          'sttstream.reconnect.attempt': 1,
          'sttstream.reconnect.delay': 0.12,
          'error.type': 'STT_ERR_SOCKET',
          'error.message': 'reset by peer',
        },
      ],
      [
        'sttstream.connection.reconnected',
        { 'sttstream.audio.position': 4, 'sttstream.audio.replayed': 0.9, 'sttstream.audio.lost': 0 },
      ],
      [
        'sttstream.connection.rotated',
        {
          'sttstream.audio.position': 5,
          'sttstream.audio.overlap': 0.25,
          'sttstream.rotation.cause': 'token',
        },
      ],
      ['sttstream.connection.hibernating', { 'sttstream.audio.position': 6 }],
      [
        'sttstream.warning',
        { 'sttstream.warning.code': 'STT_WARN_PORTABLE', 'sttstream.warning.message': 'slower' },
      ],
    ],
  )
})

t.test('puts the span below the one that is active where the stream is made', async t => {
  const { spans, tracerProvider } = telemetry(t)
  tracerProvider.register()
  t.teardown(() => {
    trace.disable()
    context.disable()
  })
  const stream = new StreamDiagnostics('s1')
  tracerProvider.getTracer('test').startActiveSpan('call', call => {
    stream.started({ modelId: MODEL }, URL)
    call.end()
  })
  stream.ended(null, true, () => statsOf())
  const [call, transcribe] = spans()
  t.equal(transcribe?.parentSpanContext?.spanId, call?.spanContext().spanId)
  t.equal(transcribe?.spanContext().traceId, call?.spanContext().traceId)
})

t.test('tells a failure with its code, and an abort as none', async t => {
  const { spans, metrics } = telemetry(t)
  for (const error of [
    new SttError('STT_ERR_AUTH', 'the key was refused'),
    new TypeError('odd'),
    new DOMException('stop', 'AbortError'),
  ]) {
    const stream = new StreamDiagnostics(error.name)
    stream.started({ modelId: MODEL }, URL)
    stream.ended(error, false, () => statsOf({ elapsedMs: 2_000 }))
  }
  const [refused, odd, aborted] = spans()
  t.match(refused?.status, { code: SpanStatusCode.ERROR, message: 'the key was refused' })
  t.match(refused?.attributes, { 'error.type': 'STT_ERR_AUTH', 'sttstream.outcome': 'failed' })
  t.match(odd?.attributes, { 'error.type': 'TypeError' })
  t.match(aborted?.status, { code: SpanStatusCode.UNSET })
  t.match(aborted?.attributes, { 'sttstream.outcome': 'aborted', 'error.type': undefined })
  const duration = (await metrics())['sttstream.stream.duration']
  t.strictSame(
    duration?.dataPoints.map(({ attributes }) => [attributes['sttstream.outcome'], attributes['error.type']]),
    [
      ['failed', 'STT_ERR_AUTH'],
      ['failed', 'TypeError'],
      ['aborted', undefined],
    ],
  )
})

t.test('measures latencies in seconds', async t => {
  const { metrics } = telemetry(t)
  const stream = new StreamDiagnostics('s1')
  stream.started({ modelId: MODEL }, URL)
  stream.interim(1, 180)
  stream.interim(1, 220)
  stream.final({ turnId: 1 }, 640)
  stream.final({ turnId: 2, promoted: true }, undefined)
  const { 'sttstream.audio_to_interim.duration': interim, 'sttstream.audio_to_final.duration': final } =
    await metrics()
  t.match(interim?.dataPoints, [{ attributes: { 'sttstream.model': MODEL }, value: { count: 2, sum: 0.4 } }])
  t.match(final?.dataPoints, [{ value: { count: 1, min: 0.64 } }])
  t.equal(final?.descriptor.unit, 's')
})

t.test('counts what streams send, once, while they run', async t => {
  const { metrics } = telemetry(t)
  const stream = new StreamDiagnostics('s1')
  stream.started({ modelId: MODEL }, URL)
  t.equal(sum((await metrics())['sttstream.stream.active']), 1)
  stream.metrics(statsOf({ sentMs: 4_000, bytesSent: 100, bytesReceived: 20 }))
  t.equal(sum((await metrics())['sttstream.audio.sent']), 4, 'before the end')
  stream.reconnected({ fromMs: 4_000, replayedMs: 500, lostMs: 250 })
  stream.ended(null, true, () =>
    statsOf({ sentMs: 5_000, replayedMs: 500, lostMs: 250, bytesSent: 160, bytesReceived: 50 }),
  )
  const all = await metrics()
  t.equal(sum(all['sttstream.audio.sent']), 5)
  t.equal(sum(all['sttstream.audio.replayed']), 0.5)
  t.equal(sum(all['sttstream.audio.lost']), 0.25)
  t.equal(sum(all['sttstream.connection.reconnects']), 1)
  t.equal(sum(all['sttstream.network.io'], { 'network.io.direction': 'transmit' }), 160)
  t.equal(sum(all['sttstream.network.io'], { 'network.io.direction': 'receive' }), 50)
  t.equal(sum(all['sttstream.stream.active']), 0)
})

t.test('leaves nothing behind when it is ended', async t => {
  const { stop, spans, metrics } = telemetry(t)
  const stream = new StreamDiagnostics('s1')
  stream.started({ modelId: MODEL }, URL)
  t.ok(channel('sttstream:stream:start').hasSubscribers)
  stop()
  t.equal(spans().length, 1, 'an open span is ended as it stands')
  t.equal(spans()[0]?.attributes['sttstream.outcome'], undefined)
  t.equal(sum((await metrics())['sttstream.stream.active']), 0)
  for (const name of ['stream:start', 'stream:end', 'turn:final', 'warning'])
    t.notOk(channel(`sttstream:${name}`).hasSubscribers, name)
  stop()
  stream.ended(null, true, () => statsOf())
  t.equal(spans().length, 1)
  t.equal(sum((await metrics())['sttstream.stream.active']), 0)
})

t.test('leaves streams alone that had started before', async t => {
  const stream = new StreamDiagnostics('s1')
  stream.started({ modelId: MODEL }, URL)
  const { spans, metrics } = telemetry(t)
  stream.opened()
  stream.final({ turnId: 1 }, 300)
  stream.ended(null, true, () => statsOf({ sentMs: 1_000 }))
  t.equal(spans().length, 0)
  t.strictSame(await metrics(), {})
})

t.test('refuses what is no provider', async t => {
  for (const provider of [null, {}, 5]) {
    t.throws(() => instrument({ tracerProvider: provider as never }), {
      name: 'TypeError',
      message: /^tracer/,
    })
    t.throws(() => instrument({ meterProvider: provider as never }), { name: 'TypeError', message: /^meter/ })
  }
  t.notOk(channel('sttstream:stream:start').hasSubscribers)
})

t.test('takes the global providers where none is given', async t => {
  const spanExporter = new InMemorySpanExporter()
  trace.setGlobalTracerProvider(
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }),
  )
  const stop = instrument()
  t.teardown(() => {
    stop()
    trace.disable()
  })
  const stream = new StreamDiagnostics('s1')
  stream.started({ modelId: MODEL }, URL)
  stream.ended(null, true, () => statsOf())
  t.equal(spanExporter.getFinishedSpans().length, 1)
})

t.test('sees a stream of the library from start to end', async t => {
  const { url } = await scriptedServer(t, {
    faults: index => (index === 0 ? { close: { code: 1011, at: { afterAudioMs: 1_500 } } } : undefined),
  })
  const { spans, metrics } = telemetry(t)
  const stream = sttStream({ url, retry: { baseDelayMs: 1 } })
  stream.resume().end(toneWav(3_000))
  await once(stream, 'close')
  const [span, ...others] = spans()
  t.equal(others.length, 0)
  t.match(span?.attributes, {
    'sttstream.stream.id': stream.id,
    'sttstream.outcome': 'ended',
    'server.address': '127.0.0.1',
    'sttstream.audio.duration': 3,
    'sttstream.turn.count': LAMP.length,
  })
  t.match(
    span?.events.map(({ name }) => name),
    ['sttstream.connection.open', 'sttstream.connection.reconnecting', 'sttstream.connection.reconnected'],
  )
  const all = await metrics()
  const { sentMs, replayedMs, bytesSent } = stream.stats()
  t.equal(sum(all['sttstream.audio.sent']), sentMs / 1_000)
  t.equal(sum(all['sttstream.audio.replayed']), replayedMs / 1_000)
  t.equal(sum(all['sttstream.network.io'], { 'network.io.direction': 'transmit' }), bytesSent)
  t.match(all['sttstream.audio_to_final.duration']?.dataPoints, [{ value: { count: LAMP.length } }])
})

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type MeterProvider,
  type Span,
  type TracerProvider,
} from '@opentelemetry/api'
import type { DiagnosticChannel, DiagnosticMessages, DiagnosticStats } from './diagnostics.js'

/** Where {@link instrument} sends what it makes. */
export interface InstrumentOptions {
  /** Makes the spans. Default: the one that is registered globally. */
  tracerProvider?: TracerProvider
  /** Makes the metrics. Default: the one that is registered globally. */
  meterProvider?: MeterProvider
}

/** A stream whose end has not come yet. */
interface OpenStream {
  readonly span: Span
  /** Of all its metrics; few values, so that a backend can keep a series for each. */
  readonly attributes: Attributes
  reconnects: number
  /** What the counters have been told so far. */
  counted: Pick<DiagnosticStats, 'sentMs' | 'replayedMs' | 'lostMs' | 'bytesSent' | 'bytesReceived'>
}

const SCOPE = 'sttstream'
/** Of latencies and durations, in s. Between 50 ms and 10 s stands what decides whether a conversation flows. */
const LATENCY_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30]
const DURATION_BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400]

/**
 * Turns what streams tell the diagnostics channels into OpenTelemetry: one span for each stream, with events for its
 * connections and warnings, and metrics. It goes for all streams of the process that start from now on.
 *
 * @returns ends it: open spans are ended as they stand, nothing is subscribed any more
 * @throws TypeError for a provider that is none
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options
  checkProvider('tracerProvider', tracerProvider, 'getTracer')
  checkProvider('meterProvider', meterProvider, 'getMeter')
  const tracer = tracerProvider.getTracer(SCOPE)
  const instruments = createInstruments(meterProvider)
  const streams = new Map<string, OpenStream>()
  const subscriptions: (() => void)[] = []

  /** Streams that had started before are not known and left alone. */
  function on<Name extends DiagnosticChannel>(
    name: Name,
    listener: (message: DiagnosticMessages[Name], stream: OpenStream) => void,
  ): void {
    listen(name, message => {
      const stream = streams.get(message.streamId)
      if (stream) listener(message, stream)
    })
  }

  function listen<Name extends DiagnosticChannel>(
    name: Name,
    listener: (message: DiagnosticMessages[Name]) => void,
  ): void {
    const subscriber = (message: unknown) => listener(message as DiagnosticMessages[Name])
    subscribe(name, subscriber)
    subscriptions.push(() => unsubscribe(name, subscriber))
  }

  function count(stream: OpenStream, stats: DiagnosticStats): void {
    const { attributes, counted } = stream
    instruments.sent.add((stats.sentMs - counted.sentMs) / 1_000, attributes)
    instruments.replayed.add((stats.replayedMs - counted.replayedMs) / 1_000, attributes)
    instruments.lost.add((stats.lostMs - counted.lostMs) / 1_000, attributes)
    instruments.bytes.add(stats.bytesSent - counted.bytesSent, {
      ...attributes,
      'network.io.direction': 'transmit',
    })
    instruments.bytes.add(stats.bytesReceived - counted.bytesReceived, {
      ...attributes,
      'network.io.direction': 'receive',
    })
    stream.counted = stats
  }

  function close(streamId: string, { span, attributes }: OpenStream): void {
    streams.delete(streamId)
    instruments.active.add(-1, attributes)
    span.end()
  }

  listen('sttstream:stream:start', ({ streamId, modelId, language, serverAddress, serverPort }) => {
    const attributes: Attributes = {
      'sttstream.model': modelId,
      ...(serverAddress !== undefined && { 'server.address': serverAddress, 'server.port': serverPort }),
    }
    const span = tracer.startSpan(`transcribe ${modelId}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        ...attributes,
        'sttstream.stream.id': streamId,
        ...(language !== undefined && { 'sttstream.language': language }),
      },
    })
    instruments.active.add(1, attributes)
    streams.set(streamId, {
      span,
      attributes,
      reconnects: 0,
      counted: { sentMs: 0, replayedMs: 0, lostMs: 0, bytesSent: 0, bytesReceived: 0 },
    })
  })

  on('sttstream:stream:metrics', ({ stats }, stream) => count(stream, stats))

  on('sttstream:stream:end', ({ streamId, outcome, stats, error }, stream) => {
    const { span, attributes } = stream
    const failure = outcome === 'failed' ? { 'error.type': error?.code ?? error?.name ?? '_OTHER' } : {}
    count(stream, stats)
    instruments.duration.record(stats.elapsedMs / 1_000, {
      ...attributes,
      ...failure,
      'sttstream.outcome': outcome,
    })
    span.setAttributes({
      ...failure,
      'sttstream.outcome': outcome,
      'sttstream.audio.duration': stats.decodedMs / 1_000,
      'sttstream.turn.count': stats.finals,
      'sttstream.reconnect.count': stream.reconnects,
    })
    if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR, message: error?.message })
    close(streamId, stream)
  })

  on('sttstream:connection:open', (_, { span }) => void span.addEvent('sttstream.connection.open'))

  on('sttstream:connection:reconnecting', ({ attempt, delayMs, error }, { span }) => {
    span.addEvent('sttstream.connection.reconnecting', {
      'sttstream.reconnect.attempt': attempt,
      'sttstream.reconnect.delay': delayMs / 1_000,
      'error.type': error.code ?? error.name,
      'error.message': error.message,
    })
  })

  on('sttstream:connection:reconnected', ({ fromMs, replayedMs, lostMs }, stream) => {
    stream.reconnects++
    instruments.reconnects.add(1, stream.attributes)
    stream.span.addEvent('sttstream.connection.reconnected', {
      'sttstream.audio.position': fromMs / 1_000,
      'sttstream.audio.replayed': replayedMs / 1_000,
      'sttstream.audio.lost': lostMs / 1_000,
    })
  })

  on('sttstream:connection:rotated', ({ fromMs, overlapMs, cause }, { span }) => {
    span.addEvent('sttstream.connection.rotated', {
      'sttstream.audio.position': fromMs / 1_000,
      'sttstream.audio.overlap': overlapMs / 1_000,
      'sttstream.rotation.cause': cause,
    })
  })

  on('sttstream:connection:hibernating', ({ atMs }, { span }) => {
    span.addEvent('sttstream.connection.hibernating', { 'sttstream.audio.position': atMs / 1_000 })
  })

  on('sttstream:turn:interim', ({ latencyMs }, { attributes }) => {
    instruments.audioToInterim.record(latencyMs / 1_000, attributes)
  })

  on('sttstream:turn:final', ({ latencyMs }, { attributes }) => {
    if (latencyMs !== undefined) instruments.audioToFinal.record(latencyMs / 1_000, attributes)
  })

  on('sttstream:warning', ({ code, message }, { span }) => {
    span.addEvent('sttstream.warning', {
      'sttstream.warning.code': code,
      'sttstream.warning.message': message,
    })
  })

  return () => {
    for (const cancel of subscriptions.splice(0)) cancel()
    for (const [streamId, stream] of streams) close(streamId, stream)
  }
}

/** Units and names as OpenTelemetry's conventions have them: base units, singular, `{thing}` for counts. */
function createInstruments(meterProvider: MeterProvider) {
  const meter = meterProvider.getMeter(SCOPE)
  const latency = (name: string, description: string) =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: LATENCY_BUCKETS },
    })
  return {
    active: meter.createUpDownCounter('sttstream.stream.active', {
      description: 'Streams that have started and not ended.',
      unit: '{stream}',
    }),
    duration: meter.createHistogram('sttstream.stream.duration', {
      description: 'From the start of a stream to its end.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    }),
    audioToInterim: latency(
      'sttstream.audio_to_interim.duration',
      'From when the audio of an interim left to the interim.',
    ),
    audioToFinal: latency(
      'sttstream.audio_to_final.duration',
      'From when the audio of a final left to the final.',
    ),
    sent: meter.createCounter('sttstream.audio.sent', {
      description: 'Audio sent to the service, inserted silence and replays included.',
      unit: 's',
    }),
    replayed: meter.createCounter('sttstream.audio.replayed', {
      description: 'Audio sent again after a connection was lost.',
      unit: 's',
    }),
    lost: meter.createCounter('sttstream.audio.lost', {
      description: 'Audio that could not be sent again after a connection was lost.',
      unit: 's',
    }),
    reconnects: meter.createCounter('sttstream.connection.reconnects', {
      description: 'Connections that took over from a lost one.',
      unit: '{reconnect}',
    }),
    bytes: meter.createCounter('sttstream.network.io', {
      description: 'Payload of WebSocket messages.',
      unit: 'By',
    }),
  }
}

function checkProvider(name: string, provider: unknown, method: string): void {
  if (typeof (provider as Record<string, unknown> | null)?.[method] === 'function') return
  const got = provider === null ? 'null' : typeof provider
  throw new TypeError(`${name} must have the method ${method}(); got ${got}`)
}

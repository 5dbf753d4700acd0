/**
 * Traces and metrics through OpenTelemetry: a span for each stream below the one of its call, and the latencies.
 * The exporters here print; yours will send. It needs @opentelemetry/api and an SDK:
 *
 *   npm install @opentelemetry/api @opentelemetry/sdk-trace-node @opentelemetry/sdk-metrics
 *   node examples/opentelemetry.mjs talk.mp3
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  ConsoleMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { sttStream } from 'sttstream'
import { instrument } from 'sttstream/opentelemetry'

const [file] = process.argv.slice(2)
const url = process.env.STT_URL ?? 'local'

const tracerProvider = new NodeTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
})
// Lets a span know which one is active around it.
tracerProvider.register()
const meterProvider = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() })],
})
const stopInstrumenting = instrument({ tracerProvider, meterProvider })

await tracerProvider.getTracer('my-app').startActiveSpan('call', async call => {
  await pipeline(createReadStream(file), sttStream({ url }), async events => {
    for await (const event of events) {
      if (event.type === 'transcription' && event.isFinal) console.log(event.transcript)
    }
  })
  call.end()
})

stopInstrumenting()
await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()])

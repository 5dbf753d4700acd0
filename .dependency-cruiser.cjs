/**
 * The arrows of docs/architecture.md, checked by `npm run check`.
 * `tsPreCompilationDeps` makes type-only imports visible; rules that allow them say so.
 */
const typeOnly = { dependencyTypesNot: ['type-only'] }
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from: { path: from }, to })

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    rule('audio-knows-no-socket', 'audio imports nothing of stt or wire', '^src/audio/', {
      path: '^src/(stt|wire|rest|local|cli|captions)/|^src/(stt-stream|transcribe.*|options|index|testing)\\.ts$',
    }),
    rule('stt-knows-only-the-frame-type', 'stt takes only types from audio', '^src/stt/', {
      path: '^src/audio/',
      ...typeOnly,
    }),
    rule('stt-below-the-joint', 'stt knows neither the server nor the joint', '^src/stt/', {
      path: '^src/(rest|local|cli|captions)/|^src/(stt-stream|transcribe.*|options|index|testing)\\.ts$',
    }),
    rule('rest-beside-the-stream', 'calls by HTTP know the protocol, not the audio', '^src/rest/', {
      path: '^src/(audio|local|cli|captions)/|^src/stt/(?!(protocol|events|service-errors|json-fields|retry-policy)\\.ts$)|^src/(stt-stream|transcribe-|transcribe\\.|options|index|testing)',
    }),
    rule('wire-is-the-bottom', 'wire knows no dialogue', '^src/wire/', {
      path: '^src/(?!wire/|errors\\.ts$)',
    }),
    rule('local-knows-audio-and-protocol', 'the server sees audio and the protocol only', '^src/local/', {
      path: '^src/(wire|rest|cli|captions)/|^src/stt/(?!(protocol|prompt-characters|service-errors|json-fields|transcribe-config)\\.ts$)|^src/(stt-stream|transcribe.*|options|index|testing)\\.ts$',
    }),
    rule('captions-are-pure', 'formatters know event types only', '^src/captions/', {
      path: '^src/',
      pathNot: '^src/captions/',
      ...typeOnly,
    }),
    {
      name: 'native-is-for-three',
      comment: 'only three files reach the addon; the doctor asks whether it is there',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(audio/(resample|frame)|stt/connection|cli/doctor/runtime)\\.ts$',
      },
      to: { path: '^src/native\\.ts$', ...typeOnly },
    },
    rule(
      'pure-stays-pure',
      'pure rooms import only types',
      '^src/(audio/(sniff|mpeg-audio|ogg-pages|pcm-format)|stt/(evidence|replay-ring|audio-clock|turns|result-queue|circuit-breaker|handshake-limiter|prompt-characters|latency-histogram|send-times|stream-metrics)|local/endpointer)\\.ts$',
      {
        ...typeOnly,
        pathNot: '^src/(errors|audio/(mpeg-audio|ogg-pages)|stt/(latency-histogram|send-times))\\.ts$',
      },
    ),
    {
      name: 'opentelemetry-is-for-one',
      comment: 'the core runs without @opentelemetry/api',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/opentelemetry\\.ts$' },
      to: { path: '@opentelemetry/|^src/opentelemetry\\.ts$' },
    },
    rule(
      'opentelemetry-listens',
      'it knows the messages of the channels and nothing else',
      '^src/opentelemetry\\.ts$',
      {
        path: '^src/',
        ...typeOnly,
      },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types'] },
  },
}

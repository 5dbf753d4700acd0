/** The few figures that most readers want, one row for each resampler worth a look. */

const SHOWN = [
  'sttstream high',
  'sttstream fast',
  'libsoxr HQ',
  'speexdsp q5',
  'speexdsp q8',
  'libsamplerate medium',
  'zita-resampler 48',
  'swresample default',
  'sttstream high, addon',
  'sttstream fast, addon',
  '@livekit/rtc-node high',
  'speex-resampler q7',
  'libsamplerate-js fastest',
  'wave-resampler cubic',
  'node-av swresample',
]
const FORMATS = ['48000x2', '44100x2', '8000x1']

/** The worst of what folds from 0.502 f on, where `high` has its limit, and from 0.55 f on, where `fast` has its own. */
const NEAR = ['aliasFrom502Db', 'imageTo498Db']
const FAR = ['aliasFrom55Db', 'imageTo45Db']

const none = '–'

export function summaryTable({ formats, speed, quality, latency, peers }) {
  const shown = FORMATS.map(name => formats.find(format => format.name === name)).filter(Boolean)
  const names = SHOWN.filter(name => peers.some(peer => peer.name === name))
  const head = [
    'Resampler',
    ...shown.flatMap(({ title }) => [`${title}: × real time`]),
    ...shown.flatMap(({ sampleRateHertz }) => [`Worst alias or image, ${sampleRateHertz / 1_000} kHz, dB`]),
    'From 0.55 f on, worst rate, dB',
    ...shown.flatMap(({ sampleRateHertz }) => [`Latency ${sampleRateHertz / 1_000} kHz, ms`]),
  ]
  const rows = names.map(name => [
    name,
    ...shown.map(({ name: format }) => thousands(speed?.[format]?.[name]?.['20ms'].timesRealTime)),
    ...shown.map(({ sampleRateHertz }) => rejection([quality?.[sampleRateHertz]?.[name]], NEAR)),
    rejection(
      shown.map(({ sampleRateHertz }) => quality?.[sampleRateHertz]?.[name]),
      FAR,
    ),
    ...shown.map(({ sampleRateHertz }) => latency?.[sampleRateHertz]?.[name]?.meanMs?.toFixed(1) ?? none),
  ])
  return { head, rows }
}

function thousands(value) {
  return value === undefined || value === null ? none : Math.round(value).toLocaleString('en')
}

function rejection(figures, fields) {
  const levels = figures.flatMap(of => fields.map(field => of?.[field])).filter(Number.isFinite)
  return levels.length > 0 ? Math.max(...levels).toFixed(0) : none
}

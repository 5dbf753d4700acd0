import { compile } from 'vega-lite'
import { CONFIG, familyOf, machineLine, toSvg } from './style.mjs'

const SHOWN = [
  'sttstream high',
  'sttstream fast',
  'libsoxr HQ',
  'speexdsp q8',
  'libsamplerate medium',
  'zita-resampler 48',
  'swresample default',
]
const RATES = [48_000]

/** Where the band ends: how flat it is up to there, and what folds back from beyond. */
export async function drawPassband(results) {
  const pictures = []
  for (const rate of RATES) {
    const figures = results.quality?.[rate]
    const names = SHOWN.filter(name => figures?.[name]?.response)
    if (names.length === 0) continue
    pictures.push({ name: `passband-${rate}`, svg: await toSvg(compile(picture(results, rate, names)).spec) })
  }
  return pictures
}

function picture(results, rate, names) {
  const points = names.flatMap(name => pointsOf(name, results.quality[rate][name]))
  const colour = {
    field: 'name',
    type: 'nominal',
    title: null,
    scale: { domain: names, range: names.map(colourOf) },
    legend: { orient: 'bottom', columns: 4, labelLimit: 0, symbolType: 'stroke', symbolSize: 300 },
  }
  const dash = { condition: { test: "datum.name === 'sttstream fast'", value: [6, 3] }, value: [1, 0] }
  const width = {
    condition: { test: "indexof(datum.name, 'sttstream') === 0", value: 3 },
    value: 1.6,
  }
  const panel = (title, x, y) => ({
    title: { text: title, fontSize: 13, fontWeight: 'normal', anchor: 'middle', frame: 'group', offset: 6 },
    width: 460,
    height: 340,
    mark: { type: 'line', clip: true, interpolate: 'linear' },
    encoding: {
      x: {
        field: 'kilohertz',
        type: 'quantitative',
        title: 'frequency of the tone, kHz',
        scale: x,
        axis: { tickCount: 8 },
      },
      y: { field: 'db', type: 'quantitative', ...y },
      color: colour,
      strokeDash: dash,
      strokeWidth: width,
    },
  })
  return {
    config: CONFIG,
    title: {
      text: `The end of the band, ${rate / 1_000} kHz to 16 kHz`,
      subtitle: [
        'Beyond 8 kHz: the strongest line that a tone leaves in the output. It can only be an alias.',
        machineLine(results),
      ],
    },
    data: { values: points },
    hconcat: [
      panel(
        'how flat it is',
        { domain: [6.5, 8], nice: false },
        { title: 'gain, dB', scale: { domain: [-1, 0.1], nice: false } },
      ),
      panel(
        'what folds back',
        { domain: [6.5, 9], nice: false },
        { title: 'level, dB', scale: { domain: [-120, 0], nice: false } },
      ),
    ],
    spacing: 40,
    bounds: 'flush',
  }
}

function pointsOf(name, { response, alias }) {
  const passed = response.hertz.map((hertz, i) => ({ name, kilohertz: hertz / 1_000, db: response.db[i] }))
  const folded = alias.hertz.map((hertz, i) => ({ name, kilohertz: hertz / 1_000, db: alias.db[i] }))
  return [...passed, ...folded].filter(({ kilohertz }) => kilohertz >= 6.4 && kilohertz <= 9.2)
}

function colourOf(name) {
  return name === 'sttstream fast' ? '#e69f00' : familyOf(name).colour
}

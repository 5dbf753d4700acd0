import { compile } from 'vega-lite'
import { CONFIG, familyOf, machineLine, toSvg } from './style.mjs'

const SHOWN = [
  'sttstream high',
  'sttstream fast',
  'libsoxr HQ',
  'libsoxr VHQ',
  'swresample default',
  'swresample 128 taps',
  'speexdsp q5',
  'speexdsp q8',
  'speexdsp q10',
  'libsamplerate fastest',
  'libsamplerate medium',
  'libsamplerate best',
  'zita-resampler 48',
  'zita-resampler 96',
  'speex-resampler q7',
  '@livekit/rtc-node high',
]

export async function drawLatency(results) {
  const rates = Object.keys(results.latency ?? {})
  const bars = rates.flatMap(rate =>
    SHOWN.flatMap(name => {
      const { meanMs, maxMs } = results.latency[rate][name] ?? {}
      return Number.isFinite(meanMs)
        ? [{ name, rate: `${rate / 1_000} kHz`, meanMs, maxMs, label: labelOf(meanMs, maxMs) }]
        : []
    }),
  )
  return bars.length === 0
    ? []
    : [{ name: 'latency', svg: await toSvg(compile(picture(results, bars)).spec) }]
}

function labelOf(meanMs, maxMs) {
  const mean = meanMs.toFixed(1)
  return maxMs.toFixed(1) === mean ? mean : `${mean} / ${maxMs.toFixed(0)}`
}

function picture(results, bars) {
  const rates = [...new Set(bars.map(({ rate }) => rate))]
  const names = SHOWN.filter(name => bars.some(bar => bar.name === name))
  const longest = Math.max(...bars.map(({ maxMs }) => maxMs))
  const y = { field: 'name', type: 'nominal', title: null, sort: names, axis: { labelLimit: 220 } }
  return {
    config: CONFIG,
    title: {
      text: 'Latency of a live stream in chunks of 20 ms',
      subtitle: [
        'Bar: mean. Line: up to the worst after any chunk. Figures: mean / worst, ms.',
        machineLine(results),
      ],
    },
    data: { values: bars },
    facet: {
      column: { field: 'rate', type: 'nominal', title: null, sort: rates, header: { labelFontSize: 13 } },
    },
    spec: {
      width: 270,
      height: { step: 22 },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 1.5, color: '#555555' },
          encoding: { y, x: { field: 'meanMs', type: 'quantitative' }, x2: { field: 'maxMs' } },
        },
        {
          mark: { type: 'tick', thickness: 1.5, size: 9, color: '#555555' },
          encoding: { y, x: { field: 'maxMs', type: 'quantitative' } },
        },
        {
          mark: { type: 'bar', height: 13 },
          encoding: {
            y,
            x: {
              field: 'meanMs',
              type: 'quantitative',
              title: 'ms behind the input',
              scale: { domain: [0, Math.ceil(longest / 10) * 10 + 40], nice: false },
              axis: { tickCount: 6 },
            },
            color: {
              field: 'name',
              scale: { domain: names, range: names.map(name => familyOf(name).colour) },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 6, fontSize: 11 },
          encoding: { y, x: { field: 'maxMs', type: 'quantitative' }, text: { field: 'label' } },
        },
      ],
    },
    spacing: 24,
  }
}

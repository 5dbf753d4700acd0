/** The figures of a run as rows of text; the terminal and docs/resampler.md show the same. */

const none = '–'
const number = (value, digits) => (value === null || value === undefined ? none : value.toFixed(digits))
const thousands = value =>
  value === undefined || value === null ? none : Math.round(value).toLocaleString('en')
const kibibytes = value => (value === undefined || value === null ? none : (value / 1024).toFixed(1))

/** @returns {{title: string, head: string[], rows: string[][]}[]} the first column is text, the others numbers */
export function tablesOf(results) {
  return [
    ...speedTables(results),
    ...callTables(results),
    ...qualityTables(results),
    ...latencyTables(results),
    ...openingTables(results),
    ...pipelineTables(results),
  ]
}

function peersIn(results, figures) {
  return results.peers.filter(({ name }) => figures?.[name] && !figures[name].refused).map(({ name }) => name)
}

function speedTables({ speed, formats, ...results }) {
  return formats.flatMap(({ name: format, title }) => {
    const figures = speed?.[format]
    if (!figures) return []
    const rows = peersIn(results, figures).map(name => {
      const { '20ms': short, '100ms': long } = figures[name]
      return [
        name,
        number(short.us, 2),
        thousands(short.timesRealTime),
        number(short.timesSoxrHq, 2),
        number(short.timesSoxrHqNoDither, 2),
        number(short.nsPerOutput, 2),
        thousands(long?.timesRealTime),
        number(long?.timesSoxrHq, 2),
        long?.shareOfRoofline ? `${Math.round(100 * long.shareOfRoofline)} %` : none,
      ]
    })
    const head = [
      'Resampler',
      'µs per 20 ms',
      '× real time',
      '× soxr HQ',
      '× soxr HQ no dither',
      'ns per output',
      '100 ms: × real time',
      '× soxr HQ',
      'of FMA peak',
    ]
    return [{ part: 'speed', title: `Speed, ${title}`, head, rows }]
  })
}

function callTables({ speed, formats, peers }) {
  const chosen = formats.filter(({ name }) => speed?.[name])
  const callNs = (name, format) => speed[format][name]?.callNs
  const names = peers.map(({ name }) => name).filter(name => chosen.some(f => callNs(name, f.name)))
  if (names.length === 0) return []
  const rows = names.map(name => [name, ...chosen.map(format => number(callNs(name, format.name), 0))])
  const head = ['Resampler', ...chosen.map(({ title }) => `${title}: ns`)]
  return [{ part: 'speed', title: 'A call from JavaScript, with an empty chunk', head, rows }]
}

function qualityTables({ quality, ...results }) {
  return Object.entries(quality ?? {}).map(([rate, figures]) => {
    const downsampling = Number(rate) > 16_000
    const rows = peersIn(results, figures).map(name => {
      const of = figures[name]
      return [
        name,
        number(of.rippleDb, 3),
        hertz(of.edge01Hertz),
        hertz(of.edge3Hertz),
        ...(downsampling ? [number(of.aliasFrom502Db, 1), number(of.aliasFrom55Db, 1)] : []),
        number(of.imageTo498Db, 1),
        number(of.imageTo45Db, 1),
        number(of.sinadLowDb, 1),
        number(of.sinadHighDb, 1),
      ]
    })
    const high = Number(rate) < 16_000 ? '3 kHz' : '7 kHz'
    const head = [
      'Resampler',
      'Ripple, dB',
      '−0.1 dB, Hz',
      '−3 dB, Hz',
      ...(downsampling ? ['Alias from 8.03 kHz, dB', 'from 8.8 kHz, dB'] : []),
      'Image to 0.498 f, dB',
      'to 0.45 f, dB',
      'SINAD 1 kHz, dB',
      `SINAD ${high}, dB`,
    ]
    return { part: 'quality', title: `Quality, ${Number(rate) / 1_000} kHz`, head, rows }
  })
}

const hertz = value => (value === null ? 'none' : thousands(value))

function latencyTables({ latency, ...results }) {
  const rates = Object.keys(latency ?? {})
  if (rates.length === 0) return []
  const names = results.peers.map(({ name }) => name).filter(name => rates.some(rate => latency[rate][name]))
  const rows = names.map(name => [
    name,
    ...rates.flatMap(rate => {
      const { meanMs, maxMs } = latency[rate][name] ?? {}
      return [number(meanMs, 1), number(maxMs, 1)]
    }),
  ])
  const head = ['Resampler', ...rates.flatMap(rate => [`${Number(rate) / 1_000} kHz: mean, ms`, 'max, ms'])]
  return [{ part: 'latency', title: 'Latency of a live stream in 20 ms chunks', head, rows }]
}

function openingTables({ opening, formats, ...results }) {
  const chosen = formats.filter(({ name }) => opening?.[name])
  if (chosen.length === 0) return []
  const names = results.peers.map(({ name }) => name).filter(name => chosen.some(f => opening[f.name][name]))
  const rows = names.map(name => [
    name,
    ...chosen.flatMap(({ name: format }) => {
      const of = opening[format][name] ?? {}
      return [number(of.firstUs, 1), number(of.nextUs, 1), kibibytes(of.bytesPerStream)]
    }),
  ])
  const head = [
    'Resampler',
    ...chosen.flatMap(({ title }) => [`${title}: first, µs`, 'next, µs', 'KiB per stream']),
  ]
  return [{ part: 'opening', title: 'Cold start and memory', head, rows }]
}

function pipelineTables({ pipeline }) {
  if (!pipeline) return []
  const rows = Object.entries(pipeline.implementations)
    .filter(([, figures]) => !figures.refused)
    .map(([name, figures]) => [
      name,
      thousands(figures.cpuUsPerCallSecond),
      thousands(figures.callsPerCore),
      kibibytes(figures.heapBytesPerCall),
      kibibytes(figures.residentBytesPerCall),
    ])
  const head = [
    'Implementation',
    'CPU µs per call-second',
    'Calls per core',
    'Heap, KiB per call',
    'Resident, KiB per call',
  ]
  return [{ part: 'pipeline', title: 'Phone calls, 8 kHz mulaw in JSON messages of 20 ms', head, rows }]
}

/** One line on the machine and what it had. */
export function describeRun({ date, quick, machine, roofline, missing, pipeline }) {
  const { cpu, cores, system, node, compiler, commit, modified } = machine
  const peak = Object.entries(roofline).map(([set, value]) => `${set} ${value}`)
  return [
    `${date.slice(0, 10)}, ${cpu}, ${cores} cores, ${system}, Node ${node}, ${compiler}`,
    `commit ${commit}${modified ? ' with changes' : ''}${quick ? '; a quick run: figures of no value' : ''}`,
    ...(peak.length > 0 ? [`FMA peak of one core in GMAC/s: ${peak.join(', ')}`] : []),
    ...Object.entries(pipeline?.implementations ?? {})
      .filter(([, { refused }]) => refused)
      .map(([name]) => `not measured: phone calls, ${name} (its packages are not installed)`),
    ...missing.map(({ peer, reason }) => `not measured: ${peer} (${reason})`),
  ]
}

import { placeLabels } from './label-layout.mjs'
import { CONFIG, familyOf, FONT, GRID, machineLine, TEXT, toSvg } from './style.mjs'

const WIDTH = 470
const HEIGHT = 470
/** Beyond this the noise of 16-bit samples hides what is measured. */
const FLOOR_DB = 120
const DOMAIN_DB = [-4, FLOOR_DB + 20]
const FONT_SIZE = 10.5
/**
 * Left to the tables: instruction sets that stand for no machine of today or that the plain names run anyway, and
 * settings that lie where another one does.
 */
const HIDDEN =
  /^(sttstream \w+ (scalar|sse2|avx512|neon)|libsoxr (LQ|MQ)|swresample soxr|@livekit\/rtc-node (medium|very high))$/

/** Speed against rejection: a point right and above another is better at both. One picture for each format. */
export async function drawPareto(results) {
  const pictures = []
  for (const format of results.formats) {
    const points = pointsOf(results, format)
    if (points.length > 0)
      pictures.push({ name: `pareto-${format.name}`, svg: await toSvg(picture(results, format, points)) })
  }
  return pictures
}

function pointsOf({ peers, speed, quality }, { name: format, sampleRateHertz }) {
  return peers.flatMap(({ name, kind }) => {
    const fast = speed?.[format]?.[name]?.['20ms']
    const good = quality?.[sampleRateHertz]?.[name]
    if (!fast || !good || good.refused || HIDDEN.test(name)) return []
    const point = {
      name,
      kind,
      colour: familyOf(name).colour,
      bold: name.startsWith('sttstream'),
      timesRealTime: fast.timesRealTime,
      strict: rejection(good.aliasFrom502Db, good.imageTo498Db),
      relaxed: rejection(good.aliasFrom55Db, good.imageTo45Db),
    }
    return [point]
  })
}

function rejection(...levels) {
  return Math.max(0, Math.min(FLOOR_DB, -Math.max(...levels.filter(level => level !== null))))
}

function picture(results, format, points) {
  const [strict, relaxed] =
    format.sampleRateHertz > 16_000 ? ['8.03 kHz', '8.8 kHz'] : ['0.502 of the input rate', '0.55 of it']
  const speeds = points.map(({ timesRealTime }) => timesRealTime)
  const panels = [
    { kind: 'native', title: 'C and C++' },
    { kind: 'node', title: 'from JavaScript, on Node' },
  ].filter(({ kind }) => points.some(point => point.kind === kind))
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    background: 'white',
    padding: 16,
    config: { ...CONFIG, text: { font: FONT } },
    layout: { padding: 30, columns: panels.length, bounds: 'full', align: 'each' },
    title: {
      text: `Speed and rejection, ${format.title} to 16 kHz mono, chunks of 20 ms`,
      subtitle: [
        `Dot: worst alias or image from ${strict} on; its line ends at the worst from ${relaxed} on. Further right and up is better.`,
        machineLine(results),
      ],
      anchor: 'start',
    },
    marks: panels.map((panel, index) => panelOf(panel, index, speeds, points)),
  }
}

function panelOf({ kind, title }, index, speeds, points) {
  const [from, to] = [Math.min(...speeds) * 0.6, Math.max(...speeds) * 1.8]
  const placed = withLabels(
    points.filter(point => point.kind === kind),
    from,
    to,
  )
  return {
    type: 'group',
    encode: { update: { width: { value: WIDTH }, height: { value: HEIGHT } } },
    title: { text: title, fontSize: 13, fontWeight: 'normal', anchor: 'middle', offset: 6 },
    // The axes' grids ask for these by name.
    signals: [
      { name: 'width', value: WIDTH },
      { name: 'height', value: HEIGHT },
    ],
    data: [{ name: kind, values: placed }],
    scales: [
      { name: 'x', type: 'linear', domain: DOMAIN_DB, nice: false, zero: false, range: [0, WIDTH] },
      { name: 'y', type: 'log', domain: [from, to], nice: false, range: [HEIGHT, 0] },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        title: 'worst alias or image, dB below the tone (120: the floor of 16 bits)',
        values: [0, 20, 40, 60, 80, 100, 120],
        grid: true,
        gridColor: GRID,
      },
      {
        orient: 'left',
        scale: 'y',
        ...(index === 0 && { title: 'seconds of audio per second of CPU' }),
        values: [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000],
        format: ',d',
        grid: true,
        gridColor: GRID,
      },
    ],
    marks: [
      rule(kind, 'x2', 'y', {
        stroke: { field: 'colour' },
        strokeWidth: { value: 2 },
        opacity: { value: 0.35 },
      }),
      rule(kind, 'leaderX', 'leaderY', { stroke: { value: '#999999' }, strokeWidth: { value: 0.7 } }),
      {
        type: 'symbol',
        from: { data: kind },
        encode: {
          enter: {
            x: { field: 'x' },
            y: { field: 'y' },
            fill: { field: 'colour' },
            stroke: { value: 'white' },
            size: { value: 75 },
          },
        },
      },
      {
        type: 'text',
        from: { data: kind },
        encode: {
          enter: {
            x: { field: 'label.x' },
            y: { field: 'label.y' },
            align: { value: 'center' },
            baseline: { value: 'middle' },
            text: { field: 'text' },
            fill: { value: TEXT },
            fontSize: { value: FONT_SIZE },
            fontWeight: { field: 'weight' },
          },
        },
      },
    ],
  }
}

function rule(data, x2, y2, style) {
  return {
    type: 'rule',
    from: { data },
    encode: {
      enter: { x: { field: 'x' }, y: { field: 'y' }, x2: { field: x2 }, y2: { field: y2 }, ...style },
    },
  }
}

/** The points with their places in pixels, ours first: they choose the places of their names before the others. */
function withLabels(points, from, to) {
  const x = db => (WIDTH * (db - DOMAIN_DB[0])) / (DOMAIN_DB[1] - DOMAIN_DB[0])
  const y = speed => HEIGHT * (1 - Math.log(speed / from) / Math.log(to / from))
  const dots = points
    .map(point => ({
      ...point,
      text: point.name,
      x: x(point.strict),
      x2: x(point.relaxed),
      y: y(point.timesRealTime),
    }))
    .sort((a, b) => Number(b.bold) - Number(a.bold))
  return placeLabels(dots, { width: WIDTH, height: HEIGHT, fontSize: FONT_SIZE }).map(dot => ({
    ...dot,
    weight: dot.bold ? 'bold' : 'normal',
    leaderX: (dot.label.leader || dot).x,
    leaderY: (dot.label.leader || dot).y,
  }))
}

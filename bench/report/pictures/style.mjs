import * as vega from 'vega'

/** Okabe and Ito's colours, which colour-blind readers tell apart too; one for each family of resamplers. */
const FAMILIES = [
  { family: 'sttstream', begins: ['sttstream'], colour: '#d55e00' },
  { family: 'libsoxr', begins: ['libsoxr', '@livekit', 'swresample soxr'], colour: '#0072b2' },
  { family: 'speexdsp', begins: ['speexdsp', 'speex-resampler'], colour: '#009e73' },
  { family: 'libsamplerate', begins: ['libsamplerate'], colour: '#cc79a7' },
  { family: 'zita-resampler', begins: ['zita'], colour: '#56b4e9' },
  { family: 'swresample', begins: ['swresample', 'node-av'], colour: '#000000' },
  { family: 'wave-resampler, hand-written', begins: ['wave-resampler', 'hand-written'], colour: '#8a6d00' },
]

export function familyOf(name) {
  // 'swresample soxr' is soxr: the longest beginning wins.
  const matches = FAMILIES.flatMap(entry =>
    entry.begins.filter(begin => name.startsWith(begin)).map(begin => ({ ...entry, length: begin.length })),
  )
  return matches.sort((a, b) => b.length - a.length)[0] ?? { family: 'other', colour: '#666666' }
}

export const FONT = 'Helvetica, Arial, sans-serif'
export const GRID = '#e4e4e4'
export const TEXT = '#222222'

/** Shared by all Vega-Lite pictures. */
export const CONFIG = {
  font: FONT,
  background: 'white',
  padding: 16,
  title: {
    fontSize: 16,
    color: TEXT,
    subtitleColor: '#555555',
    subtitleFontSize: 12,
    anchor: 'start',
    offset: 14,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    gridColor: GRID,
    labelColor: TEXT,
  },
  header: { labelFontSize: 12, titleFontSize: 12 },
  legend: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', symbolStrokeWidth: 3 },
  view: { stroke: '#bbbbbb' },
}

/**
 * @param specification of Vega; Vega-Lite's are compiled before
 * @throws Error where Vega would log it and go on with half a picture
 */
export async function toSvg(specification) {
  const logger = vega.logger(vega.Error)
  logger.error = error => {
    throw error
  }
  return new vega.View(vega.parse(specification), { renderer: 'none', logger }).toSVG()
}

/** Under every picture: what it was measured on. */
export function machineLine({ date, machine, quick }) {
  const value = quick ? '; a quick run: figures of no value' : ''
  return `${machine.cpu}, one core, Node ${machine.node}, ${date.slice(0, 10)}${value}`
}

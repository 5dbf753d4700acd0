import { existsSync, readFileSync } from 'node:fs'
import { encode } from 'fast-png'
import * as vega from 'vega'
import { compile } from 'vega-lite'
import { Spectrum } from '../../quality/spectrum.mjs'
import { sweepOutput } from '../../parts/quality.mjs'
import { CONFIG, machineLine, toSvg } from './style.mjs'

const SHOWN = [
  'sttstream high',
  'sttstream fast',
  'libsoxr HQ',
  'speexdsp q5',
  'libsamplerate fastest',
  'zita-resampler 48',
  'swresample default',
  'wave-resampler cubic',
  'hand-written linear',
]
const COLUMNS = 3
const WIDTH = 300
const HEIGHT = 170
const FRAME = 1_024
const PIXELS_ACROSS = 480
/** Below the lowest level all is one colour: there the noise of the sweep's own 16 bits begins. */
const LEVELS_DB = [-105, 0]
/** Fewer colours than the eye tells apart, so that the pictures stay small. */
const STEP_DB = 1.5
const PALETTE = vega.scheme('inferno')

/** A sweep from 0 to 24 kHz after resampling: whatever is seen right of 8 kHz folded back. */
export async function drawAliasSweep(results) {
  const names = SHOWN.filter(
    name => results.quality?.[48_000]?.[name]?.alias && existsSync(sweepOutput(name)),
  )
  if (names.length === 0) return []
  return [{ name: 'alias-sweep', svg: await toSvg(compile(picture(results, names)).spec) }]
}

function picture(results, names) {
  return {
    config: CONFIG,
    title: {
      text: 'A sweep from 0 to 24 kHz, resampled from 48 kHz to 16 kHz',
      subtitle: [
        'Across: the frequency that goes in. Up: what comes out. The rising line to 8 kHz is the band; all else is an alias.',
        machineLine(results),
      ],
    },
    hconcat: [
      { columns: COLUMNS, spacing: 26, concat: names.map((name, index) => panel(name, index)) },
      colourBar(),
    ],
    spacing: 24,
  }
}

function panel(name, index) {
  const axis = { grid: false, values: [0, 4, 8, 12, 16, 20, 24], tickSize: 3 }
  return {
    title: { text: name, fontSize: 13, fontWeight: 'normal', anchor: 'middle', offset: 6 },
    width: WIDTH,
    height: HEIGHT,
    data: { values: [{ x: 12, y: 4 }] },
    mark: { type: 'image', width: WIDTH, height: HEIGHT, aspect: false },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: 'in, kHz',
        scale: { domain: [0, 24], nice: false },
        axis,
      },
      y: {
        field: 'y',
        type: 'quantitative',
        title: index % COLUMNS === 0 ? 'out, kHz' : null,
        scale: { domain: [0, 8], nice: false },
        axis: { ...axis, values: [0, 2, 4, 6, 8] },
      },
      url: { value: spectrogram(sweepOutput(name)) },
    },
  }
}

function colourBar() {
  const [low, high] = LEVELS_DB
  const height = 300
  const pixels = Array.from({ length: height }, (_, row) => colourOf(high - (row / height) * (high - low)))
  return {
    title: { text: 'dB', fontSize: 12, fontWeight: 'normal', offset: 6 },
    width: 16,
    height,
    data: { values: [{ x: 0.5, y: (low + high) / 2 }] },
    mark: { type: 'image', width: 16, height, aspect: false },
    encoding: {
      x: { field: 'x', type: 'quantitative', axis: null, scale: { domain: [0, 1], nice: false } },
      y: {
        field: 'y',
        type: 'quantitative',
        title: null,
        scale: { domain: LEVELS_DB, nice: false },
        axis: { orient: 'right', grid: false, values: [-100, -80, -60, -40, -20, 0] },
      },
      url: { value: dataUrl(1, height, pixels.flat()) },
    },
  }
}

/** Columns of time, rows of frequency, the highest on top; the strongest of the bins that share a pixel. */
function spectrogram(path) {
  const bytes = readFileSync(path)
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
  const transform = new Spectrum(FRAME)
  const window = Float64Array.from(
    { length: FRAME },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / FRAME),
  )
  const rows = FRAME / 4
  const pixels = new Uint8Array(PIXELS_ACROSS * rows * 3)
  const frame = new Float64Array(FRAME)
  const power = new Float64Array(FRAME / 2)
  // A sine of full scale under a Hann window shows with this power.
  const fullScale = ((32_768 * FRAME) / 4) ** 2
  for (let column = 0; column < PIXELS_ACROSS; column++) {
    const start = Math.round((column * (samples.length - FRAME)) / (PIXELS_ACROSS - 1))
    for (let i = 0; i < FRAME; i++) frame[i] = samples[start + i] * window[i]
    transform.compute(frame, power)
    for (let row = 0; row < rows; row++) {
      const level = 10 * Math.log10(Math.max(power[2 * row], power[2 * row + 1], 1e-9) / fullScale)
      pixels.set(colourOf(level), 3 * ((rows - 1 - row) * PIXELS_ACROSS + column))
    }
  }
  return dataUrl(PIXELS_ACROSS, rows, pixels)
}

function colourOf(level) {
  const [low, high] = LEVELS_DB
  const rounded = STEP_DB * Math.round(level / STEP_DB)
  const share = Math.max(0, Math.min(1, (rounded - low) / (high - low)))
  const { r, g, b } = rgb(PALETTE(share))
  return [r, g, b]
}

const known = new Map()
function rgb(text) {
  if (!known.has(text)) {
    const [r, g, b] = text.match(/\d+/g).map(Number)
    known.set(text, { r, g, b })
  }
  return known.get(text)
}

function dataUrl(width, height, data) {
  const png = encode({ width, height, data: Uint8Array.from(data), channels: 3 })
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`
}

import t from 'tap'
import { someCells, testCells, WAYS, type Cell } from './fixtures/format-matrix.js'
import type { AudioFormat } from './fixtures/audio-format.js'
import { FORMATS } from './fixtures/formats.js'

// A thread of WebAssembly costs some time, a child process more. So what is decoded in process meets each of its rates,
// what ffmpeg decodes one of them, in one way each. Rates, numbers of channels and ways take turns;
// `npm run test:formats` has all rates with all channels.
function cellsOf(format: AudioFormat, index: number): Cell[] {
  const { rates, channels, decodedBy } = format
  const count = decodedBy === 'codec' ? Math.max(rates.length, channels.length) : 1
  return someCells(format, index, count).map((cell, i) => ({
    ...cell,
    ways: [WAYS[(index + i) % WAYS.length]!],
  }))
}

const formats = FORMATS.filter(({ decodedBy }) => decodedBy !== 'reader')
testCells(t, formats.flatMap(cellsOf))

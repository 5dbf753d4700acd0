import t from 'tap'
import { WAYS, testCells, type Cell } from './fixtures/format-matrix.js'
import type { AudioFormat } from './fixtures/audio-format.js'
import { FORMATS } from './fixtures/formats.js'

// A thread of WebAssembly costs some time, a child process more. So what is decoded in process meets each of its rates
// with one number of channels, what ffmpeg decodes each number of channels at one of its rates, in one way each. All
// of them take turns; `npm run test:formats` has all rates with all channels.
function someCells(format: AudioFormat, index: number): Cell[] {
  const { rates, channels, decodedBy } = format
  const [count, step] =
    decodedBy === 'codec' ? [Math.max(rates.length, channels.length), 1] : [channels.length, 3]
  return Array.from({ length: count }, (_, i) => ({
    format,
    sampleRateHertz: rates[(index + step * i) % rates.length]!,
    channels: channels[i % channels.length]!,
    ways: [WAYS[(index + i) % WAYS.length]!],
  }))
}

const formats = FORMATS.filter(({ decodedBy }) => decodedBy !== 'reader')
testCells(t, formats.flatMap(someCells))

import t from 'tap'
import { someCells, testCells, WAYS } from './fixtures/format-matrix.js'
import { FORMATS } from './fixtures/formats.js'

// Each format at each of its rates, with its numbers of channels by turns; each file whole and, by turns, in one more
// way. `npm run test:formats` has all rates with all channels in all ways.
const formats = FORMATS.filter(({ decodedBy }) => decodedBy === 'reader')
const [whole, ...others] = WAYS
const cells = formats.flatMap((format, i) => someCells(format, i, format.rates.length))
testCells(
  t,
  cells.map((cell, i) => ({ ...cell, ways: [whole!, others[i % others.length]!] })),
)

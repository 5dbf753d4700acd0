import t from 'tap'
import { everyCell, testCells, WAYS } from './fixtures/format-matrix.js'
import { FORMATS } from './fixtures/formats.js'

// Every rate with every number of channels: each file whole and in one more way. The ways take turns, so that each
// format meets them all; `npm run test:formats` has them all everywhere.
const formats = FORMATS.filter(({ decodedBy }) => decodedBy === 'reader')
const [whole, ...others] = WAYS
testCells(
  t,
  everyCell(formats).map((cell, i) => ({ ...cell, ways: [whole!, others[i % others.length]!] })),
)

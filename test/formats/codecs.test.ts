import t from 'tap'
import { everyCell, testCells } from '../fixtures/format-matrix.js'
import { CODEC_FORMATS } from '../fixtures/codec-formats.js'

testCells(t, everyCell(CODEC_FORMATS.filter((_, i) => i % 2 === 0)))

import t from 'tap'
import { everyCell, testCells } from '../fixtures/format-matrix.js'
import { PCM_FORMATS } from '../fixtures/pcm-formats.js'

testCells(t, everyCell(PCM_FORMATS))

/**
 * Designs the resampler's filters and writes them, as twins, for C++ and for TypeScript:
 *
 *   node native/design/design-filters.mjs           writes both files
 *   node native/design/design-filters.mjs --check   fails if a file differs from what would be written
 *   node native/design/design-filters.mjs --spans   what other spans would buy (README.md has the table)
 *
 * README.md beside this file has the method and the reasons for the numbers in filter-specs.mjs.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { FAST, HALF_BAND_PAIRS, HALF_BAND_STOP_DB, HIGH } from './filter-specs.mjs'
import { designHalfBand } from './half-band.mjs'
import { designPrototype } from './prototype.mjs'
import { cppSource, typescriptSource } from './twins.mjs'

const root = join(import.meta.dirname, '../..')

const mode = process.argv[2]
if (mode === '--spans') printSpans()
else if (mode === undefined || mode === '--check') writeOrCheck()
else throw new Error(`unknown option ${mode}: expected --check or --spans`)

function writeOrCheck() {
  const filters = {
    high: prototypeOf(HIGH),
    fast: prototypeOf(FAST),
    halfBands: HALF_BAND_PAIRS.map(pairs => designHalfBand(pairs, HALF_BAND_STOP_DB)),
  }
  const twins = new Map([
    [join(root, 'native/resampler/prototypes.inc'), cppSource(filters)],
    [join(root, 'src/audio/portable/prototypes.ts'), typescriptSource(filters)],
  ])
  for (const [path, source] of twins) {
    if (mode !== '--check') {
      writeFileSync(path, source)
    } else if (readFileSync(path, 'utf8') !== source) {
      console.error(`${relative(root, path)} is not what native/design/design-filters.mjs writes`)
      process.exitCode = 1
    }
  }
}

function prototypeOf(spec) {
  const { cosines, spareDb } = designPrototype(spec)
  if (spareDb < 0)
    throw new Error(`a span of ${spec.span} misses its stopband by ${(-spareDb).toFixed(2)} dB`)
  return { span: spec.span, cosines }
}

function printSpans() {
  for (const [name, spec] of Object.entries({ high: HIGH, fast: FAST })) {
    for (const offset of [-4, -3, -2, -1, 0, 1, 2, 4]) {
      const span = spec.span + offset
      const cosines = spec.cosines + Math.ceil(offset / 2)
      const { spareDb } = designPrototype({ ...spec, span, cosines })
      console.log(`${name}  T = ${span}  stopband at ${(spec.stopDb(spec.stop) - spareDb).toFixed(2)} dB`)
    }
  }
}

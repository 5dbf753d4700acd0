/**
 * Specimens of every kind with bits flipped, through `decode()` as it is: each must end as audio or as a typed error.
 * A violation names the command that repeats its run.
 */
import { randomInt } from 'node:crypto'
import t from 'tap'
import { join } from 'node:path'
import { outcomeOf } from './outcome.js'
import { makeSpecimens } from './specimens.js'
import { flips, tryAll, watchLeftovers } from './trials.js'

/** Set by scripts/test-hostile.mjs: so many flips of every specimen. */
const { STTSTREAM_HOSTILE_SEED, STTSTREAM_HOSTILE_RUNS = '60', STTSTREAM_HOSTILE_FRESH = '15' } = process.env
const RUNS = Number(STTSTREAM_HOSTILE_RUNS)
const SEEDS =
  STTSTREAM_HOSTILE_SEED === undefined
    ? [
        ...Array.from({ length: RUNS }, (_, index) => index),
        ...Array.from({ length: Number(STTSTREAM_HOSTILE_FRESH) }, () => randomInt(RUNS, 2 ** 31)),
      ]
    : [Number(STTSTREAM_HOSTILE_SEED)]

const work = t.testdir({ temporary: {} })
const temporary = join(work, 'temporary')
process.env['TMPDIR'] = temporary

const specimens = await makeSpecimens(work)
for (const { file } of specimens) await outcomeOf([file])
const checkLeftovers = await watchLeftovers(temporary)

for (const specimen of specimens) {
  t.test(`${specimen.name} with flipped bits ends as audio or as a typed error`, t =>
    tryAll(t, flips(specimen, SEEDS)),
  )
}

t.test('flips leave nothing behind, and memory does not grow', checkLeftovers)

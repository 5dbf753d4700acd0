/** Specimens of every kind cut off wherever a part of them begins or ends. */
import t from 'tap'
import { join } from 'node:path'
import { outcomeOf } from './outcome.js'
import { makeSpecimens } from './specimens.js'
import { truncations, tryAll, watchLeftovers } from './trials.js'

const work = t.testdir({ temporary: {} })
const temporary = join(work, 'temporary')
process.env['TMPDIR'] = temporary

const specimens = await makeSpecimens(work)
for (const { file } of specimens) await outcomeOf([file])
const checkLeftovers = await watchLeftovers(temporary)

for (const specimen of specimens) {
  t.test(`${specimen.name}, cut off at each of its parts, ends as audio or as a typed error`, t =>
    tryAll(t, truncations(specimen, specimen.boundaries)),
  )
}

t.test('truncations leave nothing behind, and memory does not grow', checkLeftovers)

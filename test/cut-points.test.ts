import t from 'tap'
import { testCuts } from './fixtures/cut-link.js'

/** `npm run test:chaos` tries many more, and real speech. */
const CUTS_OF_EACH = 12

for (const how of ['reset', 'close', 'halfOpen'] as const) {
  t.test(`${how}: wherever the link breaks, the finals are those of a whole one`, t =>
    testCuts(t, how, CUTS_OF_EACH),
  )
}

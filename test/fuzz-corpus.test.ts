import t from 'tap'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkRules } from './fuzz/rules.js'

const CORPUS = join(import.meta.dirname, 'fuzz', 'corpus')

t.test('the corpus of the fuzzer breaks no rule, wherever it is cut off', async t => {
  for (const name of readdirSync(CORPUS)) {
    const input = readFileSync(join(CORPUS, name))
    const everyLength = Array.from({ length: input.length }, (_, length) => length)
    t.doesNotThrow(() => checkRules(input, everyLength), name)
  }
})

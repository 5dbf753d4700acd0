/**
 * The readers of headers under a fuzzer, for as long as scripts/test-fuzz-readers.mjs says. It begins with the
 * committed corpus; an input that breaks a rule is told in hex, and belongs into the corpus once the bug is mended.
 */
import { createHash } from 'node:crypto'
import t from 'tap'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Dice } from '../chaos/dice.js'
import { Coverage } from './coverage.js'
import { Fuzzer } from './fuzzer.js'

/** Set by scripts/test-fuzz-readers.mjs. */
const { STTSTREAM_FUZZ_SECONDS = '20', STTSTREAM_FUZZ_SEED = '1', STTSTREAM_FUZZ_KEEP } = process.env

const CORPUS = join(import.meta.dirname, 'corpus')
const ENDS = 4

t.test('nothing that the fuzzer finds breaks a rule', async t => {
  const coverage = new Coverage(url => url.includes('/dist/audio/'))
  t.teardown(() => coverage.stop())
  // Behind the beginning of coverage, or its modules would not be counted.
  const { checkRules } = await import('./rules.js')
  const dice = new Dice(Number(STTSTREAM_FUZZ_SEED))
  const fuzzer = new Fuzzer(coverage, input =>
    checkRules(
      input,
      dice.times(ENDS, () => dice.int(0, input.length)),
    ),
  )
  for (const name of readdirSync(CORPUS)) fuzzer.add(readFileSync(join(CORPUS, name)))
  const known = coverage.reached
  const knownInputs = fuzzer.corpus.length
  const end = performance.now() + Number(STTSTREAM_FUZZ_SECONDS) * 1000
  fuzzer.search(dice, () => performance.now() >= end)
  t.comment(
    `readers: ${fuzzer.runs} inputs; ${coverage.reached} characters of code reached, ${known} by the corpus`,
  )
  if (STTSTREAM_FUZZ_KEEP !== undefined) for (const input of fuzzer.corpus.slice(knownInputs)) keep(input)
  t.ok(fuzzer.runs > 1_000)
})

function keep(input: Buffer): void {
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12)
  writeFileSync(join(CORPUS, `found-${name}`), input)
}

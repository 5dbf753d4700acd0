import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

/** The faults stand in files of their own, by the part of the dialogue that they strike. */
t.test('every fault from 1 to 58 has a test of the whole pipeline', t => {
  const files = readdirSync(import.meta.dirname).filter(name => /^client-faults-.+\.test\.ts$/.test(name))
  const titles = files.flatMap(name => [
    ...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/['`](\d+(?:, \d+)*): /g),
  ])
  const tested = new Set(titles.flatMap(([, numbers = '']) => numbers.split(', ').map(Number)))
  const faults = Array.from({ length: 58 }, (_, index) => index + 1)
  t.strictSame(
    faults.filter(fault => !tested.has(fault)),
    [],
  )
  t.end()
})

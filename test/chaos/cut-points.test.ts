/** A link that breaks, all over the connection: what is heard is what a whole one hears. */
import t from 'tap'
import { pocketsphinxRecognizer, startLocalServer } from '#dist/testing.js'
import { countErrors, wordsOf } from '../../bench/word-errors.mjs'
import { cutsOf, listen, OPTIONS, testCuts, type Heard } from '../fixtures/cut-link.js'
import { librivox, readSamples } from '../fixtures/speech.js'

const CUTS_OF_EACH = 80
/** Of real speech, which takes a decoder's time. */
const REAL_CUTS = 4

for (const how of ['reset', 'close', 'halfOpen'] as const) {
  t.test(`${how}: wherever the link breaks, the finals are those of a whole one`, t =>
    testCuts(t, how, CUTS_OF_EACH),
  )
}

t.test('real speech: a broken link costs at most 5 points of word error rate', async t => {
  const recognizer = await pocketsphinxRecognizer({ sessions: 2 })
  const server = await startLocalServer({ recognizer })
  t.teardown(async () => {
    await server.close()
    await recognizer.close()
  })
  const clips = librivox.slice(0, 2)
  const silence = new Int16Array(16_000)
  const samples = clips.flatMap(clip => [readSamples(clip), silence])
  const source = Buffer.concat(
    samples.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  )
  const spoken = wordsOf(clips.map(({ transcript }) => transcript).join(' '))
  const options = {
    ...OPTIONS,
    handshakeTimeoutMs: 20_000,
    pongTimeoutMs: 10_000,
    watchdogMs: false as const,
  }
  const rateOf = ({ finals }: Heard) =>
    countErrors(spoken, wordsOf(finals.map(({ transcript }) => transcript).join(' '))) / spoken.length
  const whole = await listen(server, source, options)
  const wholeRate = rateOf(whole)
  for (const cut of cutsOf(whole, 'reset', 2, REAL_CUTS)) {
    const heard = await listen(server, source, options, cut)
    const where = `after ${cut.afterBytes} bytes ${cut.direction}`
    t.ok(rateOf(heard) <= wholeRate + 0.05, `${where}: ${rateOf(heard)} against ${wholeRate}`)
  }
})

import t from 'tap'
import { phrasesToArpa, promptPhrases } from '#dist/local/recognizers/pocketsphinx-prompts.js'

/** Probability and back-off weight of each n-gram of an ARPA model, by its words. */
function parseArpa(arpa: string): Map<string, { probability: number; backoff: number }> {
  const grams = new Map<string, { probability: number; backoff: number }>()
  for (const line of arpa.split('\n')) {
    const [probability, words, backoff = '0'] = line.split('\t')
    if (words !== undefined) {
      grams.set(words, { probability: 10 ** Number(probability), backoff: 10 ** Number(backoff) })
    }
  }
  return grams
}

/** The model's probability of a word after a context, as a reader of ARPA files computes it. */
function probability(grams: ReturnType<typeof parseArpa>, context: readonly string[], word: string): number {
  const found = grams.get([...context, word].join(' '))
  if (found) return found.probability
  if (context.length === 0) return 0
  const backoff = grams.get(context.join(' '))?.backoff ?? 1
  return backoff * probability(grams, context.slice(1), word)
}

const PHRASES = [
  ['turn', 'on', 'the', 'lamp'],
  ['turn', 'off', 'the', 'lamp'],
  ['book', 'a', 'room'],
  ['room', 'room', 'room'],
]

t.test('gives every context probabilities that sum to one', async t => {
  const grams = parseArpa(phrasesToArpa(PHRASES))
  const vocabulary = [...new Set(PHRASES.flat()), '</s>']
  for (const context of [
    [],
    ['<s>'],
    ['the'],
    ['room'],
    ['<s>', 'turn'],
    ['turn', 'on'],
    ['room', 'room'],
    ['a', 'lamp'],
  ]) {
    const sum = vocabulary.reduce((total, word) => total + probability(grams, context, word), 0)
    t.ok(Math.abs(sum - 1) < 0.002, `after "${context.join(' ')}": ${sum.toFixed(4)}`)
  }
})

t.test('expects what the phrases say', async t => {
  const grams = parseArpa(phrasesToArpa(PHRASES))
  t.ok(probability(grams, ['off', 'the'], 'lamp') > 0.6)
  t.ok(probability(grams, ['off', 'the'], 'room') < 0.1)
  t.ok(probability(grams, ['<s>'], 'turn') > probability(grams, ['<s>'], 'book'))
  t.equal(probability(grams, ['turn'], '<s>') < 1e-6, true, 'no sentence begins within another')
})

t.test('counts its n-grams in the header', async t => {
  const arpa = phrasesToArpa([['go', 'forward']])
  t.match(arpa, /^\\data\\\nngram 1=4\nngram 2=3\nngram 3=2\n\n\\1-grams:\n/)
  t.match(arpa, /\\end\\\n$/)
})

t.test('cuts prompts at punctuation and at words that the dictionary lacks', async t => {
  const known = new Set(['turn', 'on', 'the', 'lamp', "what's", 'up'])
  const phrases = promptPhrases(["Turn on, the Lamp. What's up?", 'turn xyzzy lamp', '', '?!', '<s>'], word =>
    known.has(word),
  )
  t.same(phrases, [['turn', 'on'], ['the', 'lamp'], ["what's", 'up'], ['turn'], ['lamp']])
})

t.test('takes no more than 5000 words', async t => {
  const phrases = promptPhrases([`${'lamp '.repeat(6_000)}`, 'lamp'], () => true)
  t.equal(phrases.flat().length, 5_000)
})

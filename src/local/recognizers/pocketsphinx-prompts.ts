/**
 * A small language model of the caller's own phrases, to be mixed with the big one: which words follow which in
 * the prompts, up to three in a row. Absolute discounting with back-off (Ney, Essen and Kneser 1994); the phrases
 * are few and meant as they stand, so little is taken from what they say.
 */

const ORDER = 3
/** Taken from every count of a longer context and given to the shorter one. */
const DISCOUNT = 0.3
const START = '<s>'
const END = '</s>'
/** ARPA's way to say "never predicted": no sentence goes on with its own beginning. */
const LOG_ZERO = -99

/** A client's prompts are not ours to bound otherwise; more words than this are no hints any more. */
const MAX_PROMPT_WORDS = 5_000

/** Prompts as runs of words that the dictionary holds; a word it lacks splits its phrase. */
export function promptPhrases(prompts: readonly string[], isKnown: (word: string) => boolean): string[][] {
  const phrases: string[][] = []
  let words = 0
  for (const clause of prompts.flatMap(prompt => prompt.toLowerCase().split(/[.,;:!?\n]/))) {
    let phrase: string[] = []
    for (const word of clause.match(/[\p{L}\p{N}'-]+/gu) ?? []) {
      if (++words > MAX_PROMPT_WORDS) break
      if (isKnown(word)) {
        phrase.push(word)
      } else {
        phrases.push(phrase)
        phrase = []
      }
    }
    phrases.push(phrase)
  }
  return phrases.filter(phrase => phrase.length > 0)
}

/** A language model of the phrases in ARPA's text format. */
export function phrasesToArpa(phrases: readonly (readonly string[])[]): string {
  const followers = countFollowers(phrases)
  const orders: string[][] = Array.from({ length: ORDER }, () => [])
  for (const [context, counts] of followers) {
    for (const word of counts.keys()) {
      const gram = context === '' ? word : `${context} ${word}`
      const fields = [log10(probability(followers, context, word)), gram]
      if (followers.has(gram)) fields.push(log10(backoff(followers, gram)))
      orders[context === '' ? 0 : context.split(' ').length]?.push(fields.join('\t'))
    }
  }
  orders[0]?.push(`${LOG_ZERO}\t${START}\t${log10(backoff(followers, START))}`)
  const sizes = orders.map((grams, index) => `ngram ${index + 1}=${grams.length}`)
  const sections = orders.map((grams, index) => [`\\${index + 1}-grams:`, ...grams, ''].join('\n'))
  return ['\\data\\', ...sizes, '', ...sections, '\\end\\', ''].join('\n')
}

type Followers = Map<string, Map<string, number>>

/** How often each word follows each context of 0 to 2 words; '' is no context. */
function countFollowers(phrases: readonly (readonly string[])[]): Followers {
  const followers: Followers = new Map()
  for (const phrase of phrases) {
    const words = [START, ...phrase, END]
    for (let at = 1; at < words.length; at++) {
      for (let from = at; from >= Math.max(0, at - ORDER + 1); from--) {
        const context = words.slice(from, at).join(' ')
        const counts = followers.get(context) ?? new Map<string, number>()
        const word = words[at] ?? END
        counts.set(word, (counts.get(word) ?? 0) + 1)
        followers.set(context, counts)
      }
    }
  }
  return followers
}

function probability(followers: Followers, context: string, word: string): number {
  const counts = followers.get(context)
  if (!counts) return probability(followers, shorter(context), word)
  const count = counts.get(word) ?? 0
  const discount = context === '' ? 0 : DISCOUNT
  if (count > 0) return (count - discount) / total(counts)
  return backoff(followers, context) * probability(followers, shorter(context), word)
}

/** What the discount freed, spread over the words that this context has not seen. */
function backoff(followers: Followers, context: string): number {
  const counts = followers.get(context)
  if (!counts) return 1
  const freed = (DISCOUNT * counts.size) / total(counts)
  let seen = 0
  for (const word of counts.keys()) seen += probability(followers, shorter(context), word)
  // Where all words have been seen nothing is left to spread it over.
  return seen < 1 ? freed / (1 - seen) : freed
}

function shorter(context: string): string {
  const space = context.indexOf(' ')
  return space < 0 ? '' : context.slice(space + 1)
}

function total(counts: Map<string, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += count
  return sum
}

function log10(value: number): string {
  return Math.log10(value).toFixed(4)
}

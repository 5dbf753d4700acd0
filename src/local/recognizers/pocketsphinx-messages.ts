import type { RecognizedUtterance } from '../recognizer.js'
import type { PocketsphinxFiles } from './pocketsphinx-model.js'

/** What a pool tells one of its children. `push` and `finish` are answered in order, the rest as noted. */
export type ToChild =
  /** First, once. Answer: `ready` or `failed`. */
  | { type: 'load'; files: PocketsphinxFiles }
  /** A session begins. Answer: `prepared`. */
  | { type: 'prepare'; prompts: readonly string[] }
  /** An utterance begins. No answer. */
  | { type: 'start' }
  | { type: 'push'; pcm: Int16Array }
  | { type: 'finish' }
  /** The session is over: unanswered messages are dropped and a fresh decoder is made. Answer: `ready` or `failed`. */
  | { type: 'renew' }

export type FromChild =
  | { type: 'ready' }
  | { type: 'prepared' }
  | { type: 'text'; text: string }
  | { type: 'utterance'; utterance: RecognizedUtterance }
  /** The decoder cannot be used; the child exits. */
  | { type: 'failed'; reason: string }

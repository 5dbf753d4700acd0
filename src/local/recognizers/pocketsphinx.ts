import { availableParallelism } from 'node:os'
import type { Recognizer } from '../recognizer.js'
import { findPocketsphinx } from './pocketsphinx-model.js'
import { PocketsphinxPool } from './pocketsphinx-pool.js'
import { PocketsphinxSession } from './pocketsphinx-session.js'

/** Options of {@link pocketsphinxRecognizer}. */
export interface PocketsphinxOptions {
  /**
   * Directory that holds `en-us/` (the acoustic model), `cmudict-en-us.dict` and `en-us.lm.bin`.
   * Default: where the system's package puts them.
   */
  modelDir?: string
  /**
   * Sessions at a time, 1 to 256. Each is a process of about 150 MB, started as the number of sessions grows; up to
   * two spare ones wait. Default: the number of cores, at least 2.
   */
  sessions?: number
  /** The shared library, libpocketsphinx 0.8+5prealpha. Default: searched for in the system's directories. */
  libraryPath?: string
}

const MAX_SESSIONS = 256

/**
 * English speech recognition on this machine: libpocketsphinx with the en-us model in child processes, one per
 * session. Resolves when the first is ready. Children keep no process alive and die with this one.
 * @throws TypeError, RangeError for options; SttError STT_ERR_RECOGNIZER_UNAVAILABLE, which says what to install
 */
export async function pocketsphinxRecognizer(options: PocketsphinxOptions = {}): Promise<Recognizer> {
  const { sessions = Math.max(2, availableParallelism()) } = options
  checkSessions(sessions)
  const pool = new PocketsphinxPool(await findPocketsphinx(options), sessions)
  try {
    await pool.warm()
  } catch (error) {
    await pool.close()
    throw error
  }
  return {
    name: 'pocketsphinx',
    async open({ prompts = [] }) {
      const session = new PocketsphinxSession(await pool.take(), child => pool.giveBack(child))
      if (prompts.length > 0) await session.prepare(prompts)
      return session
    },
    close: () => pool.close(),
  }
}

function checkSessions(sessions: unknown): void {
  const range = `an integer from 1 to ${MAX_SESSIONS}`
  if (typeof sessions !== 'number') throw new TypeError(`sessions must be ${range}; got ${typeof sessions}`)
  if (!Number.isInteger(sessions) || sessions < 1 || sessions > MAX_SESSIONS) {
    throw new RangeError(`sessions must be ${range}; got ${sessions}`)
  }
}

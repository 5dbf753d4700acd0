import { Session } from 'node:inspector'

/** What V8 reports, as far as it is used here: each function's own range first, then blocks, inner behind outer. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly ranges: readonly [Range, ...Range[]] }[]
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

/**
 * Tells which code has run that never ran before: V8 counts blocks itself, so nothing has to be instrumented. Modules
 * that were loaded before it began are not counted. V8 reports a block only where its count differs from that of the
 * block around it, so what has run is kept by character of the source.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #isWatched: (url: string) => boolean
  /** By function: 1 where its source has run. */
  readonly #reached = new Map<string, Uint8Array>()

  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** How much code has run and been learnt, in characters. */
  get reached(): number {
    let sum = 0
    for (const map of this.#reached.values()) for (const has of map) sum += has
    return sum
  }

  /**
   * Whether code has run since the last call that had never run before.
   * @param learn whether it counts as run from now on
   */
  hasNews(learn: boolean): boolean {
    let hasNews = false
    for (const { url, functions } of this.#take()) {
      for (const { ranges } of functions) {
        const [{ startOffset: start, endOffset: end }] = ranges
        const ran = new Uint8Array(end - start)
        for (const { startOffset, endOffset, count } of ranges)
          ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start)
        const before = this.#reached.get(`${url}:${start}`)
        if (ran.some((has, i) => has > (before?.[i] ?? 0))) hasNews = true
        if (learn) this.#reached.set(`${url}:${start}`, before ? ran.map((has, i) => has | before[i]!) : ran)
      }
    }
    return hasNews
  }

  #take(): ScriptCoverage[] {
    let scripts: ScriptCoverage[] = []
    // A session of one's own thread answers before post() returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }: { result: ScriptCoverage[] }) => {
      if (error) throw error
      scripts = result.filter(({ url }) => this.#isWatched(url))
    })
    return scripts
  }

  stop(): void {
    this.#session.disconnect()
  }
}

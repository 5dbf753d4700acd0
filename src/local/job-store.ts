import { randomBytes } from 'node:crypto'
import { RESOURCE_EXHAUSTED, type Status } from './server-message.js'
import { StatusError } from './status-error.js'

export interface Job {
  /** Of the operation, as the client polls it. */
  readonly name: string
  /** Stands in the address of the result and is all that it takes to fetch it, as in the service's signed links. */
  readonly resultKey: string
  outcome?: JobOutcome
}

/** `expiresAtMs`: since the epoch. */
export type JobOutcome = { expiresAtMs: number } & ({ document: object } | { error: Status })

export interface JobStoreOptions {
  maxJobs: number
  jobKeepMs: number
  toStatus: (error: unknown) => Status
}

/** Jobs that wait, run one after the other, and are kept for a while when they are done. */
export class JobStore {
  readonly #options: JobStoreOptions
  readonly #jobs = new Map<string, Job>()
  readonly #closing = new AbortController()
  #last: Promise<void> = Promise.resolve()

  constructor(options: JobStoreOptions) {
    this.#options = options
  }

  /**
   * @param work makes the document; it ends early at the signal
   * @throws StatusError code 8 when there are too many that are not done
   */
  add(work: (signal: AbortSignal) => Promise<object>): Job {
    this.#makeRoom()
    const id = randomBytes(8).toString('hex')
    const job: Job = {
      name: `workspaces/local/sttJobs/${id}/operations/${id}`,
      resultKey: randomBytes(32).toString('hex'),
    }
    this.#jobs.set(job.name, job)
    // One at a time: decoders are few, and streams want them too.
    this.#last = this.#last.then(async () => {
      const outcome = await work(this.#closing.signal).then(
        document => ({ document }),
        (error: unknown) => ({ error: this.#options.toStatus(error) }),
      )
      job.outcome = { ...outcome, expiresAtMs: Date.now() + this.#options.jobKeepMs }
    })
    return job
  }

  /** By the name of its operation; undefined where it is unknown or has expired. */
  find(name: string): Job | undefined {
    this.#forgetExpired()
    return this.#jobs.get(name)
  }

  /** What a job has made. */
  document(resultKey: string): object | undefined {
    this.#forgetExpired()
    const outcome = [...this.#jobs.values()].find(job => job.resultKey === resultKey)?.outcome
    return outcome && 'document' in outcome ? outcome.document : undefined
  }

  /** Ends the work under way and that which waits; resolves when it has let go of everything. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the server closes'))
    await this.#last
  }

  #makeRoom(): void {
    this.#forgetExpired()
    if (this.#jobs.size < this.#options.maxJobs) return
    const oldestDone = [...this.#jobs.values()].find(job => job.outcome)
    if (!oldestDone)
      throw new StatusError({ code: RESOURCE_EXHAUSTED, message: 'the limit of jobs in flight is reached' })
    this.#jobs.delete(oldestDone.name)
  }

  /** Done when somebody looks: no timer keeps a process for them. */
  #forgetExpired(): void {
    for (const [name, { outcome }] of this.#jobs) {
      if (outcome && outcome.expiresAtMs <= Date.now()) this.#jobs.delete(name)
    }
  }
}

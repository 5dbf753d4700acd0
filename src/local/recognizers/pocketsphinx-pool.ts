import { SttError } from '../../errors.js'
import { unavailable, type PocketsphinxFiles } from './pocketsphinx-model.js'
import { PocketsphinxProcess } from './pocketsphinx-process.js'

interface Waiter {
  resolve(child: PocketsphinxProcess): void
  reject(error: Error): void
  deadline: NodeJS.Timeout
}

/** A model loads in 0.3 s, on a busy or cold machine in many times that; longer is a hang. */
const READY_TIMEOUT_MS = 60_000
/** Unused decoders kept ready or loading, so that a machine of many cores does not fill its memory at once. */
const SPARE_CHILDREN = 2

/**
 * Up to a fixed number of children. Each goes round: loading → ready → taken → (given back) loading → ready. One
 * that dies after it has been ready is replaced at once; one that has never been is not, for its successor would
 * die too: the next `take()` tries again.
 */
export class PocketsphinxPool {
  readonly #files: PocketsphinxFiles
  readonly #size: number
  /** With the deadline of each. */
  readonly #loading = new Map<PocketsphinxProcess, NodeJS.Timeout>()
  readonly #ready = new Set<PocketsphinxProcess>()
  readonly #taken = new Set<PocketsphinxProcess>()
  /** Those that have been ready once: what killed them later need not kill their successor. */
  readonly #proven = new WeakSet<PocketsphinxProcess>()
  readonly #waiters: Waiter[] = []
  #closed = false

  /** @param size children, and so sessions at a time */
  constructor(files: PocketsphinxFiles, size: number) {
    this.#files = files
    this.#size = size
  }

  /** Starts the first children; resolves when one is ready. Throws as `take()` does. */
  async warm(): Promise<void> {
    const child = await this.take()
    this.#taken.delete(child)
    this.#onReady(child)
  }

  /**
   * Takes a child with a fresh decoder: at once where one is ready, else as soon as one has loaded.
   * @throws SttError STT_ERR_QUOTA when all are taken, STT_ERR_RECOGNIZER_UNAVAILABLE when none can be started
   */
  async take(): Promise<PocketsphinxProcess> {
    if (this.#closed) throw closedError()
    if (this.#taken.size + this.#waiters.length >= this.#size) {
      const message = `all ${this.#size} decoders of the local recogniser are taken`
      throw new SttError('STT_ERR_QUOTA', message, { retryable: true })
    }
    const [child] = this.#ready
    const taken = child ? Promise.resolve(this.#lend(child)) : this.#wait()
    this.#fill()
    return taken
  }

  /** Gives a child back; its decoder is renewed before the next session gets it. */
  giveBack(child: PocketsphinxProcess): void {
    if (!this.#taken.delete(child)) return
    this.#load(child)
    child.send({ type: 'renew' })
  }

  /** Ends all children; resolves when they are gone. */
  async close(): Promise<void> {
    this.#closed = true
    this.#rejectWaiters(closedError())
    const children = [...this.#loading.keys(), ...this.#ready, ...this.#taken]
    await Promise.all(children.map(child => child.kill('the local recogniser was closed')))
  }

  #fill(): void {
    const wanted = SPARE_CHILDREN + this.#waiters.length
    while (
      this.#loading.size + this.#ready.size < wanted &&
      this.#loading.size + this.#ready.size + this.#taken.size < this.#size
    ) {
      try {
        const child = new PocketsphinxProcess(this.#files)
        void child.dead.then(reason => this.#onDeath(child, reason))
        this.#load(child)
      } catch (cause) {
        // fork() throws at once where the system has no memory for a process, say.
        if (this.#loading.size === 0)
          this.#rejectWaiters(unavailable('its process could not be started', cause))
        return
      }
    }
  }

  #load(child: PocketsphinxProcess): void {
    const expire = () => void child.kill(`no decoder within ${READY_TIMEOUT_MS} ms`)
    // Unref'd: whoever waits for a child holds a deadline of the same length that is not.
    this.#loading.set(child, setTimeout(expire, READY_TIMEOUT_MS).unref())
    child.onMessage = message => {
      if (message.type === 'ready') this.#onReady(child)
    }
  }

  #onReady(child: PocketsphinxProcess): void {
    clearTimeout(this.#loading.get(child))
    this.#loading.delete(child)
    child.onMessage = undefined
    this.#proven.add(child)
    const waiter = this.#waiters.shift()
    if (!waiter) {
      this.#ready.add(child)
      return
    }
    clearTimeout(waiter.deadline)
    waiter.resolve(this.#lend(child))
  }

  #onDeath(child: PocketsphinxProcess, reason: string): void {
    clearTimeout(this.#loading.get(child))
    this.#loading.delete(child)
    this.#ready.delete(child)
    this.#taken.delete(child)
    if (this.#closed) return
    if (this.#proven.has(child)) this.#fill()
    // Where a sibling is still loading it may make it.
    else if (this.#loading.size === 0) this.#rejectWaiters(unavailable(reason))
  }

  #lend(child: PocketsphinxProcess): PocketsphinxProcess {
    this.#ready.delete(child)
    this.#taken.add(child)
    return child
  }

  #wait(): Promise<PocketsphinxProcess> {
    return new Promise((resolve, reject) => {
      const expire = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(unavailable(`no decoder was ready within ${READY_TIMEOUT_MS} ms`))
      }
      const waiter = { resolve, reject, deadline: setTimeout(expire, READY_TIMEOUT_MS) }
      this.#waiters.push(waiter)
    })
  }

  #rejectWaiters(error: SttError): void {
    for (const waiter of this.#waiters.splice(0)) {
      clearTimeout(waiter.deadline)
      waiter.reject(error)
    }
  }
}

function closedError(): SttError {
  return new SttError('STT_ERR_RECOGNIZER_UNAVAILABLE', 'the local recogniser is closed')
}

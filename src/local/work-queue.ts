/** May return a promise; the next task waits for it. */
export type Task = () => unknown

export interface WorkQueueOptions {
  /** Audio that may wait, in ms; above it `onFull` is called, below half of it `onRoom`. */
  backlogMs: number
  onFull: () => void
  onRoom: () => void
  /** A task failed; the others still run unless the queue is stopped. */
  onError: (error: unknown) => void
}

/** Runs tasks one after the other and says when too much is waiting. */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  #last = Promise.resolve()
  #tasks = 0
  #audioMs = 0
  #full = false
  #stopped = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** @param audioMs the audio that the task decodes */
  push(task: Task, audioMs = 0): void {
    if (this.#stopped) return
    this.#tasks++
    this.#audioMs += audioMs
    this.#last = this.#last.then(() => this.#run(task, audioMs))
    this.#regulate()
  }

  /** Drops what has not begun. */
  stop(): void {
    this.#stopped = true
  }

  async #run(task: Task, audioMs: number): Promise<void> {
    try {
      if (!this.#stopped) await task()
    } catch (error) {
      this.#options.onError(error)
    }
    this.#tasks--
    this.#audioMs -= audioMs
    this.#regulate()
  }

  #regulate(): void {
    if (this.#stopped) return
    const { backlogMs, onFull, onRoom } = this.#options
    if (!this.#full && (this.#audioMs > backlogMs || this.#tasks > MAX_TASKS)) {
      this.#full = true
      onFull()
    } else if (this.#full && this.#audioMs <= backlogMs / 2 && this.#tasks <= MAX_TASKS / 2) {
      this.#full = false
      onRoom()
    }
  }
}

/** Bounds what carries no audio: a client may send `endTurn` without end. */
const MAX_TASKS = 256

import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromChild, ToChild } from './pocketsphinx-messages.js'
import type { PocketsphinxFiles } from './pocketsphinx-model.js'

const CHILD_PROGRAM = fileURLToPath(new URL('./pocketsphinx-child.js', import.meta.url))
const MAX_STDERR_CHARS = 8_192

/**
 * One forked child from the parent's side. It never keeps the parent's process alive: whoever waits for it holds
 * a timer of its own. It dies with the parent, because its channel closes then.
 */
export class PocketsphinxProcess {
  /** Resolves with the reason when the child is gone, or could not be started. */
  readonly dead: Promise<string>
  /** Belongs to whoever uses the child now: the pool, or a session, which also hears of its death at once. */
  onMessage: ((message: FromChild) => void) | undefined
  onDeath: ((reason: string) => void) | undefined
  readonly #child: ChildProcess
  #failure: string | undefined
  #stderr = ''

  /** Forks the child and has it load the model: it answers `ready` or `failed`. */
  constructor(files: PocketsphinxFiles) {
    const child = fork(CHILD_PROGRAM, [], {
      serialization: 'advanced',
      // Neither the parent's loaders nor its inspector port are the child's.
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    this.dead = new Promise(resolve => {
      const bury = (reason: string) => {
        this.onDeath?.(reason)
        resolve(reason)
      }
      // 'close' follows 'exit' and the end of stderr.
      child.once('close', (code, signal) => bury(this.#failure ?? describeExit(code, signal, this.#stderr)))
      // After a failed spawn nothing else comes; later errors (a kill, a send) precede 'close'.
      child.on('error', cause => {
        if (child.pid === undefined) bury(cause.message)
      })
    })
    child.on('message', message => this.#receive(message as FromChild))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS)
    })
    child.unref()
    unref(child.channel)
    unref(child.stderr)
    this.send({ type: 'load', files })
  }

  send(message: ToChild): void {
    if (!this.#child.connected) return
    // A failed send means a dying child: its 'close' follows.
    this.#child.send(message, () => undefined)
  }

  /** Ends the child at once; resolves when it is gone. */
  async kill(reason: string): Promise<void> {
    this.#failure ??= reason
    this.#child.kill('SIGKILL')
    this.#child.ref()
    await this.dead
  }

  #receive(message: FromChild): void {
    if (message.type === 'failed') this.#failure = message.reason
    else this.onMessage?.(message)
  }
}

/** The library ends its process after an ERROR or FATAL line: the best explanation there is. */
function describeExit(code: number | null, signal: NodeJS.Signals | null, stderr: string): string {
  const end = signal === null ? `exit code ${code ?? 'unknown'}` : signal
  const complaint = stderr.split('\n').findLast(line => /\b(ERROR|FATAL)\b|^\w*Error\b/.test(line))
  return `its process ended with ${end}${complaint === undefined ? '' : `: ${complaint.trim()}`}`
}

/** Node types a child's pipe as a Readable; it is a socket, which can be unref'd. Bun's channel cannot. */
function unref(handle: unknown): void {
  ;(handle as { unref?(): void } | null | undefined)?.unref?.()
}

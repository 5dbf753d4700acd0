/** What a running command does when it is to end before its time. */
export interface Interruptible {
  /** Ctrl-C. */
  interrupt(): void
  /** SIGTERM, SIGHUP. */
  terminate(): void
}

/** Hands the process's signals to a command while `work` runs. */
export async function withSignals<T>(command: Interruptible, work: () => Promise<T>): Promise<T> {
  const interrupt = (): void => command.interrupt()
  const terminate = (): void => command.terminate()
  process.on('SIGINT', interrupt).on('SIGTERM', terminate).on('SIGHUP', terminate)
  try {
    return await work()
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', terminate).off('SIGHUP', terminate)
  }
}

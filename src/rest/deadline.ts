/** Node's own for a wait that a signal ended; it exports no class to make one with. */
export function abortError(reason: unknown): Error {
  const error = new Error('The operation was aborted', { cause: reason })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}

/**
 * Runs work that ends no later than its caller's signal says, though it may not heed the signal that it gets.
 * @returns rejects with the signal's reason
 */
export async function untilAborted<T>(
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal, abort: (reason: Error) => void) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error))
  })
  const abort = () => stop.abort(caller?.reason)
  caller?.addEventListener('abort', abort)
  try {
    if (caller?.aborted) abort()
    // Listed first, so that of both ends at one moment the signal's own reason is told.
    return await Promise.race([stopped, work(stop.signal, reason => stop.abort(reason))])
  } finally {
    caller?.removeEventListener('abort', abort)
  }
}

/** The same with a deadline, in ms. It rejects with `timeoutError()` then. */
export function withDeadline<T>(
  timeoutMs: number,
  timeoutError: () => Error,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return untilAborted(caller, async (signal, abort) => {
    const timer = setTimeout(() => abort(timeoutError()), timeoutMs)
    try {
      return await work(signal)
    } finally {
      clearTimeout(timer)
    }
  })
}

import type { LocalServer } from './server.js'

/**
 * The server behind `url: 'local'`: one for all streams of the process. It starts with the first stream and is
 * closed a little after the last, so that a row of files does not load the model again for each.
 */
const LINGER_MS = 2_000

let starting: Promise<LocalServer> | undefined
let users = 0
let lingerTimer: NodeJS.Timeout | undefined

export interface SharedServer {
  /** Of the STT channel. */
  url: string
  /** Of the REST calls. */
  httpUrl: string
  /** To be called when it is no longer needed. */
  release: () => void
}

/** @throws SttError STT_ERR_RECOGNIZER_UNAVAILABLE, STT_ERR_LISTEN */
export async function acquireLocalServer(): Promise<SharedServer> {
  clearTimeout(lingerTimer)
  users++
  try {
    starting ??= start()
    const { url, httpUrl } = await starting
    return { url, httpUrl, release: onceOnly(release) }
  } catch (error) {
    starting = undefined
    users--
    throw error
  }
}

async function start(): Promise<LocalServer> {
  const { startLocalServer } = await import('./server.js')
  const server = await startLocalServer()
  server.unref()
  return server
}

function release(): void {
  if (--users > 0) return
  lingerTimer = setTimeout(() => {
    const server = starting
    starting = undefined
    void server?.then(running => running.close())
  }, LINGER_MS).unref()
}

function onceOnly(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

import type { SttStreamOptions } from '../options.js'
import type { Reporter } from './report.js'
import type { StreamCommandOptions } from './stream-options.js'

/** What listens: where it is, and what to do once it is no longer needed. */
export interface Service {
  connect: Pick<SttStreamOptions, 'url' | 'apiKey'>
  close(): Promise<void>
}

/**
 * The service that the command line asks for. The local recogniser gets one server for all files, so that its
 * model is loaded once; without key and address it is chosen unasked, and that is said.
 * @throws SttError STT_ERR_RECOGNIZER_UNAVAILABLE
 */
export async function openService(options: StreamCommandOptions, reporter: Reporter): Promise<Service> {
  const { local = false, url, apiKey } = options
  // The environment's key is the service's; the library sends it nowhere else.
  if (!local && (url !== undefined || apiKey !== undefined || process.env['INWORLD_API_KEY'])) {
    const connect = { ...(url !== undefined && { url }), ...(apiKey !== undefined && { apiKey }) }
    return { connect, close: () => Promise.resolve() }
  }
  if (!local)
    reporter.notice('no key (INWORLD_API_KEY or --api-key) and no --url: using the local recogniser')
  const { startLocalServer } = await import('../local/server.js')
  const server = await startLocalServer()
  return { connect: { url: server.url }, close: () => server.close() }
}

import { once } from 'node:events'
import { Command } from 'commander'
import { EXIT, exitCodeOf, toUsageError, type ExitCode } from './exit-code.js'
import { parsePort } from './option-values.js'
import { Reporter } from './report.js'

interface ServeOptions {
  port: number
  host: string
  apiKey?: string
  quiet?: boolean
}

const EXAMPLES = `
Examples:
  sttstream serve
  sttstream serve --port 0 --quiet          only the address, on stdout
  sttstream serve --host 0.0.0.0 --api-key "$KEY"

The address of the STT channel is the one line on stdout. Ctrl-C ends the server.`

/** `sttstream serve`: the local server until a signal ends it. */
export function serveCommand(setExitCode: (code: ExitCode) => void): Command {
  return new Command('serve')
    .description('run the local server: the protocol of the service, a recogniser of this machine')
    .option('-p, --port <port>', 'port to listen on; 0 = any that is free', parsePort, 8765)
    .option('--host <address>', 'address to listen on; beyond this machine only with a key', '127.0.0.1')
    .option('--api-key <key>', 'the key that clients must send (default: none)')
    .option('-q, --quiet', 'say nothing on stderr but errors')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ServeOptions) => setExitCode(await serve(options)))
}

async function serve({ port, host, apiKey, quiet = false }: ServeOptions): Promise<ExitCode> {
  const reporter = new Reporter(quiet)
  // Listened for from the start, so that a signal during the start ends the server cleanly too.
  const stop = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(process, 'SIGHUP')])
  const { startLocalServer } = await import('../local/server.js')
  try {
    const server = await startLocalServer({ port, host, ...(apiKey !== undefined && { apiKey }) })
    process.stdout.write(`${server.url}\n`)
    reporter.notice(`listening on ${server.httpUrl}; Ctrl-C ends it`)
    await stop
    await server.close()
    return EXIT.ok
  } catch (error) {
    const reason = toUsageError(error)
    reporter.error(reason)
    return exitCodeOf(reason)
  }
}

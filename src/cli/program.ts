import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { doctorCommand } from './doctor-command.js'
import { EXIT, EXIT_CODES_HELP, exitCodeOf, type ExitCode } from './exit-code.js'
import { listenCommand } from './listen-command.js'
import { Reporter } from './report.js'
import { serveCommand } from './serve-command.js'
import { transcribeCommand } from './transcribe-command.js'

/** Runs one command line; everything is released when it resolves. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  const setExitCode = (code: ExitCode): void => {
    exitCode = code
  }
  const program = new Command('sttstream')
    .description('Any audio in, live transcripts out.')
    .version(version(), '-V, --version')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .addCommand(transcribeCommand(setExitCode))
    .addCommand(listenCommand(setExitCode))
    .addCommand(serveCommand(setExitCode))
    .addCommand(doctorCommand(setExitCode))
  for (const command of [program, ...program.commands])
    command.exitOverride().showHelpAfterError('(--help shows the usage)')
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said what is wrong, and throws for --help and --version too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    new Reporter(false).error(error)
    return exitCodeOf(error)
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

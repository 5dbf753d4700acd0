import { Command } from 'commander'
import type { ExitCode } from './exit-code.js'
import { parseUrl } from './option-values.js'
import type { DoctorOptions } from './doctor/doctor.js'

const EXAMPLES = `
Examples:
  sttstream doctor
  sttstream doctor --offline --json
  sttstream doctor --url ws://localhost:8765/stt/v1/transcribe:streamBidirectional

ok: it works. warning: it works with less than there could be. missing: something that is needed does not work. The
exit code is 0 without anything missing, else 3. No key is shown, and no audio is sent.`

/** `sttstream doctor`: what there is, and a remedy for each gap. */
export function doctorCommand(setExitCode: (code: ExitCode) => void): Command {
  return new Command('doctor')
    .description('say what works on this machine, and what helps where something does not')
    .option('--url <url>', 'ws: or wss: address of the STT channel to ask (default: the service)', parseUrl)
    .option(
      '--api-key <key>',
      'key (default, towards the service only: environment variable INWORLD_API_KEY)',
    )
    .option('--offline', 'do not ask the service')
    .option('--json', 'an array of findings instead of lines')
    .addHelpText('after', EXAMPLES)
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor/doctor.js')
      setExitCode(await doctor(options))
    })
}

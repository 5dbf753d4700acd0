import { Command } from 'commander'
import type { ExitCode } from './exit-code.js'
import type { ListenOptions } from './listen-options.js'
import { parseDevice } from './option-values.js'
import { addStreamOptions } from './stream-options.js'

const EXAMPLES = `
Examples:
  sttstream listen
  sttstream listen --list-devices
  sttstream listen --local --device pulse:alsa_input.usb-headset.mono-fallback
  sttstream listen --format vtt > meeting.vtt

What is said goes to stdout, a line for each turn; on a terminal what is being said is shown below it. Ctrl-C ends it
and waits for the last words, a second Ctrl-C does not. Without a key and without --url the recogniser of this machine
is used.`

/** `sttstream listen`: a microphone, until Ctrl-C. */
export function listenCommand(setExitCode: (code: ExitCode) => void): Command {
  const command = new Command('listen')
    .description('write what is said into a microphone')
    .option(
      '-d, --device <id>',
      'what to listen to, by its id of --list-devices (default: that of the system)',
      parseDevice,
    )
    .option('--list-devices', 'list what can be listened to, the default with a star')
  return addStreamOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: ListenOptions) => {
      const { listen, listDevices } = await import('./listen.js')
      setExitCode(await (options.listDevices ? listDevices() : listen(options)))
    })
}

import { Command, Option } from 'commander'
import { RESAMPLER_QUALITIES } from '../audio/resampler-quality.js'
import type { ExitCode } from './exit-code.js'
import { inputName } from './input-name.js'
import { outputPath } from './output.js'
import type { TranscribeOptions } from './transcribe-options.js'
import {
  parseChannels,
  parseDuration,
  parseInput,
  parsePace,
  parseRaw,
  parseTime,
  parseTrack,
} from './option-values.js'
import { addStreamOptions } from './stream-options.js'

const EXAMPLES = `
Examples:
  sttstream transcribe talk.mp3
  sttstream transcribe --format vtt talk.mp3 > talk.vtt
  sttstream transcribe --format srt --out-dir subtitles *.m4a
  sttstream transcribe --start 1:30 --duration 60 --track 1 film.mkv
  sttstream transcribe https://example.com/talk.mp3
  arecord -f S16_LE -r 16000 | sttstream transcribe --raw s16le:16000:1 -

The result goes to stdout, everything else to stderr. Text is one line for each turn; JSON one event on each line.
Without a key and without --url the recogniser of this machine is used.`

/** `sttstream transcribe`: files, URLs or standard input, one after the other. */
export function transcribeCommand(setExitCode: (code: ExitCode) => void): Command {
  const command = new Command('transcribe')
    .description('write what is said in audio and video files')
    .argument(
      '<file...>',
      "files of any kind that ffmpeg reads, and http: or https: URLs of such; '-' is standard input",
      parseInput,
    )
  return addStreamOptions(command)
    .option(
      '--pace <rate>',
      "send at 'realtime', a multiple of it, or 'off' for as fast as it is taken",
      parsePace,
    )
    .option('--raw <format>', 'the audio has no header: ENCODING:RATE:CHANNELS, e.g. s16le:16000:1', parseRaw)
    .option('--start <time>', 'begin there: seconds or [hours:]minutes:seconds (default: 0)', parseTime)
    .option('--duration <time>', 'hear so much of it (default: all)', parseDuration)
    .option('--track <number>', 'the audio track, counted from 0 (default: the one ffmpeg takes)', parseTrack)
    .option(
      '--channels <list>',
      "hear these channels alone, counted from 0, e.g. 0 or 0,1, or each by itself: 'separate' (default: the mean of all)",
      parseChannels,
    )
    .addOption(
      new Option(
        '--resampler-quality <quality>',
        "'fast' takes a third of the work of 'high', for telephone calls (default: high)",
      ).choices(RESAMPLER_QUALITIES),
    )
    .option('-o, --out-dir <directory>', 'one file there for each input, instead of stdout')
    .option('--progress', 'show progress where stderr is no terminal too')
    .addHelpText('after', EXAMPLES)
    .action(async (files: string[], options: TranscribeOptions, command: Command) => {
      const problem = conflictIn(files, options)
      if (problem !== undefined) command.error(`error: ${problem}`)
      // Loaded here: --help, --version and wrong usage answer at once.
      const { transcribeFiles } = await import('./transcribe-files.js')
      setExitCode(await transcribeFiles(files, options))
    })
}

function conflictIn(files: readonly string[], { format, outDir }: TranscribeOptions): string | undefined {
  if (files.filter(file => file === '-').length > 1) return "standard input ('-') can be read only once"
  if (files.includes('-') && process.stdin.isTTY)
    return "standard input ('-') is the terminal: pipe audio into it, or name a file"
  if (files.length > 1 && outDir === undefined && (format === 'srt' || format === 'vtt')) {
    return `several files in the format ${format} need --out-dir: each is a document of its own`
  }
  const outputs = files.map(file =>
    outDir === undefined ? file : outputPath(outDir, inputName(file), format),
  )
  const twice = outDir !== undefined && outputs.find((path, i) => outputs.indexOf(path) < i)
  return twice ? `two inputs would write ${twice}` : undefined
}

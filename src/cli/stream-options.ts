import { Option, type Command } from 'commander'
import type { SttStreamOptions } from '../options.js'
import { FORMATS, type Format } from './event-format.js'
import { parseUrl } from './option-values.js'

/** What every command that transcribes can be told, as commander hands it over. */
export interface StreamCommandOptions {
  local?: boolean
  url?: string
  apiKey?: string
  language?: string
  model?: string
  format: Format
  words?: boolean
  quiet?: boolean
}

/** Adds who listens, to what language, and in which form the result is wanted. */
export function addStreamOptions(command: Command): Command {
  return command
    .addOption(new Option('--local', 'use the recogniser of this machine').conflicts('url'))
    .option('--url <url>', 'ws: or wss: address of an STT channel (default: the service)', parseUrl)
    .option(
      '--api-key <key>',
      'key (default, towards the service only: environment variable INWORLD_API_KEY)',
    )
    .option('--language <tag>', "BCP-47, e.g. 'en-US' (default: the service detects it)")
    .option('--model <id>', "e.g. 'inworld/inworld-stt-1'")
    .addOption(new Option('-f, --format <format>', 'of the result').choices(FORMATS).default('text'))
    .option('--words', 'times of the words: in JSON, and below each line of text')
    .option('-q, --quiet', 'say nothing on stderr but errors')
}

/** What they mean for a stream. */
export function streamOptions({ language, model, format, words }: StreamCommandOptions): SttStreamOptions {
  return {
    interimResults: format === 'json',
    includeWordTimestamps: words === true || format === 'srt' || format === 'vtt',
    ...(language !== undefined && { language }),
    ...(model !== undefined && { modelId: model }),
  }
}

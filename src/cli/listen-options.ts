import type { StreamCommandOptions } from './stream-options.js'

/** What the command line says, as commander hands it over. */
export interface ListenOptions extends StreamCommandOptions {
  device?: string
  listDevices?: boolean
}

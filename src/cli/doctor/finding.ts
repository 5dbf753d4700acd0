/** What one check has found. */
export interface Finding {
  /** What was looked at. */
  readonly check: string
  /** 'warning': it works, with less than there could be. 'missing': something that is needed does not work. */
  readonly state: 'ok' | 'warning' | 'missing'
  /** What was found. Never a key. */
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
}

/** A check looks by itself and never fails: what goes wrong is what it found. */
export type Check = (signal: AbortSignal) => Promise<Finding[]>

/** What every check is given, from the command line and the environment. */
export interface Surroundings {
  /** Address of the STT channel. */
  readonly url: string
  /** Whether that is Inworld's own, whose keys have a shape. */
  readonly isService: boolean
  readonly apiKey?: string
  /** Where the key came from, for people. */
  readonly keySource: string
}

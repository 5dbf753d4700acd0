/** What {@link Inspector} found, once per code and stream. */
export interface InspectWarning {
  readonly code:
    | 'STT_WARN_SILENT'
    | 'STT_WARN_CLIPPING'
    | 'STT_WARN_DC_OFFSET'
    | 'STT_WARN_LEVEL'
    | 'STT_WARN_DEAD_CHANNEL'
    | 'STT_WARN_ENCODING'
    | 'STT_WARN_HEADER_IN_AUDIO'
    | 'STT_WARN_SAMPLE_RATE'
  /** What was found, by which figures, and what to do about it. */
  readonly message: string
  /** The figures alone. Their names: docs/errors.md, at the code. */
  readonly evidence: Readonly<Record<string, number | string>>
}

export type WarnOfAudio = (warning: InspectWarning) => void

/** A short stretch of the audio, read for all checks at once. */
export interface Glance {
  /** Interleaved, full scale 1. Overwritten by the next glance. */
  readonly samples: Float32Array
  /** All of the window that it begins, in the stream's own encoding. */
  readonly view: DataView
  readonly startMs: number
  readonly endMs: number
}

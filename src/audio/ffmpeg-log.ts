import { StringDecoder } from 'node:string_decoder'

/** How much of what ffmpeg says is kept, whatever comes: so many tracks, lines, and characters of a line. */
const MAX_TRACKS = 64
const MAX_LINES = 20
const MAX_LINE_LENGTH = 300

/** A track of the input, as ffmpeg lists it. */
export interface FfmpegTrack {
  /** 'audio', 'video', 'subtitle', 'data' or 'attachment'. */
  readonly kind: string
  /** ffmpeg's name of the codec, 'none' where it knows none. */
  readonly codec: string
  /** The samples are encrypted, and nobody has given the key. */
  readonly isEncrypted: boolean
}

/** What a line can be a sign of; see `SIGNS`. */
export type FfmpegSign = 'invalid' | 'doubtful' | 'no-track' | 'no-decoder' | 'cut-off' | 'encrypted'

/** What ffmpeg has said so far. */
export interface FfmpegSaid {
  /** ffmpeg's names of the container, such as 'mov,mp4,m4a,3gp,3g2,mj2'; undefined where it has opened none. */
  readonly container?: string
  readonly tracks: readonly FfmpegTrack[]
  /** The track that it decodes. */
  readonly decodes?: FfmpegTrack
  readonly signs: ReadonlySet<FfmpegSign>
  /** Some demuxer or decoder of ffmpeg has complained, so there was something that it recognised. */
  readonly hasRecognised: boolean
  /** The last lines that tell of errors, '' for none. */
  readonly complaints: string
}

/**
 * The wording of 4.1, 5.1 and 7.0, which were tried. Container and codec have a message of their own for most mishaps;
 * these are the ones that say what is wrong with the file as a whole.
 */
const SIGNS: readonly [FfmpegSign, RegExp][] = [
  ['invalid', /Invalid data found when processing input$/],
  ['doubtful', /misdetection possible/],
  ['no-track', /does not contain any stream|matches no streams/],
  ['no-decoder', /Decoder \(.*\) not found|no decoder found for/],
  ['cut-off', /moov atom not found|: partial file|File ended prematurely|Truncating packet|: End of file$/],
  ['encrypted', /DRM protected stream detected|\[aax\] activation_bytes option is missing/],
]

/** The sample entries of encrypted mp4: Common Encryption, FairPlay, Audible. */
const ENCRYPTED_TAG = /\((?:enca|drms|aavd) \//

const LEVELS = ['panic', 'fatal', 'error', 'warning', 'info']
const LINE = new RegExp(`^((?:\\[[^\\]]* @ \\w+\\] )*)\\[(${LEVELS.join('|')})\\] (.*)$`)
const INPUT = /^Input #0, (\S+), from /
const TRACK = /^ +Stream #0:\d+(?:\[\w+\])?(?:\(\w+\))?: (\w+): (\w+)/
const MAPPING = /^ +Stream #0:(\d+) -> #0:0\b/
/** Matroska has no other way to tell: the tag with which ffmpeg shows the id of a track's key. */
const KEY_ID = /^ +enc_key_id +:/

/**
 * Reads the stderr of an ffmpeg run with `-loglevel level+info`, in bounded memory. Each line begins with its level,
 * so that what ffmpeg tells of the input can be told from its complaints. The tags of a file may imitate a track; that
 * gains its author another error code at most.
 */
export class FfmpegLog {
  readonly #decoder = new StringDecoder('utf8')
  readonly #tracks: (FfmpegTrack & { isEncrypted: boolean })[] = []
  readonly #signs = new Set<FfmpegSign>()
  readonly #complaints: string[] = []
  /** A line that has not ended yet, cut at its bound. */
  #line = ''
  /** A message may have several lines, and what is not ffmpeg's (a linker's, a shell's) has no level: an error. */
  #level = 'error'
  #container: string | undefined
  #inputIsListed = false
  #decodes: FfmpegTrack | undefined
  #hasRecognised = false

  append(text: Buffer): void {
    const [first = '', ...rest] = this.#decoder.write(text).split(/\r?\n/)
    this.#extend(first)
    for (const line of rest) {
      this.#endLine()
      this.#extend(line)
    }
  }

  /** No more will come: the last line may have no end. */
  end(): void {
    this.#extend(this.#decoder.end())
    this.#endLine()
  }

  get said(): FfmpegSaid {
    return {
      ...(this.#container !== undefined && { container: this.#container }),
      ...(this.#decodes && { decodes: this.#decodes }),
      tracks: [...this.#tracks],
      signs: new Set(this.#signs),
      hasRecognised: this.#hasRecognised,
      complaints: this.#complaints.join('\n'),
    }
  }

  #extend(text: string): void {
    this.#line += text.slice(0, MAX_LINE_LENGTH - this.#line.length)
  }

  #endLine(): void {
    const line = this.#line
    this.#line = ''
    if (line.trim() === '') return
    const [, context = '', level = this.#level, message = line] = LINE.exec(line) ?? []
    this.#level = level
    if (level === 'info') this.#learn(message)
    else this.#note(context, message, level)
  }

  /** What ffmpeg tells of the input and of what it does with it. */
  #learn(message: string): void {
    const container = INPUT.exec(message)?.[1]
    if (container !== undefined) {
      this.#container = container
      this.#inputIsListed = true
    }
    // The output's tracks are listed in the same way.
    if (message.startsWith('Stream mapping:') || message.startsWith('Output #0')) this.#inputIsListed = false
    const mapped = MAPPING.exec(message)?.[1]
    if (mapped !== undefined) this.#decodes = this.#tracks[Number(mapped)]
    if (this.#inputIsListed) this.#listTrack(message)
  }

  #listTrack(message: string): void {
    const [, kind, codec] = TRACK.exec(message) ?? []
    if (kind !== undefined && codec !== undefined && this.#tracks.length < MAX_TRACKS) {
      this.#tracks.push({ kind: kind.toLowerCase(), codec, isEncrypted: ENCRYPTED_TAG.test(message) })
    }
    const last = this.#tracks.at(-1)
    if (last && KEY_ID.test(message)) last.isEncrypted = true
  }

  #note(context: string, message: string, level: string): void {
    for (const [sign, pattern] of SIGNS) if (pattern.test(message)) this.#signs.add(sign)
    if (level === 'warning') return
    // [in#0 @ …] and [out#0 @ …] are ffmpeg's own files, all others demuxers and decoders.
    this.#hasRecognised ||= /^\[(?!in#|out#)/.test(context)
    // Without the addresses, so that the same mishap reads the same.
    this.#complaints.push(context.replaceAll(/ @ \w+\]/g, ']') + message)
    if (this.#complaints.length > MAX_LINES) this.#complaints.shift()
  }
}

/** What one has said that has not begun. */
export const NOTHING_SAID: FfmpegSaid = new FfmpegLog().said

import { SttError } from '../errors.js'
import type { CheckedDecodeOptions } from './decode-options.js'
import { chooseRoute, rawRoute, type Route } from './decode-route.js'
import type { Callback, Decoding, DecodingSink } from './decoding.js'
import { emptySource } from './empty-source.js'
import { Head } from './head.js'
import { openDecoding, type OpenedDecoding } from './open-decoding.js'

/** By the way that the first bytes choose: they are held until they tell what they are, and tags before them dropped. */
export class RoutedDecoding implements Decoding {
  readonly #options: CheckedDecodeOptions
  readonly #pathIsFile: boolean
  readonly #sink: DecodingSink
  readonly #onOpen: (opened: OpenedDecoding) => void
  readonly #head = new Head()
  /** Bytes of tags: found so far, and still to be dropped. */
  #tagBytes = 0
  #skipBytes = 0
  #decoding: Decoding | undefined

  /**
   * @param pathIsFile whether ffmpeg may open the option `path` itself: a pipe or device can be read only once, and
   * that has begun
   * @param onOpen hears which way was chosen; where that opens the path by itself, nothing more is to be written
   */
  constructor(
    options: CheckedDecodeOptions,
    pathIsFile: boolean,
    sink: DecodingSink,
    onOpen: (opened: OpenedDecoding) => void,
  ) {
    this.#options = options
    this.#pathIsFile = pathIsFile
    this.#sink = sink
    this.#onOpen = onOpen
  }

  /** @throws SttError where the bytes are nothing that can be decoded */
  write(chunk: Buffer, callback: Callback): void {
    const skipped = Math.min(this.#skipBytes, chunk.length)
    this.#skipBytes -= skipped
    const bytes = chunk.subarray(skipped)
    if (bytes.length === 0) callback()
    else if (this.#decoding) this.#decoding.write(bytes, callback)
    else {
      this.#head.append(bytes)
      const route = this.#route(false)
      if (route) this.#take(route, callback)
      else callback()
    }
  }

  /** @throws SttError as `write` does */
  end(callback: Callback): void {
    if (this.#decoding) {
      this.#decoding.end(callback)
      return
    }
    const route = this.#head.bytes.length > 0 ? this.#route(true) : undefined
    if (route) {
      this.#take(route, error => (error ? callback(error) : this.end(callback)))
      return
    }
    if (this.#tagBytes > 0) this.#sink.fail(onlyTags(this.#tagBytes, this.#skipBytes))
    else if (this.#options.path !== undefined) this.#sink.fail(emptySource())
    else this.#sink.end()
    callback()
  }

  resume(): void {
    this.#decoding?.resume()
  }

  async close(): Promise<void> {
    await this.#decoding?.close()
  }

  #route(ended: boolean): Route | undefined {
    const { input } = this.#options
    return input ? rawRoute(this.#head.bytes, ended, input) : chooseRoute(this.#head.bytes, ended)
  }

  /** Takes the way that was chosen, and sends the held bytes along it. */
  #take(route: Route, callback: Callback): void {
    const head = this.#head.bytes
    this.#head.clear()
    if (route.kind === 'skip') {
      this.#tagBytes += route.bytes
      this.#skipBytes = route.bytes
    } else {
      const opened = openDecoding(route, head, this.#pathIsFile, this.#options, this.#sink)
      this.#decoding = opened.decoding
      this.#onOpen(opened)
      if (opened.opensPath) {
        callback()
        return
      }
    }
    this.write(head, callback)
  }
}

function onlyTags(tagBytes: number, missingBytes: number): SttError {
  return missingBytes > 0
    ? new SttError(
        'STT_ERR_DECODE_TRUNCATED',
        `the file ends ${missingBytes} bytes before the end of its tags`,
      )
    : new SttError('STT_ERR_DECODE_NO_AUDIO', `there are ${tagBytes} bytes of tags and nothing behind them`)
}

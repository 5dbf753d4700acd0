import { setPriority } from 'node:os'
import type { FromChild, ToChild } from './pocketsphinx-messages.js'
import { PocketsphinxDecoder } from './pocketsphinx-decoder.js'
import { loadPocketsphinxLibrary, type PocketsphinxLibrary } from './pocketsphinx-library.js'
import type { PocketsphinxFiles } from './pocketsphinx-model.js'

/**
 * Where decoding takes every core, the server that answers the clients goes first: at 5 a process gets a third of
 * the time of one at 0. At 10 it gets a tenth, and on a busy machine answers come too late.
 */
const DECODING_NICENESS = 5

/**
 * The program of one forked child: one decoder, told what to do over Node's IPC channel. Decoding blocks this
 * process, so messages go through a queue that is worked off one at a time: in between, the end of the parent
 * and `renew` are seen at once, however much audio waits.
 */
class DecodingChild {
  #library: PocketsphinxLibrary | undefined
  #files: PocketsphinxFiles | undefined
  #decoder: PocketsphinxDecoder | undefined
  #queue: ToChild[] = []

  receive(message: ToChild): void {
    if (message.type === 'renew') this.#queue = []
    this.#queue.push(message)
    if (this.#queue.length === 1) setImmediate(() => this.#work())
  }

  #work(): void {
    const message = this.#queue.shift()
    if (message === undefined) return
    try {
      const answer = this.#answer(message)
      if (answer) send(answer)
    } catch (cause) {
      fail(cause)
      return
    }
    if (this.#queue.length > 0) setImmediate(() => this.#work())
  }

  #answer(message: ToChild): FromChild | undefined {
    switch (message.type) {
      case 'load':
        this.#library = loadPocketsphinxLibrary(message.files.libraryPath)
        this.#files = message.files
        return this.#load()
      case 'renew':
        return this.#renew()
      case 'prepare':
        this.#loaded.prepare(message.prompts)
        return { type: 'prepared' }
      case 'start':
        this.#loaded.start()
        return undefined
      case 'push':
        return { type: 'text', text: this.#loaded.push(message.pcm) }
      case 'finish':
        return { type: 'utterance', utterance: this.#loaded.finish() }
    }
  }

  get #loaded(): PocketsphinxDecoder {
    if (!this.#decoder) throw new Error('no model is loaded')
    return this.#decoder
  }

  /** Somebody waits for the first model; from then on this process gives way. */
  #load(): FromChild {
    const ready = this.#renew()
    setPriority(DECODING_NICENESS)
    return ready
  }

  /** What a session has taught the decoder about its microphone must not reach the next one. */
  #renew(): FromChild {
    if (!this.#library || !this.#files) throw new Error('no library is loaded')
    this.#decoder?.free()
    this.#decoder = undefined
    this.#decoder = new PocketsphinxDecoder(this.#library, this.#files)
    return { type: 'ready' }
  }
}

function send(message: FromChild): void {
  process.send?.(message, undefined, undefined, () => {
    // The parent has gone: 'disconnect' ends this process.
  })
}

function fail(cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message: FromChild = { type: 'failed', reason }
  process.send?.(message, undefined, undefined, () => process.exit(1))
}

const child = new DecodingChild()
process.on('message', message => child.receive(message as ToChild))
process.on('disconnect', () => process.exit(0))
// A terminal sends Ctrl-C to the whole group; when sessions end is the parent's to say.
process.on('SIGINT', () => undefined)

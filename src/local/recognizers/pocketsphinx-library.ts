import { createRequire } from 'node:module'
import type { LibraryHandle } from 'koffi'

/** An opaque pointer of the library. */
export type Pointer = bigint

/**
 * libpocketsphinx and libsphinxbase 0.8+5prealpha (soname 3) as JavaScript functions, under their C names: what
 * each does stands in Debian's pocketsphinx.h, ps_search.h and ngram_model.h. Only for a forked child: the
 * libraries answer some bad models with `exit(1)`.
 */
export interface PocketsphinxLibrary {
  /** Makes a configuration out of command line words (`-name`, `value`, …). */
  parseConfig(words: readonly string[]): Pointer
  cmd_ln_free_r(config: Pointer): number
  ps_init(config: Pointer): Pointer | null
  ps_free(decoder: Pointer): number
  ps_start_stream(decoder: Pointer): number
  ps_start_utt(decoder: Pointer): number
  ps_process_raw(
    decoder: Pointer,
    pcm: Int16Array,
    samples: number,
    noSearch: number,
    fullUtt: number,
  ): number
  ps_end_utt(decoder: Pointer): number
  ps_get_hyp(decoder: Pointer, score: null): string | null
  ps_get_logmath(decoder: Pointer): Pointer
  logmath_exp(logmath: Pointer, value: number): number
  ps_seg_iter(decoder: Pointer): Pointer | null
  ps_seg_next(segment: Pointer): Pointer | null
  ps_seg_word(segment: Pointer): string
  ps_seg_frames(segment: Pointer, start: [number], end: [number]): void
  ps_seg_prob(segment: Pointer, acoustic: null, language: null, backoff: null): number
  /** A string of C that is the caller's to free, or null where the dictionary lacks the word. */
  ps_lookup_word(decoder: Pointer, word: string): Pointer | null
  ps_get_config(decoder: Pointer): Pointer
  ps_get_search(decoder: Pointer): string
  ps_get_lm(decoder: Pointer, name: string): Pointer | null
  ps_set_lm(decoder: Pointer, name: string, lm: Pointer): number
  ps_set_search(decoder: Pointer, name: string): number
  ngram_model_read(config: Pointer, path: string, fileType: number, logmath: Pointer): Pointer | null
  ngram_model_set_init(
    config: Pointer | null,
    models: readonly Pointer[],
    names: readonly string[],
    weights: Float32Array,
    count: number,
  ): Pointer | null
  ngram_model_free(model: Pointer): number
  /** Frees memory of the library. */
  ckd_free(memory: Pointer): void
}

const INT16_BUFFER = 'const int16_t *'

/**
 * Loads the shared library through koffi.
 * @param path the file, or a name that the dynamic linker finds
 * @throws Error when koffi is not installed, the library cannot be loaded, or it is of another series
 */
export function loadPocketsphinxLibrary(path: string): PocketsphinxLibrary {
  // koffi is an optional dependency: required only here, so that nobody else needs it. Its CommonJS entry is
  // the one that bundlers and loaders leave alone.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
  const library = koffi.load(path)
  const func = (name: string, result: string, parameters: string[]) =>
    library.func(name, result, parameters) as unknown
  bufferLog(library)
  const cmd_ln_init = library.func(
    'void *cmd_ln_init(void *previous, const void *definitions, int strict, ...)',
  )
  const ps_args = library.func('void *ps_args()')

  return {
    parseConfig(words: readonly string[]) {
      const variadic = words.flatMap(word => ['str', word])
      return cmd_ln_init(null, ps_args(), 1, ...variadic, 'void *', null) as Pointer
    },
    cmd_ln_free_r: func('cmd_ln_free_r', 'int', ['void *']),
    ps_init: func('ps_init', 'void *', ['void *']),
    ps_free: func('ps_free', 'int', ['void *']),
    ps_start_stream: func('ps_start_stream', 'int', ['void *']),
    ps_start_utt: func('ps_start_utt', 'int', ['void *']),
    ps_process_raw: func('ps_process_raw', 'int', ['void *', INT16_BUFFER, 'size_t', 'int', 'int']),
    ps_end_utt: func('ps_end_utt', 'int', ['void *']),
    ps_get_hyp: func('ps_get_hyp', 'const char *', ['void *', 'void *']),
    ps_get_logmath: func('ps_get_logmath', 'void *', ['void *']),
    logmath_exp: func('logmath_exp', 'double', ['void *', 'int']),
    ps_seg_iter: func('ps_seg_iter', 'void *', ['void *']),
    ps_seg_next: func('ps_seg_next', 'void *', ['void *']),
    ps_seg_word: func('ps_seg_word', 'const char *', ['void *']),
    ps_seg_frames: library.func('void ps_seg_frames(void *segment, _Out_ int *start, _Out_ int *end)'),
    ps_lookup_word: func('ps_lookup_word', 'void *', ['void *', 'const char *']),
    ps_get_config: func('ps_get_config', 'void *', ['void *']),
    ps_get_search: func('ps_get_search', 'const char *', ['void *']),
    ps_get_lm: func('ps_get_lm', 'void *', ['void *', 'const char *']),
    ps_set_lm: func('ps_set_lm', 'int', ['void *', 'const char *', 'void *']),
    ps_set_search: func('ps_set_search', 'int', ['void *', 'const char *']),
    ngram_model_read: func('ngram_model_read', 'void *', ['void *', 'const char *', 'int', 'void *']),
    ngram_model_set_init: func('ngram_model_set_init', 'void *', [
      ...['void *', 'void **', 'const char **', 'const float *', 'int'],
    ]),
    ckd_free: func('ckd_free', 'void', ['void *']),
    ngram_model_free: func('ngram_model_free', 'int', ['void *']),
    ps_seg_prob: func('ps_seg_prob', 'int', ['void *', 'void *', 'void *', 'void *']),
  } as unknown as PocketsphinxLibrary
}

/**
 * The library writes its log in scraps of a few bytes: each would wake the parent's event loop, and some hundred
 * at once overrun the pipe. With a buffer it comes in blocks, the last one when the library calls `exit()`.
 */
function bufferLog(library: LibraryHandle): void {
  const fdopen = library.func('void *fdopen(int fd, const char *mode)')
  const setvbuf = library.func('int setvbuf(void *file, void *buffer, int mode, size_t size)')
  const err_set_logfp = library.func('void err_set_logfp(void *file)')
  const log = fdopen(STDERR, 'w') as Pointer | null
  if (log === null) return
  setvbuf(log, null, FULLY_BUFFERED, 4_096)
  err_set_logfp(log)
}

const STDERR = 2
/** _IOFBF of stdio.h, the same in glibc, musl and on macOS. */
const FULLY_BUFFERED = 0

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pointer, PocketsphinxLibrary } from './pocketsphinx-library.js'

/** Share of the prompts in the mixture: measured, 10 % finds the phrases as well as 50 % and does least harm. */
const PROMPT_WEIGHT = 0.1
const SEARCH_NAME = 'prompts'
/** NGRAM_ARPA of ngram_model.h. */
const ARPA_FILE = 1

/**
 * Lets the decoder search with its language model and another one mixed.
 * @param arpa the other model in ARPA's text format
 * @throws Error when the library refuses
 */
export function mixLanguageModel(library: PocketsphinxLibrary, decoder: Pointer, arpa: string): void {
  const base = library.ps_get_lm(decoder, library.ps_get_search(decoder))
  if (base === null) throw new Error('the decoder has no language model')
  const prompts = readArpa(library, decoder, arpa)
  const weights = Float32Array.of(1 - PROMPT_WEIGHT, PROMPT_WEIGHT)
  const mixture = library.ngram_model_set_init(null, [base, prompts], ['base', SEARCH_NAME], weights, 2)
  // The mixture keeps the models it is made of, the decoder keeps the mixture.
  library.ngram_model_free(prompts)
  if (mixture === null) throw new Error('ngram_model_set_init failed')
  const isSet = library.ps_set_lm(decoder, SEARCH_NAME, mixture) === 0
  library.ngram_model_free(mixture)
  if (!isSet || library.ps_set_search(decoder, SEARCH_NAME) !== 0) throw new Error('ps_set_lm failed')
}

/** The library reads models from files only. */
function readArpa(library: PocketsphinxLibrary, decoder: Pointer, arpa: string): Pointer {
  const directory = mkdtempSync(join(tmpdir(), 'sttstream-prompts-'))
  try {
    const path = join(directory, 'prompts.arpa')
    writeFileSync(path, arpa)
    const config = library.ps_get_config(decoder)
    const model = library.ngram_model_read(config, path, ARPA_FILE, library.ps_get_logmath(decoder))
    if (model === null) throw new Error('ngram_model_read failed')
    return model
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

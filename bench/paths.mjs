import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')
/** What can be made again: the driver, stimuli, what the peers made of them. */
export const WORK = join(ROOT, 'build-bench')
export const DRIVER = join(WORK, 'native', 'resampler-bench')
export const NODE_CASE = join(import.meta.dirname, 'node', 'case.mjs')
export const RESULTS = join(import.meta.dirname, 'results')
export const PICTURES = join(ROOT, 'docs', 'images', 'resampler')
export const PAGE = join(ROOT, 'docs', 'resampler.md')

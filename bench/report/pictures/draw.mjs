import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawAliasSweep } from './alias-sweep.mjs'
import { drawLatency } from './latency.mjs'
import { drawPareto } from './pareto.mjs'
import { drawPassband } from './passband.mjs'

/**
 * Draws what the results hold figures for, as SVG files in `folder`.
 * @returns {Promise<string[]>} their paths
 */
export async function drawPictures(results, folder) {
  mkdirSync(folder, { recursive: true })
  const pictures = []
  for (const draw of [drawPareto, drawPassband, drawAliasSweep, drawLatency])
    pictures.push(...(await draw(results)))
  return pictures.map(({ name, svg }) => {
    const path = join(folder, `${name}.svg`)
    writeFileSync(path, `${svg}\n`)
    return path
  })
}

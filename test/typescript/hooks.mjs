/** Module hooks of Node: `./name.js` asked for by a file in TypeScript is `./name.ts` where there is one, compiled. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compiled } from './compiled.mjs'

export function resolve(specifier, context, next) {
  if (context.parentURL?.endsWith('.ts') && /^\.\.?\/.*\.js$/.test(specifier)) {
    const source = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
    if (existsSync(source)) return next(source.href, context)
  }
  return next(specifier, context)
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/\.ts(\?.*)?$/.test(url)) return next(url, context)
  const { code } = await compiled(fileURLToPath(url))
  return { format: 'module', source: code, shortCircuit: true }
}

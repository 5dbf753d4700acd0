import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const { version } = require('typescript/package.json')

/** What has been compiled, each by what it was made of. */
export const CACHE = fileURLToPath(new URL('../../node_modules/.cache/sttstream-tests/', import.meta.url))

/** A file in TypeScript as JavaScript, and the name that it is kept by. */
export async function compiled(path) {
  const source = await readFile(path, 'utf8')
  // The path stands in the source map.
  const name = `${createHash('sha256').update(`${version}\n${path}\n${source}`).digest('hex')}.js`
  const kept = join(CACHE, name)
  try {
    return { name, code: await readFile(kept, 'utf8') }
  } catch {
    const code = compile(path, source)
    await mkdir(CACHE, { recursive: true })
    // By another name first: other processes compile, and read, the same file at the same time.
    await writeFile(`${kept}.${process.pid}`, code)
    await rename(`${kept}.${process.pid}`, kept)
    return { name, code }
  }
}

function compile(fileName, source) {
  const ts = require('typescript')
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
      inlineSources: true,
    },
  })
  return outputText
}

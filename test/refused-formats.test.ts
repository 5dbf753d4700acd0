import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { decode } from '#dist/audio/decode.js'
import { encode, readAll } from './fixtures/audio.js'
import { CHUNKS, hearBytes } from './fixtures/format-hearing.js'
import { REFUSED_FORMATS, type RefusedFormat } from './fixtures/refused-formats.js'

async function bytesOf({ bytes, args, ending }: RefusedFormat, directory: string): Promise<Buffer> {
  return bytes ? bytes() : readFile(await encode(directory, `made.${ending}`, [...(args ?? [])]))
}

for (const refused of REFUSED_FORMATS) {
  t.test(`refuses: ${refused.what}`, async t => {
    const directory = t.testdir({})
    const bytes = await bytesOf(refused, directory)
    // An ending by which ffmpeg would take whatever it does not know for G.711.
    const path = join(directory, 'refused.ul')
    await writeFile(path, bytes)
    const error = { name: 'SttError', code: refused.code }
    for (const way of ['whole', '1 byte'] as const) await t.rejects(hearBytes(CHUNKS[way](bytes)), error, way)
    await t.rejects(readAll(decode({ path })), error, 'by its path')
  })
}

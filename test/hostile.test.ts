/**
 * What must never bring a program down: files that are damaged, cut off, or no audio at all. Here some of each kind;
 * `npm run test:hostile` tries thousands of them.
 */
import t from 'tap'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { NO_FFMPEG, outcomeOf } from './hostile/outcome.js'
import { makeSpecimens } from './hostile/specimens.js'
import { longHeaders, noAudio } from './hostile/strangers.js'
import { flips, truncations, tryAll, watchLeftovers } from './hostile/trials.js'

const SEEDS_IN_PROCESS = range(1, 250)
/** Each takes ffmpeg some time: of the specimens that it decodes, every third is damaged here. */
const SEEDS_WITH_DECODERS = [1]
const EVERY = 3

const work = t.testdir({ temporary: {} })
const temporary = join(work, 'temporary')
process.env['TMPDIR'] = temporary

const specimens = await makeSpecimens(work)
let checkLeftovers: Awaited<ReturnType<typeof watchLeftovers>>

t.before(async () => {
  for (const { name, file } of specimens) {
    const { audioBytes, code } = await outcomeOf([file])
    if (audioBytes === 0 || code) throw new Error(`${name} cannot be decoded: ${code}`)
  }
  checkLeftovers = await watchLeftovers(temporary)
})

t.test('ends what is damaged as audio or as a typed error', async t => {
  for (const [i, specimen] of specimens.entries()) {
    if (specimen.isInProcess) await tryAll(t, flips(specimen, SEEDS_IN_PROCESS, { ffmpegPath: NO_FFMPEG }))
    else if (i % EVERY === 0) await tryAll(t, flips(specimen, SEEDS_WITH_DECODERS))
  }
})

t.test('ends what is cut off as audio or as a typed error', async t => {
  for (const [i, specimen] of specimens.entries()) {
    const { boundaries, file, isInProcess } = specimen
    if (isInProcess) await tryAll(t, truncations(specimen, boundaries, { ffmpegPath: NO_FFMPEG }))
    else if (i % EVERY === 1)
      await tryAll(t, truncations(specimen, [...everyNth(boundaries, 2), file.length - 1]))
  }
})

t.test('makes no audio of what is none', async t => {
  for (const [what, file] of Object.entries(noAudio())) {
    const path = join(work, 'stranger')
    await writeFile(path, file)
    for (const [chunks, options] of [
      [[file], {}],
      [[], { path }],
    ] as const) {
      const { audioBytes, code } = await outcomeOf([...chunks], options)
      t.equal(audioBytes, 0, what)
      t.match(code, /^STT_ERR_/, `${what}, ${'path' in options ? 'by path' : 'written'}: ${code}`)
    }
  }
})

t.test('bears headers whose end is megabytes away or never comes', async t => {
  for (const [what, make] of Object.entries(longHeaders())) {
    await tryAll(t, [{ what, chunks: () => pieces(make(), 1_400) }])
  }
})

t.test('leaves no child, no temporary file, and no more than 64 MiB of memory', t => checkLeftovers(t))

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

function everyNth<T>(list: readonly T[], n: number): T[] {
  return list.filter((_, i) => i % Math.ceil(list.length / n) === 0)
}

/** As a network would bring it. */
function pieces(file: Buffer, length: number): Buffer[] {
  return range(0, Math.ceil(file.length / length) - 1).map(i => file.subarray(i * length, (i + 1) * length))
}

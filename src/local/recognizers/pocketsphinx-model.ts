import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SttError } from '../../errors.js'

/** Where library and model lie: what a child needs in order to decode. */
export interface PocketsphinxFiles {
  readonly libraryPath: string
  /** Directory of the acoustic model. */
  readonly acousticModel: string
  readonly dictionary: string
  readonly languageModel: string
}

const LIBRARY = process.platform === 'darwin' ? 'libpocketsphinx.3.dylib' : 'libpocketsphinx.so.3'

/** Debian's names of the directories that hold one architecture's libraries. */
const MULTIARCH: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  ia32: 'i386-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  s390x: 's390x-linux-gnu',
}

const LIBRARY_DIRECTORIES = [
  `/usr/lib/${MULTIARCH[process.arch] ?? ''}`,
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib64',
  '/usr/local/lib',
  '/opt/homebrew/lib',
]

const MODEL_DIRECTORIES = ['/usr', '/usr/local', '/opt/homebrew'].map(prefix =>
  join(prefix, 'share/pocketsphinx/model/en-us'),
)

const INSTALL_HINT =
  'install it with "apt install libpocketsphinx3 pocketsphinx-en-us" (Debian, Ubuntu) or ' +
  '"dnf install pocketsphinx-libs pocketsphinx-models" (Fedora); macOS has no package of this version: ' +
  'name your own build with libraryPath and modelDir (pocketsphinxRecognizer of sttstream/testing), or a server elsewhere with a url'

/** Parts of an acoustic model and the least that each can be, in bytes. */
const ACOUSTIC_PARTS: readonly (readonly [name: string, minBytes: number])[] = [
  ['feat.params', 20],
  ['mdef', 1_000],
  ['means', 1_000],
  ['variances', 1_000],
  ['transition_matrices', 100],
  ['sendump', 10_000],
]

/**
 * The model of Debian's pocketsphinx-en-us: a definition of this size comes with parts of these. The library
 * reads a truncated `sendump` without complaint and then recognises nonsense.
 */
const EN_US_MDEF_BYTES = 2_959_176
const EN_US_BYTES: Readonly<Record<string, number>> = {
  means: 838_732,
  variances: 838_732,
  transition_matrices: 2_080,
  sendump: 1_969_024,
}

/** A dictionary or language model of fewer bytes holds next to no words. */
const MIN_WORDS_BYTES = 1_000

/** Thrown wherever this machine cannot run pocketsphinx; the message says what to install. */
export function unavailable(reason: string, cause?: unknown): SttError {
  const message = `the local recogniser cannot run: ${reason}; ${INSTALL_HINT}`
  return new SttError('STT_ERR_RECOGNIZER_UNAVAILABLE', message, { cause })
}

/**
 * Finds library and model, and checks the model's files before a decoder that would end its process sees them.
 * @throws SttError STT_ERR_RECOGNIZER_UNAVAILABLE
 */
export async function findPocketsphinx(options: {
  libraryPath?: string
  modelDir?: string
}): Promise<PocketsphinxFiles> {
  const libraryPath = await findLibrary(options.libraryPath)
  const modelDir = options.modelDir ?? (await findModelDirectory())
  const files = {
    libraryPath,
    acousticModel: join(modelDir, 'en-us'),
    dictionary: join(modelDir, 'cmudict-en-us.dict'),
    languageModel: join(modelDir, 'en-us.lm.bin'),
  }
  await checkAcousticModel(files.acousticModel)
  await checkSize(files.dictionary, MIN_WORDS_BYTES)
  await checkSize(files.languageModel, MIN_WORDS_BYTES)
  return files
}

async function findLibrary(given: string | undefined): Promise<string> {
  if (given !== undefined) {
    await checkSize(given, 1)
    return given
  }
  for (const directory of LIBRARY_DIRECTORIES) {
    const path = join(directory, LIBRARY)
    if ((await sizeOf(path)) !== undefined) return path
  }
  throw unavailable(`${LIBRARY} was found in none of ${LIBRARY_DIRECTORIES.join(', ')}`)
}

async function findModelDirectory(): Promise<string> {
  for (const directory of MODEL_DIRECTORIES) {
    if ((await sizeOf(join(directory, 'en-us/mdef'))) !== undefined) return directory
  }
  throw unavailable(`the en-us model was found in none of ${MODEL_DIRECTORIES.join(', ')}`)
}

async function checkAcousticModel(directory: string): Promise<void> {
  const isEnUs = (await sizeOf(join(directory, 'mdef'))) === EN_US_MDEF_BYTES
  for (const [name, minBytes] of ACOUSTIC_PARTS) {
    const known = isEnUs ? EN_US_BYTES[name] : undefined
    await checkSize(join(directory, name), known ?? minBytes, known)
  }
}

async function checkSize(path: string, minBytes: number, maxBytes = Infinity): Promise<void> {
  const bytes = await sizeOf(path)
  if (bytes === undefined) throw unavailable(`${path} is missing`)
  if (bytes < minBytes || bytes > maxBytes) {
    const expected = maxBytes === minBytes ? `${minBytes}` : `at least ${minBytes}`
    throw unavailable(`${path} is damaged: it has ${bytes} bytes instead of ${expected}`)
  }
}

/** Bytes of a regular file, or undefined where there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch {
    return undefined
  }
}

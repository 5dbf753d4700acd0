/** Recordings that Debian ships, by who speaks. Those of the tests (pocketsphinx-testdata) are not among them. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const ASTERISK = '/usr/share/asterisk/sounds'
const FISH = '/usr/share/games/fillets-ng'
const STAMPS = '/usr/share/tuxpaint/stamps'
const CODEC2 = '/usr/share/codec2/wav'
const VOICES = {
  Allison: ['en_US_f_Allison', 'es_MX_f_Allison'],
  June: ['fr_CA_f_June'],
  Carlo: ['it_IT_m_Carlo'],
  Ivrvoice: ['ru_RU_f_IvrvoiceRU'],
  Menardi: ['it_IT_f_Menardi'],
  Colombian: ['es'],
  Armelle: ['fr'],
}
const MUSIC = [
  '/usr/share/asterisk/moh',
  join(FISH, 'music'),
  '/usr/share/games/etr/music',
  '/usr/share/games/supertux2/music',
  '/usr/share/games/frozen-bubble/snd',
]
const LANGUAGE = /_desc(_\w+)?\.(?:ogg|wav)$/
/** All of them in one, and one who is there twice. */
const NO_SPEAKERS = /all\.wav|hts1a/

/** @returns {{speaker: string, kind: 'sentences' | 'words' | 'letters' | 'music', seconds: number, files: string[]}[]} */
export function recordings() {
  return [...prompts(), ...fish(), ...radio(), ...stamps(), ...games(), ...music()].filter(
    ({ files }) => files.length > 0,
  )
}

/** Telephone prompts. The short ones are digits and letters. */
function prompts() {
  return Object.entries(VOICES).map(([speaker, folders]) => ({
    speaker,
    kind: 'sentences',
    seconds: 90,
    files: folders
      .flatMap(folder => filesIn(join(ASTERISK, folder), 3_000))
      .filter(file => file.endsWith('.gsm') || statSync(file).size > 15_000),
  }))
}

/** Fish, a small one and a big one, who talk with many others: acted. */
function fish() {
  return ['cs', 'nl'].flatMap(language => {
    const files = filesBelow(join(FISH, 'sound'), 8_000).filter(file => basename(dirname(file)) === language)
    const of = who => ({ speaker: `fish ${who} ${language}`, kind: 'sentences', seconds: 90 })
    return [
      { ...of('small'), files: files.filter(file => file.includes('-m-')) },
      { ...of('big'), files: files.filter(file => file.includes('-v-')) },
      { ...of('others'), files: files.filter(file => !/-[mv]-/.test(file)) },
    ]
  })
}

/** Men and women who test speech codecs. */
function radio() {
  return filesIn(CODEC2, 0)
    .filter(file => !NO_SPEAKERS.test(file))
    .map(file => ({ speaker: file, kind: 'sentences', seconds: 90, files: [file] }))
}

/** What is on a stamp, in words and short sentences, by a speaker for each language. */
function stamps() {
  const files = filesBelow(STAMPS, 0).filter(file => LANGUAGE.test(file))
  const languages = [...new Set(files.map(file => LANGUAGE.exec(file)[1]))]
  return languages.map(language => ({
    speaker: `stamps${language ?? ''}`,
    kind: 'sentences',
    seconds: 90,
    files: files.filter(file => LANGUAGE.exec(file)[1] === language),
  }))
}

/** Children's: letters and syllables one by one, whose pace is nobody's, and words. */
function games() {
  const letters = foldersBelow('/usr/share/klettres').map(folder => ({
    speaker: folder.replace(/\/(alpha|syllab)$/, ''),
    kind: 'letters',
    seconds: 40,
    files: filesIn(folder, 0),
  }))
  const words = foldersBelow('/usr/share/ktuberling/sounds').map(folder => ({
    speaker: folder,
    kind: 'words',
    seconds: 40,
    files: filesIn(folder, 0),
  }))
  return [...letters, ...words]
}

function music() {
  const files = MUSIC.flatMap(folder => filesBelow(folder, 200_000))
  return files.map(file => ({ speaker: file, kind: 'music', seconds: 15, files: [file] }))
}

function foldersBelow(root) {
  if (!existsSync(root)) return []
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isDirectory()).map(({ name, parentPath }) => join(parentPath, name))
}

function filesBelow(root, leastBytes) {
  return [root, ...foldersBelow(root)].flatMap(folder => filesIn(folder, leastBytes))
}

/** In an order that is the same everywhere. */
function filesIn(folder, leastBytes) {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder)
    .filter(name => /\.(g722|wav|gsm|ogg|mp3)$/.test(name))
    .sort()
  return files.map(name => join(folder, name)).filter(file => statSync(file).size > leastBytes)
}

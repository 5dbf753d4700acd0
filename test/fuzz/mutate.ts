import type { Dice } from '../chaos/dice.js'

/** Longer inputs teach nothing new about headers, and cost more. */
const MAX_INPUT_BYTES = 600

/** Every word that a reader compares with. */
const WORDS = [
  ...['RIFF', 'RIFX', 'RF64', 'BW64', 'WAVE', 'fmt ', 'data', 'ds64', 'LIST', 'JUNK', 'bext', 'fact'],
  ...['FORM', 'AIFF', 'AIFC', 'COMM', 'SSND', 'FVER', 'NONE', 'sowt', 'twos', 'raw ', 'in24', '42ni', 'fl32'],
  ...['caff', 'desc', 'free', 'lpcm', 'ulaw', 'alaw', '.snd', 'riff', 'wave'],
  ...['ID3', 'ftyp', 'moov', 'moof', 'mdat', 'wide', 'skip', 'OggS', 'fLaC', '#!AMR\n'],
].map(word => Buffer.from(word, 'latin1'))

const GUIDS = [
  '0000001000800000aa00389b71',
  'f3acd3118cd100c04f8edb8a',
  '2e91cf11a5d628db04c10000',
  '1a45dfa3',
].map(hex => Buffer.from(hex, 'hex'))

const DICTIONARY = [...WORDS, ...GUIDS]

/** What sizes, counts, tags and flags are when they are interesting. */
const NUMBERS = [
  ...[
    0, 1, 2, 3, 4, 6, 7, 8, 12, 15, 16, 18, 22, 24, 32, 39, 40, 64, 255, 300, 8_000, 44_100, 65_534, 65_535,
  ],
  ...[
    0x7effffff, 0x7f000008, 0x7fff0000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffeffff, 0xffff0000,
    0xffffffff,
  ],
] as const

type Mutation = (input: Buffer, dice: Dice, other: Buffer) => Buffer

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setByte,
  setNumber,
  addToNumber,
  setWord,
  insert,
  remove,
  repeat,
  splice,
]

/** A changed copy: a few mutations, one behind the other. `other` is another input, to take parts from. */
export function mutate(input: Buffer, other: Buffer, dice: Dice): Buffer {
  let mutant = Buffer.from(input)
  for (let count = dice.scale(1, 8); count > 0; count--) {
    if (mutant.length === 0) mutant = Buffer.from([0])
    mutant = Buffer.from(dice.pick(MUTATIONS)(mutant, dice, other).subarray(0, MAX_INPUT_BYTES))
  }
  return mutant
}

function placeIn(input: Buffer, dice: Dice): number {
  return dice.int(0, Math.max(0, input.length - 1))
}

function flipBits(input: Buffer, dice: Dice): Buffer {
  const at = placeIn(input, dice)
  input[at] = (input[at] ?? 0) ^ (1 << dice.int(0, 7))
  return input
}

function setByte(input: Buffer, dice: Dice): Buffer {
  input[placeIn(input, dice)] = dice.int(0, 255)
  return input
}

/** In two, four or eight bytes, in either order. */
function setNumber(input: Buffer, dice: Dice): Buffer {
  return overwrite(input, placeIn(input, dice), bytesOf(dice.pick(NUMBERS), dice))
}

function addToNumber(input: Buffer, dice: Dice): Buffer {
  const at = placeIn(input, dice)
  if (at + 4 > input.length) return input
  const isLittle = dice.chance(0.5)
  const value = (isLittle ? input.readUInt32LE(at) : input.readUInt32BE(at)) + dice.int(-16, 16)
  if (isLittle) input.writeInt32LE(value | 0, at)
  else input.writeInt32BE(value | 0, at)
  return input
}

function setWord(input: Buffer, dice: Dice): Buffer {
  return overwrite(input, placeIn(input, dice), dice.pick(DICTIONARY))
}

function insert(input: Buffer, dice: Dice): Buffer {
  const at = placeIn(input, dice)
  const what = dice.chance(0.5) ? dice.pick(DICTIONARY) : Buffer.alloc(dice.scale(1, 32), dice.int(0, 255))
  return Buffer.concat([input.subarray(0, at), what, input.subarray(at)])
}

function remove(input: Buffer, dice: Dice): Buffer {
  const at = placeIn(input, dice)
  return Buffer.concat([input.subarray(0, at), input.subarray(at + dice.scale(1, 32))])
}

function repeat(input: Buffer, dice: Dice): Buffer {
  const from = placeIn(input, dice)
  const to = Math.min(input.length, from + dice.scale(1, 64))
  return Buffer.concat([input.subarray(0, to), input.subarray(from)])
}

function splice(input: Buffer, dice: Dice, other: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, placeIn(input, dice)), other.subarray(placeIn(other, dice))])
}

function overwrite(input: Buffer, at: number, bytes: Buffer): Buffer {
  bytes.copy(input, at)
  return input
}

function bytesOf(value: number, dice: Dice): Buffer {
  const wide = Buffer.alloc(8)
  // All ones stay all ones, however wide.
  wide.writeBigInt64BE(value >= 0xffff0000 && dice.chance(0.5) ? BigInt(value | 0) : BigInt(value))
  const bytes = wide.subarray(8 - dice.pick([2, 4, 8]))
  return dice.chance(0.5) ? bytes : bytes.reverse()
}

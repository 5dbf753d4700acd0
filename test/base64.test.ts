import t from 'tap'
import { portableEncodeBase64 } from '#dist/audio/portable/base64.js'
import { encodeBase64, nativeBackend } from '#dist/native.js'
import { seededRandom } from './fixtures/chunks.js'

const PREFIX = Buffer.from('{"content":"')
const SUFFIX = Buffer.from('"}')
const GUARD = 0xa5

function randomBytes(length: number, seed: number): Buffer {
  const random = seededRandom(seed)
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}

t.test('the tests run the addon beside its twin', async t => {
  t.equal(nativeBackend(), 'native')
})

for (const [name, encode] of [
  ['native', encodeBase64],
  ['portable', portableEncodeBase64],
] as const) {
  t.test(`${name}: writes what Node writes, for every length, and nothing beyond`, async t => {
    for (const length of [...Array(201).keys(), 640, 3_199, 3_200, 32_000]) {
      const pcm = randomBytes(length, length + 1)
      const expected = `${PREFIX.toString()}${pcm.toString('base64')}${SUFFIX.toString()}`
      const output = Buffer.alloc(expected.length + 64, GUARD)
      const written = encode(PREFIX, pcm, SUFFIX, output)
      const right =
        written === expected.length &&
        output.toString('latin1', 0, written) === expected &&
        output.subarray(written).every(byte => byte === GUARD)
      if (!right) t.fail(`${length} bytes`)
    }
  })

  t.test(`${name}: reads and writes views at any byte offset`, async t => {
    const pcm = randomBytes(321, 7)
    const expected = pcm.toString('base64')
    for (let offset = 1; offset < 5; offset++) {
      const input = new Uint8Array(400)
      input.set(pcm, offset)
      const memory = new Uint8Array(600).fill(GUARD)
      const output = memory.subarray(offset, offset + expected.length)
      const empty = new Uint8Array(0)
      t.equal(encode(empty, input.subarray(offset, offset + 321), empty, output), expected.length)
      t.equal(Buffer.from(output).toString('latin1'), expected)
      t.equal(memory[offset - 1], GUARD)
      t.equal(memory[offset + expected.length], GUARD)
    }
  })

  t.test(`${name}: refuses an output that is too short`, async t => {
    const fits = Buffer.alloc(PREFIX.length + 8 + SUFFIX.length)
    t.equal(encode(PREFIX, Buffer.alloc(4), SUFFIX, fits), fits.length)
    t.throws(() => encode(PREFIX, Buffer.alloc(4), SUFFIX, fits.subarray(1)), {
      name: 'RangeError',
      message: 'output must hold at least 22 bytes; got 21',
    })
  })
}

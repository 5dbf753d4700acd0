import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import t from 'tap'
import { frame, type Frame, type FrameOrMark, type FrameOptions } from '#dist/audio/frame.js'
import { stampedAudio } from '#dist/testing.js'
import { chunksOf, seededRandom } from './fixtures/chunks.js'

const noise = Buffer.from(Array.from({ length: 32_000 + 802 }, (_, i) => (i * 7919) & 255))

async function run(chunks: Iterable<Buffer>, options?: FrameOptions): Promise<FrameOrMark[]> {
  const framer = frame(options)
  const items: FrameOrMark[] = []
  await pipeline(Readable.from(chunks, { objectMode: true }), framer, async source => {
    for await (const item of source) items.push(item as FrameOrMark)
  })
  return items
}

const shape = (items: FrameOrMark[]) =>
  items.map(item =>
    'endTurn' in item ? 'end of turn' : [item.startMs, item.sourceMs, item.insertedMs, item.pcm.length],
  )

t.test('slices exact frames and pads only the last to the minimum', async t => {
  const items = await run([noise], { frameMs: 100 })
  t.equal(items.length, 11)
  t.strictSame(shape(items).slice(-2), [
    [900, 100, 0, 3_200],
    [1_000, 25.0625, 0, 802],
  ])
  const short = await run([noise.subarray(0, 3_210)])
  t.strictSame(shape(short), [
    [0, 100, 0, 3_200],
    [100, 0.3125, 19.6875, 640],
  ])
  const [, tail] = short as Frame[]
  t.ok(
    tail!.pcm.subarray(10).every(byte => byte === 0),
    'padding is zeros',
  )
  t.strictSame(tail!.pcm.subarray(0, 10), noise.subarray(3_200, 3_210))
})

t.test('gives the same frames for every split of the input', async t => {
  const whole = await run([noise])
  const random = seededRandom(7)
  for (const [name, sizes] of [
    ['one byte', () => 1],
    ['odd', () => 333],
    ['random', () => 1 + Math.floor(random() * 9_000)],
  ] as const) {
    t.strictSame(await run(chunksOf(noise, sizes)), whole, name)
  }
})

t.test('reads pooled buffers at odd offsets and drops half a sample at the end', async t => {
  const pool = Buffer.alloc(noise.length + 3)
  noise.copy(pool, 3)
  t.strictSame(await run([pool.subarray(3)]), await run([noise]))
  t.strictSame(await run([noise.subarray(0, 3_201)]), await run([noise.subarray(0, 3_200)]))
})

t.test('has no frame for empty input', async t => {
  t.strictSame(await run([]), [])
  t.strictSame(await run([Buffer.alloc(0)]), [])
})

t.test('cuts at an end of turn, in the middle of a frame, at once or when its sample comes', async t => {
  const framer = frame()
  const items: FrameOrMark[] = []
  framer.on('data', (item: FrameOrMark) => items.push(item))
  framer.write(noise.subarray(0, 3_300))
  framer.endTurnAt(1_650) // reached: 50 samples into the second frame
  framer.endTurnAt(1_650)
  framer.endTurnAt(1_970) // 10 ms later, still to come
  framer.write(noise.subarray(3_300, 9_000))
  framer.end()
  await once(framer, 'end')
  t.strictSame(shape(items), [
    [0, 100, 0, 3_200],
    [100, 3.125, 16.875, 640],
    'end of turn',
    'end of turn',
    [103.125, 20, 0, 640],
    'end of turn',
    [123.125, 100, 0, 3_200],
    [223.125, 58.125, 0, 1_860],
  ])
})

t.test('sends marks that lie beyond the end at the end', async t => {
  const framer = frame()
  framer.endTurnAt(99_999)
  framer.end(noise.subarray(0, 640))
  t.strictSame(shape((await framer.toArray()) as FrameOrMark[]), [[0, 20, 0, 640], 'end of turn'])
})

t.test('measures the level of the source part alone', async t => {
  const tone = Buffer.alloc(3_200)
  for (let i = 0; i < 1_600; i++) tone.writeInt16LE(Math.round(16_384 * Math.sin((i * Math.PI) / 8)), i * 2)
  const [full] = (await run([tone])) as Frame[]
  const [padded] = (await run([tone.subarray(0, 320)])) as Frame[]
  t.ok(Math.abs(full!.levelDb + 9.03) < 0.05, `${full!.levelDb} dB`)
  t.ok(Math.abs(padded!.levelDb - full!.levelDb) < 0.3, `${padded!.levelDb} dB`)
  t.equal(((await run([Buffer.alloc(3_200)])) as Frame[])[0]!.levelDb, -100)
})

t.test('stops taking input while nobody reads', async t => {
  const framer = frame()
  let taken = 0
  while (framer.write(noise)) taken += noise.length
  t.ok(taken < 32_000 * 4, `${taken} bytes`)
  framer.destroy()
  await once(framer, 'close')
})

t.test('is destroyed in every state without an error of its own', async t => {
  for (const prepare of [
    () => {},
    (f: ReturnType<typeof frame>) => void f.write(noise),
    (f: ReturnType<typeof frame>) => void f.end(noise),
  ]) {
    const framer = frame()
    framer.on('error', error => t.fail(error))
    prepare(framer)
    framer.destroy()
    await once(framer, 'close')
  }
  const controller = new AbortController()
  const framer = frame({ signal: controller.signal })
  controller.abort()
  const [error] = (await once(framer, 'error')) as [Error]
  t.equal(error.name, 'AbortError')
})

t.test('refuses durations that the service refuses', async t => {
  for (const frameMs of [19, 1_001, 50.5, NaN]) t.throws(() => frame({ frameMs }), { name: 'RangeError' })
  t.throws(() => frame({ frameMs: '100' as never }), { name: 'TypeError' })
  t.throws(() => frame({ frameMs: 40, minFrameMs: 50 }), { name: 'RangeError' })
})

t.test('pads to a minimum that may change with the model', async t => {
  const framer = frame({ frameMs: 100, minFrameMs: 20 })
  framer.minFrameMs = 50
  framer.end(Buffer.alloc(10 * 32))
  const [only] = (await framer.toArray()) as Frame[]
  t.match(only, { sourceMs: 10, insertedMs: 40 })
  t.throws(() => (framer.minFrameMs = 200), RangeError)
})

t.test('a short word makes a long frame speech', async t => {
  const pcm = stampedAudio([{ startMs: 1_300, endMs: 1_480, text: 'yes' }], 3_000)
  const long = (await run([pcm], { frameMs: 1_000 })) as Frame[]
  t.strictSame(
    long.map(({ voiced }) => voiced),
    [false, true, false],
  )
})

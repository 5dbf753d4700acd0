import t from 'tap'
import { SendWindow } from '#dist/stt/send-window.js'
import { mockClock } from './fixtures/mock-clock.js'

function window(windowMs = 1_000, isResting = () => false) {
  const pings: string[] = []
  const made = new SendWindow({ windowMs, giveUpMs: 5_000, ping: id => pings.push(id), isResting })
  let sentMs = 0
  /** Sends until the window is full; the audio that went, in ms. */
  const fill = (limitMs = 100_000) => {
    let room = true
    while (room && sentMs < limitMs) {
      room = false
      made.sent((sentMs += 100), () => (room = true))
    }
    return sentMs
  }
  return { made, pings, fill }
}

t.test('lets so much audio be on its way, and more once the peer has read', t => {
  const { made, pings, fill } = window()
  t.equal(fill(), 1_100)
  t.equal(pings.length, 3, 'at 300, 600 and 900 ms')
  made.pong(pings[0]!)
  t.equal(fill(), 1_400)
  made.pong(pings.at(-1)!)
  t.equal(fill(), 2_300, 'the newest pong answers for all')
  made.pong('something else')
  made.pong(pings[0]!)
  t.equal(fill(), 2_400, 'neither another nor an old one answers anything')
  made.stop()
  t.end()
})

t.test('calls back once there is room', t => {
  const { made, pings } = window(200)
  let calls = 0
  made.sent(150, () => calls++)
  made.sent(400, () => calls++)
  t.equal(calls, 1)
  made.pong(pings[0]!)
  t.equal(calls, 1, '250 ms are still on their way')
  made.pong(pings[1]!)
  t.equal(calls, 2)
  made.stop()
  t.end()
})

t.test('is given up where pings are not answered, but not for our own rest', t => {
  const clock = mockClock(t)
  let resting = true
  const { fill } = window(1_000, () => resting)
  fill()
  clock.advance(5_000)
  t.equal(fill(), 1_200)
  resting = false
  clock.advance(5_000)
  t.equal(fill(3_000), 3_000)
  t.end()
})

t.test('never pings where there is no window', t => {
  const { pings, fill } = window(Infinity)
  t.equal(fill(), 100_000)
  t.strictSame(pings, [])
  t.end()
})

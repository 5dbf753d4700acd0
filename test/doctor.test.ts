import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { examine, needed, table } from '#dist/cli/doctor/doctor.js'
import { judgeFfmpeg, judgeFfprobe } from '#dist/cli/doctor/ffmpeg.js'
import type { Finding, Surroundings } from '#dist/cli/doctor/finding.js'
import { judgeKey } from '#dist/cli/doctor/key.js'
import { judgeMicrophones } from '#dist/cli/doctor/microphones.js'
import { judgeNoRecognizer } from '#dist/cli/doctor/recognizer.js'
import { judgeAddon, judgeNode, judgePackages } from '#dist/cli/doctor/runtime.js'
import { checkService, judgeService, type Answer } from '#dist/cli/doctor/service.js'
import { runNode } from './fixtures/run-node.js'
import { scriptedServer } from './fixtures/scripted.js'

const CLI = join(import.meta.dirname, '../dist/cli/main.js')
const at = (url: string, apiKey?: string): Surroundings => ({
  url,
  isService: false,
  keySource: '--api-key',
  ...(apiKey !== undefined && { apiKey }),
})
const base64 = (text: string) => Buffer.from(text).toString('base64')
const token = (payload: object) => `eyJhbGciOiJIUzI1NiJ9.${base64(JSON.stringify(payload))}.c2ln`

t.test('Node is compared with what package.json asks for', async t => {
  for (const [version, state] of [
    ['20.19.0', 'ok'],
    ['22.0.0', 'ok'],
    ['20.18.9', 'missing'],
    ['18.20.0', 'missing'],
  ] as const)
    t.match(judgeNode(version, '>=20.19'), { check: 'Node', state }, version)
  t.match(judgeNode('18.0.0', '>=20.19').remedy, '20.19')
})

t.test('the addon, its kernels, or why there is none', async t => {
  t.match(judgeAddon('avx2', undefined), { state: 'ok', detail: 'native, avx2 kernels' })
  t.match(judgeAddon(undefined, undefined), { state: 'ok', detail: /STTSTREAM_PORTABLE=1/ })
  t.match(judgeAddon(undefined, new Error('no build for this libc')), {
    state: 'warning',
    detail: /no build for this libc/,
    remedy: /build:native/,
  })
})

t.test('optional packages are named with what they are for', async t => {
  const packages = [
    { name: 'mpg123-decoder', use: 'mp3', isThere: true },
    { name: 'opus-decoder', use: 'opus', isThere: false },
  ]
  t.match(judgePackages('decoders', packages, 'in process', 'ffmpeg does it'), {
    state: 'warning',
    detail: 'opus: opus-decoder not installed; ffmpeg does it',
    remedy: 'npm install opus-decoder',
  })
  t.match(judgePackages('decoders', packages.slice(0, 1), 'in process', ''), {
    state: 'ok',
    detail: 'mp3: in process',
  })
})

t.test('ffmpeg: where from, which version, and which decoders it lacks', async t => {
  const version = 'ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\n'
  const names = ['mp3float', 'aac', 'opus', 'vorbis', 'flac', 'alac', 'wmav2', 'ac3', 'amrnb', 'amrwb', 'gsm']
  const listing = (have: string[]) =>
    ` V..... = Video\n ------\n V....D h264  H.264\n${have.map(name => ` A....D ${name}  ${name}\n`).join('')}`
  const facts = { command: '/opt/ffmpeg', isNamed: true, version, decoders: listing([...names, 'libspeex']) }
  t.strictSame(judgeFfmpeg(facts), [
    { check: 'ffmpeg', state: 'ok', detail: '5.1.9-0+deb12u1 (/opt/ffmpeg, as FFMPEG_PATH says)' },
  ])
  t.match(judgeFfmpeg({ ...facts, isNamed: false }), [{ detail: '5.1.9-0+deb12u1 (/opt/ffmpeg)' }])
  const without = judgeFfmpeg({ ...facts, decoders: listing(names.filter(name => name !== 'amrnb')) })
  t.match(without, [{ state: 'warning', detail: /does not decode amr-nb, speex$/, remedy: /FFMPEG_PATH/ }])
  t.match(judgeFfmpeg({ ...facts, version: undefined }), [
    { state: 'missing', detail: /cannot be run/, remedy: /apt install ffmpeg/ },
  ])
  t.match(judgeFfprobe('ffprobe version 7.0.2 Copyright'), { state: 'ok', detail: '7.0.2' })
  t.match(judgeFfprobe(undefined), { state: 'warning', remedy: /PATH/ })
})

t.test('the recogniser says what is missing and what to install', async t => {
  t.strictSame(judgeNoRecognizer(new Error('the library is missing; install it; or name it')), {
    check: 'recogniser',
    state: 'warning',
    detail: 'the library is missing',
    remedy: 'install it; or name it',
  })
  t.strictSame(judgeNoRecognizer('odd'), { check: 'recogniser', state: 'warning', detail: 'odd' })
})

t.test('the microphone that is heard, and how many more there are', async t => {
  const usb = { id: 'pulse:usb', name: 'USB', isDefault: false }
  const desk = { id: 'pulse:desk', name: 'Desk', isDefault: true }
  t.match(judgeMicrophones([usb, desk]), { state: 'ok', detail: 'Desk (pulse:desk), and 1 more' })
  t.match(judgeMicrophones([usb]), { state: 'ok', detail: 'USB (pulse:usb)' })
  t.match(judgeMicrophones([]), { state: 'warning', detail: 'none', remedy: /connect one/ })
})

t.test('the shape of a key, and never the key', async t => {
  const now = 1_000_000_000_000
  const secret = 'NeverShown1'
  const keys: [key: string, detail: RegExp][] = [
    [base64(`id42:${secret}`), /^given by INWORLD_API_KEY$/],
    [`Basic ${base64(`id42:${secret}`)}`, /^given by INWORLD_API_KEY$/],
    [base64(base64(`id42:${secret}`)), /base64 of a key that is base64 already/],
    [`id42:${secret}`, /not base64/],
    [base64(`id42${secret}`), /not of an id and a secret/],
    [`"${base64(`id42:${secret}`)}"`, /quotes/],
    [token({ exp: now / 1_000 + 60 }), /^given by INWORLD_API_KEY$/],
    [token({ exp: now / 1_000 - 60 }), /expired/],
    ['eyJhbGci.e', /three parts/],
    ['eyJhbGci.{.c2ln', /cannot be read/],
  ]
  for (const [apiKey, detail] of keys) {
    const finding = judgeKey({ url: '', isService: true, apiKey, keySource: 'INWORLD_API_KEY' }, now)
    const isGood = /\^given/.test(detail.source)
    t.match(finding, { check: 'key', state: isGood ? 'ok' : 'warning', detail }, apiKey)
    const shown = JSON.stringify(finding)
    t.notOk(
      [apiKey, secret, base64(`id42:${secret}`)].some(part => shown.includes(part)),
      apiKey,
    )
  }
  t.match(judgeKey(at('', 'of another server')), { state: 'ok' }, 'only the keys of the service have a shape')
  t.match(judgeKey(at('')), { state: 'warning', detail: /none/, remedy: /INWORLD_API_KEY/ })
})

t.test('the service is asked as a stream would ask it', async t => {
  const open = await scriptedServer(t)
  t.match(await checkService(at(open.url)), [{ state: 'ok', detail: /^127\.0\.0\.1:\d+, \d+ ms: it takes/ }])
  const locked = await scriptedServer(t, { apiKey: 'the-right-key' })
  t.match(await checkService(at(locked.url, 'the-right-key')), [{ state: 'ok', detail: /key was accepted/ }])
  t.match(await checkService(at(locked.url)), [{ state: 'ok', detail: /asks for a key/ }])
  const [refused] = await checkService(at(locked.url, 'a-wrong-key'))
  t.match(refused, { state: 'missing', detail: /the key was refused \(HTTP 40\d\)/, remedy: 'check the key' })
  t.notMatch(JSON.stringify(refused), /wrong-key/)
  const [unsayable] = await checkService(at(open.url, 'a-wrong\nkey'))
  t.match(unsayable, { state: 'missing' })
  t.notMatch(JSON.stringify(unsayable), /wrong/)
  for (const [status, state] of [
    [402, 'missing'],
    [404, 'missing'],
    [429, 'warning'],
    [503, 'warning'],
  ] as const) {
    const { url } = await scriptedServer(t, { faults: { upgrade: { status } } })
    t.match(await checkService(at(url, 'key')), [{ state, detail: new RegExp(`HTTP ${status}`) }])
  }
})

t.test('a service that cannot be reached', async t => {
  const gone = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => gone.once('listening', resolve))
  const { port } = gone.address() as { port: number }
  await new Promise(resolve => gone.close(resolve))
  t.match(await checkService(at(`ws://127.0.0.1:${port}/`)), [{ state: 'missing', detail: /ECONNREFUSED/ }])
  t.match(await checkService(at('ws://nowhere.invalid/')), [
    { state: 'missing', detail: /^nowhere\.invalid: no address/, remedy: /DNS/ },
  ])
  const answers: [answer: Answer, detail: RegExp, remedy: RegExp][] = [
    [{ kind: 'handshake-timeout' }, /no answer within 5000 ms/, /proxy/],
    [
      { kind: 'failed', cause: Object.assign(new Error('secret'), { code: 'CERT_HAS_EXPIRED' }) },
      /CERT_HAS_EXPIRED/,
      /certificate/,
    ],
    [
      { kind: 'failed', cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) },
      /ECONNRESET/,
      /firewall/,
    ],
    [{ kind: 'closed', code: 1006 }, /closed at once/, /STT channel/],
  ]
  for (const [answer, detail, remedy] of answers)
    t.match(judgeService(at('wss://host.example/'), answer, 3.4), { state: 'missing', detail, remedy })
})

t.test('somebody must listen', async t => {
  const finding = (check: string, state: Finding['state']): Finding => ({ check, state, detail: '' })
  const states = (recogniser: Finding['state'], hasKey: boolean) =>
    needed(
      [finding('recogniser', recogniser), finding('key', 'warning'), finding('service', 'missing')],
      hasKey,
    ).map(({ state }) => state)
  t.strictSame(states('ok', false), ['ok', 'warning', 'warning'], 'the recogniser of this machine')
  t.strictSame(states('warning', true), ['warning', 'warning', 'missing'], 'the service')
  t.strictSame(states('ok', true), ['ok', 'warning', 'missing'], 'a key is there to be used')
  t.strictSame(states('warning', false), ['missing', 'missing', 'missing'], 'nobody')
})

t.test('checks run at once, and none holds up the rest', async t => {
  const ok: Finding = { check: 'a', state: 'ok', detail: '' }
  let release = () => {}
  const meeting = new Promise<void>(resolve => (release = resolve))
  let told: AbortSignal | undefined
  const found = await examine(
    {
      a: async () => {
        await meeting
        return [ok]
      },
      hangs: signal => {
        told = signal
        release()
        return new Promise(() => {})
      },
      breaks: () => Promise.reject(new Error('by surprise')),
    },
    50,
  )
  t.match(found, [
    ok,
    { check: 'hangs', state: 'warning', detail: 'gave no answer within 50 ms' },
    { check: 'breaks', state: 'warning', detail: /by surprise/ },
  ])
  t.equal(told?.aborted, true)
})

t.test('the table has a line for each finding, and its remedy below', async t => {
  t.equal(
    table([
      { check: 'Node', state: 'ok', detail: '20' },
      { check: 'ffmpeg', state: 'missing', detail: 'none', remedy: 'install it' },
    ]),
    'ok       Node    20\nmissing  ffmpeg  none\n                 → install it\n',
  )
})

t.test('sttstream doctor looks at this machine', async t => {
  const { url } = await scriptedServer(t, { apiKey: 'the-right-key' })
  const run = (args: string[], env = {}) => runNode([CLI, 'doctor', ...args], env)
  const [asked, offline, broken] = await Promise.all([
    run(['--url', url, '--api-key', 'the-right-key', '--json']),
    run(['--offline'], { INWORLD_API_KEY: base64('id42:NeverShown') }),
    run(['--offline', '--json'], { FFMPEG_PATH: '/no/such/ffmpeg', STTSTREAM_PORTABLE: '1' }),
  ])
  t.equal(asked.code, 0, asked.stdout)
  const findings = JSON.parse(asked.stdout) as Finding[]
  t.strictSame(
    findings.map(({ check }) => check),
    [
      'Node',
      'addon',
      'decoders',
      'bufferutil',
      'ffmpeg',
      'ffprobe',
      'microphone',
      'recogniser',
      'key',
      'service',
    ],
  )
  const found = (check: string) => findings.find(finding => finding.check === check)
  t.match(found('recogniser'), { state: 'ok' })
  t.match(found('addon'), { state: 'ok', detail: /^native, \w+ kernels$/ })
  t.match(found('service'), { state: 'ok', detail: /accepted/ })
  t.notMatch(asked.stdout, 'the-right-key')

  t.equal(offline.code, 0, offline.stdout)
  t.match(offline.stdout, /^ok +Node +\d+\.\d+\.\d+\nok +addon .*\n/)
  t.match(offline.stdout, /^ok +key +given by INWORLD_API_KEY$/m)
  t.notMatch(offline.stdout, /service|NeverShown/)
  t.notMatch(offline.stdout, base64('id42:NeverShown'))

  t.equal(broken.code, 3, broken.stdout)
  t.match(JSON.parse(broken.stdout), [{}, { check: 'addon', detail: /STTSTREAM_PORTABLE=1/ }])
  t.match(
    (JSON.parse(broken.stdout) as Finding[]).filter(({ state }) => state === 'missing'),
    [{ check: 'ffmpeg', remedy: /apt install ffmpeg/ }],
  )
})

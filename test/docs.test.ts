import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { doctorCommand } from '#dist/cli/doctor-command.js'
import { EXIT } from '#dist/cli/exit-code.js'
import { listenCommand } from '#dist/cli/listen-command.js'
import { serveCommand } from '#dist/cli/serve-command.js'
import { transcribeCommand } from '#dist/cli/transcribe-command.js'
import { endpointerOptions } from '#dist/local/endpointer.js'
import { optionSchema } from '#dist/option-schema.js'
import { fileOptionSchema } from '#dist/transcribe-file-options.js'
import { encode } from './fixtures/audio.js'
import { exampleNames } from './fixtures/example-names.js'
import { noPulseServer, pulseServer } from './fixtures/pulse-server.js'
import { runNode } from './fixtures/run-node.js'
import { LAMP, scriptedServer } from './fixtures/scripted.js'
import { storedFile, webSite } from './fixtures/web-site.js'

const ROOT = join(import.meta.dirname, '..')
/** A recording of the Debian package pocketsphinx-testdata. */
const GO_FORWARD = '/usr/share/pocketsphinx/test/data/goforward.raw'
/** 5 s of 48 kHz LINEAR16 for a microphone: more than the script's first turn. */
const SPOKEN_BYTES = 480_000
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const filesIn = (directory: string, ending: string) =>
  readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => join(directory, name))

const DOCUMENTS = [
  ...readdirSync(ROOT).filter(name => name.endsWith('.md')),
  ...filesIn('docs', '.md'),
  ...filesIn('examples', '.md'),
]

/** Generated pages hold fragments, not programs. */
const GUIDES = filesIn('docs', '.md').filter(name => !name.startsWith(join('docs', 'reference')))

const unique = (words: Iterable<string>) => [...new Set(words)].sort()
const allMatches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(match => match[1] ?? '')
/** Text without its code blocks. */
const prose = (markdown: string) => markdown.replace(/^```.*?^```$/gms, '')
const headings = (markdown: string) => allMatches(prose(markdown), /^#{1,6} (.+)$/gm)
const section = (markdown: string, heading: string) => {
  const [, rest = ''] = markdown.split(`\n${heading}\n`)
  const level = heading.split(' ', 1)[0] ?? ''
  return rest.split(new RegExp(`^#{1,${level.length}} `, 'm'), 1)[0] ?? ''
}
/** Words in code type in the first column of the section's tables. */
const firstColumn = (markdown: string) =>
  [...markdown.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = '']) => allMatches(cell, /`([^`]+)`/g))

/** The programs in the guides; the last test runs them. */
const PROGRAMS = GUIDES.flatMap(document =>
  allMatches(read(document), /^```js\n(.*?)^```$/gms).map(code => ({ document, code })),
)

/** The fields of an interface in the source. */
function fieldsOf(name: string, file: string): string[] {
  const [, body = ''] =
    new RegExp(`^export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(read(`src/${file}.ts`)) ?? []
  return allMatches(body, /^ {2}(?:readonly )?(\w+)\??:/gm)
}

/** As a whole word: many a code is the beginning of another. */
const isNamed = (name: string, text: string) => new RegExp(`\\b${name}\\b`).test(text)

/** How GitHub makes the anchors of a document's headings: those that come again are numbered. */
function anchors(markdown: string): string[] {
  const taken = new Map<string, number>()
  return headings(markdown).map(heading => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const times = taken.get(anchor) ?? 0
    taken.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  })
}

/** What the programs find at https://example.com: a file, and a station that plays it over and over. */
async function exampleCom(t: Test, mp3: Buffer): Promise<string> {
  const file = storedFile({ bytes: mp3 })
  const { origin } = await webSite(t, (request, response) => {
    if (request.url !== '/radio') return file(request, response)
    response.writeHead(200, { 'icy-name': 'Radio Go Forward', 'content-type': 'audio/mpeg' })
    const play = () => response.destroyed || response.write(mp3, () => setImmediate(play))
    play()
  })
  return origin
}

t.test('every code has its heading in docs/errors.md, and every heading its code', async t => {
  const errors = allMatches(read('src/errors.ts'), /^ {2}\| '(STT_ERR_\w+)'/gm)
  const warnings = filesIn('src', '.ts').flatMap(file => allMatches(read(file), /(STT_WARN_\w+)/g))
  t.ok(errors.length > 20 && warnings.length > 5, 'the codes are found')
  const documented = headings(read('docs/errors.md')).filter(heading => heading.startsWith('STT_'))
  t.strictSame(documented.toSorted(), unique([...errors, ...warnings]))
})

t.test('every code is named in a test', async t => {
  const tests = filesIn('test', '.test.ts').map(read).join('\n')
  for (const code of headings(read('docs/errors.md')).filter(heading => heading.startsWith('STT_'))) {
    t.ok(isNamed(code, tests), code)
  }
})

t.test('every link leads somewhere', async t => {
  const anchorsOf = new Map<string, Set<string>>()
  const leadsTo = (file: string, fragment: string) => {
    let known = anchorsOf.get(file)
    if (!known) {
      const markdown = read(file)
      known = new Set([...anchors(markdown), ...allMatches(markdown, /<a id="([^"]*)">/g)])
      anchorsOf.set(file, known)
    }
    return known.has(fragment)
  }
  for (const document of DOCUMENTS) {
    for (const target of allMatches(prose(read(document)), /\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', fragment] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      t.ok(existsSync(join(ROOT, file)), `${document}: ${target}`)
      if (fragment === undefined) continue
      t.ok(leadsTo(file, fragment), `${document}: #${fragment} leads to a heading`)
    }
  }
})

t.test('the README opens with the two commands, and its example is examples/one-liner.mjs', async t => {
  const readme = read('README.md')
  const [first = '', second = '', third = ''] = allMatches(readme, /^```(.*?)^```$/gms)
  t.match(first, /^sh\nnpm run demo .*\nnpm test .*\n$/)
  t.equal(second, 'sh\nnpm install sttstream\n')
  t.equal(third, `js\n${read('examples/one-liner.mjs')}`)
})

t.test('docs/api.md has the options that there are', async t => {
  const documented = firstColumn(section(read('docs/api.md'), '## Options'))
  t.strictSame(documented.toSorted(), Object.keys(optionSchema.shape).sort())
  const api = read('docs/api.md')
  for (const block of ['groqConfig', 'assemblyaiConfig', 'inworldSttV1Config', 'sonioxConfig'] as const) {
    const row = api.split('\n').find(line => line.startsWith(`| \`${block}\``)) ?? ''
    for (const field of Object.keys(optionSchema.shape[block].unwrap().shape)) t.match(row, field, block)
  }
})

t.test('docs/api.md has the options of transcribeFile()', async t => {
  const api = read('docs/api.md')
  const documented = [
    ...firstColumn(section(api, '## transcribeFile(source, options)')),
    ...firstColumn(section(api, '### Model and turns')),
  ]
  t.strictSame(documented.toSorted(), Object.keys(fileOptionSchema.shape).sort())
})

t.test('docs/api.md has every field, where it belongs', async t => {
  const api = read('docs/api.md')
  const sections = {
    '### Continuity': [
      fieldsOf('ContinuityOptions', 'stt/session-options'),
      fieldsOf('RetryOptions', 'stt/retry-policy'),
    ],
    '## Events': allMatches(read('src/stt/events.ts'), /^export interface (\w+)/gm).map(name =>
      fieldsOf(name, 'stt/events'),
    ),
    '## Methods': [
      fieldsOf('SttStreamStats', 'stt-stream'),
      fieldsOf('SessionStats', 'stt/session-options'),
      fieldsOf('StreamMetricsSnapshot', 'stt/stream-metrics'),
      fieldsOf('LatencySummary', 'stt/latency-histogram'),
    ],
    '## transcribe(source, options)': [fieldsOf('TranscribeOptions', 'transcribe')],
    '## openSource(source, options)': [
      fieldsOf('OpenSourceOptions', 'audio/open-source'),
      fieldsOf('OpenedSource', 'audio/open-source'),
    ],
    '## Transcript': [fieldsOf('Transcript', 'transcript')],
    '## Microphone': [
      fieldsOf('MicrophoneOptions', 'audio/microphone-options'),
      fieldsOf('MicrophonesOptions', 'audio/microphone-list'),
      fieldsOf('MicrophoneDevice', 'audio/microphone-list'),
      fieldsOf('MicrophoneWarning', 'audio/microphone'),
    ],
    '### decode(options)': [fieldsOf('DecodeOptions', 'audio/decode-options')],
    '### resample(options)': [fieldsOf('ResampleOptions', 'audio/resample')],
    '### splitChannels(options)': [fieldsOf('SplitChannelsOptions', 'audio/split-channels')],
    '### frame(options)': [fieldsOf('FrameOptions', 'audio/frame'), fieldsOf('Frame', 'audio/frame')],
    '### pace(options)': [fieldsOf('PaceOptions', 'audio/pace')],
    '### SttConnection': [
      fieldsOf('ConnectionOptions', 'stt/connection-options'),
      // How the stream measures it.
      fieldsOf('SttConnectionOptions', 'stt/connection-options').filter(name => name !== 'metrics'),
    ],
    '## Fleet': [
      fieldsOf('FleetOptions', 'stt/fleet-options'),
      fieldsOf('BreakerOptions', 'stt/circuit-breaker'),
      fieldsOf('FleetStats', 'stt/fleet'),
      fieldsOf('DrainResult', 'stt/fleet'),
      fieldsOf('FleetEvents', 'stt/fleet'),
    ],
    '## Captions': [
      fieldsOf('CaptionsOptions', 'captions/captions'),
      fieldsOf('CueRules', 'captions/cues'),
      fieldsOf('Cue', 'captions/cues'),
    ],
  }
  for (const [heading, interfaces] of Object.entries(sections)) {
    const text = prose(section(api, heading))
    for (const names of interfaces) {
      t.not(names.length, 0, `${heading}: the fields are found`)
      for (const name of names) t.ok(isNamed(name, text), `${heading}: ${name}`)
    }
  }
})

t.test('every option and every event stands in an example that is run', async t => {
  const examples = filesIn('examples', '.mjs').map(read)
  const { given, read: fields, told } = exampleNames([...PROGRAMS.map(({ code }) => code), ...examples])
  const options = {
    'sttStream()': Object.keys(optionSchema.shape),
    'transcribeFile()': Object.keys(fileOptionSchema.shape),
    'transcribe()': fieldsOf('TranscribeOptions', 'transcribe'),
    retry: fieldsOf('RetryOptions', 'stt/retry-policy'),
    groqConfig: fieldsOf('GroqConfig', 'stt/transcribe-config'),
    assemblyaiConfig: fieldsOf('AssemblyaiConfig', 'stt/transcribe-config'),
    inworldSttV1Config: fieldsOf('InworldSttV1Config', 'stt/transcribe-config'),
    sonioxConfig: fieldsOf('SonioxConfig', 'stt/transcribe-config'),
    voiceProfileConfig: fieldsOf('VoiceProfileConfig', 'stt/transcribe-config'),
    Fleet: fieldsOf('FleetOptions', 'stt/fleet-options'),
    breaker: [...fieldsOf('BreakerOptions', 'stt/circuit-breaker'), 'whenOpen'],
    'openSource()': fieldsOf('OpenSourceOptions', 'audio/open-source'),
    'microphone()': fieldsOf('MicrophoneOptions', 'audio/microphone-options'),
    'decode()': fieldsOf('DecodeOptions', 'audio/decode-options'),
    'resample()': fieldsOf('ResampleOptions', 'audio/resample'),
    'frame()': fieldsOf('FrameOptions', 'audio/frame'),
    // The clock is for tests of ours.
    'pace()': fieldsOf('PaceOptions', 'audio/pace').filter(name => name !== 'clock'),
    'captions()': [
      ...fieldsOf('CaptionsOptions', 'captions/captions'),
      ...fieldsOf('CueRules', 'captions/cues'),
    ],
  }
  for (const [what, names] of Object.entries(options)) {
    t.not(names.length, 0, `the options of ${what} are found`)
    for (const name of names) t.ok(given.has(name), `${what}: ${name}`)
  }

  const fires = allMatches(read('docs/reference/index.md'), /^#### Fires\n(.*?)^#/gms).join('\n')
  const events = [
    ...allMatches(fires, /^- `(\w+)`/gm),
    ...allMatches(read('src/stt/events.ts'), /^ {2}type: '(\w+)'/gm),
  ]
  t.ok(events.length > 12, 'the events are found')
  for (const name of unique(events)) t.ok(told.has(name), `event ${name}`)

  const types = allMatches(read('src/stt/events.ts'), /^export interface (\w+)/gm)
  t.ok(types.length > 5, 'the types of events are found')
  const results = [
    ...types.flatMap(name => fieldsOf(name, 'stt/events')),
    ...fieldsOf('Transcript', 'transcript'),
    ...fieldsOf('DrainResult', 'stt/fleet'),
    ...fieldsOf('SttErrorDetails', 'errors'),
  ]
  for (const name of unique(results)) t.ok(fields.has(name), `field ${name}`)
})

t.test('what can be imported is documented', async t => {
  const names = (file: string) =>
    [...read(file).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
      list
        .split(',')
        .map(name => name.replace('type ', '').trim())
        .filter(name => name !== ''),
    )
  const exported = names('src/index.ts')
  t.ok(exported.length > 30, 'the exports are found')
  for (const name of exported) t.ok(isNamed(name, read('docs/api.md')), name)
  const testing = read('docs/testing.md') + read('docs/local-server.md')
  for (const name of names('src/testing.ts')) t.ok(isNamed(name, testing), name)
})

t.test('docs/testing.md has every fault', async t => {
  const source = ['faults', 'end-fault', 'link-fault'].map(name => read(`src/local/${name}.ts`)).join('\n')
  const fields = (name: string) => {
    const [, body = ''] = new RegExp(`^export interface ${name}[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(source) ?? []
    return allMatches(body, /^ {2}(\w+)\??:/gm)
  }
  const documented = unique(firstColumn(section(read('docs/testing.md'), '## Faults')))
  const groups = { upgrade: 'UpgradeFault', results: 'ResultFaults', end: 'EndFault', link: 'LinkFault' }
  const switches = fields('Faults').filter(name => !Object.hasOwn(groups, name))
  const grouped = Object.entries(groups).flatMap(([group, name]) =>
    fields(name).map(key => `${group}.${key}`),
  )
  // What goes with a refusal stands in its row; an error's spellings have rows of their own.
  const expected = [...switches, ...grouped, 'error.shape', 'error.racingClose'].filter(
    name => name !== 'upgrade.body' && name !== 'upgrade.headers',
  )
  t.strictSame(documented, unique(expected))
})

t.test('docs/local-server.md has the options, limits and turn end of the server', async t => {
  const source = read('src/local/server-options.ts')
  const fields = (name: string) => {
    const [, body = ''] = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(source) ?? []
    return allMatches(body, /^ {2}(\w+)\??:/gm).sort()
  }
  const document = read('docs/local-server.md')
  t.strictSame(firstColumn(section(document, '## In your program')).sort(), fields('LocalServerOptions'))
  t.strictSame(firstColumn(section(document, '## Limits')).sort(), fields('ServerLimits'))
  const { minSilenceMs } = endpointerOptions({})
  t.match(document, `${minSilenceMs} ms where the config says nothing`)
  t.match(read('docs/testing.md'), `less than ${minSilenceMs} ms apart`)
})

t.test('docs/cli.md has the options and exit codes of the commands', async t => {
  const document = read('docs/cli.md')
  for (const [heading, command] of [
    ['## sttstream transcribe FILE…', transcribeCommand(() => {})],
    ['## sttstream listen', listenCommand(() => {})],
    ['## sttstream serve', serveCommand(() => {})],
    ['## sttstream doctor', doctorCommand(() => {})],
  ] as const) {
    const documented = firstColumn(section(document, heading)).map(option => option.split(' ', 1)[0] ?? '')
    const options = command.options.flatMap(({ short, long }) => [short ?? [], long ?? []].flat())
    t.strictSame(documented.sort(), options.sort())
  }
  const codes = allMatches(section(document, '## Exit codes'), /^\| (\d+) /gm).map(Number)
  t.strictSame(codes, Object.values(EXIT))
})

t.test('the programs in the documentation run', async t => {
  const directory = t.testdir()
  const voiceProfile = { emotion: [{ label: 'calm', confidence: 0.8 }] }
  const script = LAMP.map(utterance => ({ ...utterance, voiceProfile, language: 'en' }))
  const { url, httpUrl } = await scriptedServer(t, { script })
  const raw = ['-f', 's16le', '-ar', '16000', '-i', GO_FORWARD]
  await encode(directory, 'talk.mp3', raw)
  await encode(directory, 'call.ulaw', [...raw, '-ar', '8000', '-f', 'mulaw'])
  copyFileSync(GO_FORWARD, join(directory, 'call.s16le'))
  const web = await exampleCom(t, readFileSync(join(directory, 'talk.mp3')))
  for (const [index, { document, code }] of PROGRAMS.entries()) {
    const needsMicrophone = code.includes('microphone(')
    if (needsMicrophone && noPulseServer) continue
    const pulse = needsMicrophone ? await pulseServer(t, { isOpen: true }) : undefined
    pulse?.speak(Buffer.alloc(SPOKEN_BYTES))
    // The local recogniser takes seconds to load; one program has it, in a server of its own.
    const address = code.includes('transcribeFile(') ? httpUrl : url
    const program = code.replace("url: 'local'", `url: '${address}'`).replace('https://example.com', web)
    const path = join(directory, `${index + 1}.mjs`)
    writeFileSync(path, program)
    const { code: exitCode, stdout, stderr } = await runNode([path], pulse?.env, directory)
    const which = `${relative(ROOT, path)} of ${document}`
    t.equal(exitCode, 0, `${which}\n${stderr}`)
    t.not(stdout, '', `${which} prints something`)
  }
  t.ok(PROGRAMS.length >= 25, `${PROGRAMS.length} programs`)
})

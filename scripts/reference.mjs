/**
 * Writes docs/reference/ from the docstrings of what package.json exports, a page for each entry point; with
 * `--check` it says whether the committed pages are what it would write.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Application, CommentTag, Converter, LogLevel, ReflectionKind } from 'typedoc'

const root = join(import.meta.dirname, '..')
const committed = join(root, 'docs/reference')
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The source of each entry point, and the name that it is imported by. */
const entries = Object.entries(exports)
  .filter(([, target]) => target.types !== undefined)
  .map(([path, { types }]) => ({
    source: types.replace('./dist/', 'src/').replace('.d.ts', '.ts'),
    page: types.replace('./dist/', '').replace('.d.ts', ''),
    importedAs: join(name, path),
  }))

const CONTENTS = `# Reference

Every name that can be imported, from the docstrings of the source; \`npm run docs:reference\` writes it. What goes together, with examples, is in the [guide](../api.md).

${entries.map(({ page, importedAs }) => `- [\`${importedAs}\`](${page}.md)`).join('\n')}
`

async function write(directory) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    logLevel: LogLevel.Warn,
    treatWarningsAsErrors: true,
    entryPoints: entries.map(({ source }) => join(root, source)),
    tsconfig: join(root, 'tsconfig.json'),
    out: directory,
    readme: 'none',
    // What changes with every edit, or from clone to clone, would make the committed pages stale for nothing.
    disableSources: true,
    disableGit: true,
    hideGenerator: true,
    // Node documents its own streams.
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    requiredToBeDocumented: ['Class', 'Function', 'Interface', 'Method', 'TypeAlias', 'Variable'],
    // Names that say all there is to know.
    intentionallyNotExported: ['Callback', 'JsonObject'],
    blockTags: ['@fires', '@param', '@returns', '@throws'],
    outputFileStrategy: 'modules',
    entryFileName: 'README',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    // Its count of headings of one name is not GitHub's.
    useHTMLAnchors: true,
    groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'],
    sort: ['alphabetical'],
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    propertyMembersFormat: 'table',
    tableColumnSettings: {
      hideInherited: true,
      hideOverrides: true,
      hideModifiers: true,
      hideDefaults: true,
    },
    pageTitleTemplates: {
      module: ({ name: page }) => `What ${entries.find(entry => entry.page === page).importedAs} exports`,
    },
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => tidy(project))
  const project = await app.convert()
  if (project) {
    app.validate(project)
    await app.generateOutputs(project)
    writeFileSync(join(directory, 'README.md'), CONTENTS)
  }
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('typedoc failed')
}

/** Leaves out what a stream class says to Node alone, and where a member comes from; makes events a list. */
function tidy(project) {
  for (const reflection of Object.values(project.reflections)) {
    if (reflection.name.startsWith('_') && reflection.kindOf(ReflectionKind.Method)) {
      project.removeReflection(reflection)
    }
    if (reflection.name === '__namedParameters') reflection.name = 'options'
    if (reflection.comment) listEvents(reflection.comment)
    delete reflection.overwrites
    delete reflection.inheritedFrom
    delete reflection.implementationOf
  }
}

function listEvents(comment) {
  const events = comment.getTags('@fires').map(({ content: [first, ...rest] }) => {
    const text = first.text.replace(/^\w+/, '`$&`').replace(/\{.*?\}/, '`$&`')
    return [{ kind: 'text', text: `- ${text}` }, ...rest, { kind: 'text', text: '\n' }]
  })
  if (events.length === 0) return
  comment.removeTags('@fires')
  comment.blockTags.push(new CommentTag('@fires', events.flat()))
}

const pagesIn = directory =>
  Object.fromEntries(readdirSync(directory).map(file => [file, readFileSync(join(directory, file), 'utf8')]))

if (process.argv.includes('--check')) {
  const fresh = mkdtempSync(join(tmpdir(), 'sttstream-reference-'))
  try {
    await write(fresh)
    const [wanted, found] = [pagesIn(fresh), pagesIn(committed)]
    const stale = Object.keys({ ...wanted, ...found }).filter(file => wanted[file] !== found[file])
    if (stale.length > 0) {
      console.error(`docs/reference is stale (${stale.join(', ')}): npm run docs:reference`)
      process.exitCode = 1
    }
  } finally {
    rmSync(fresh, { recursive: true })
  }
} else {
  await write(committed)
}

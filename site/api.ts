/** Writes the pages of the API: one for each entry of the package, from the docstrings of its exports. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Application, Converter, LogLevel, type ProjectReflection, ReflectionKind } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import manifest from '../package.json' with { type: 'json' }
import { API_FOLDER, API_PAGES } from './.vitepress/api-pages.ts'
import { root } from './.vitepress/pages.ts'

/** Types that exports refer to, and that no app has to name. */
const NOT_EXPORTED: string[] = [
  // Symbols, and what they lead to.
  'REQUEST_GATE',
  'WORKER_FETCH',
  'SymbolNamed',
  // Types of the platform, for apps whose compiler does not know them.
  'JWK',
  'PopupWindow',
  'WebCryptoKey',
  'WebCryptoKeyPair',
  // Types that describe a value of one place.
  'AnyBed',
  'src/oauth2/connection.ts:Connection',
  'Attributes',
  'Described',
  'Handler',
  'Headers',
  'InvokeSignal',
  'KnownUser',
  'MessageDetails',
  'modelEvents',
  'Numbers',
  'OptionsOfBed',
  'Shared',
  'UserNames',
  'View',
]

const FORMATS: PluginOptions = {
  entryFileName: 'index.md',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  // Headings get the anchors that links lead to.
  useCustomAnchors: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  typeDeclarationVisibility: 'compact',
  tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true, hideModifiers: true },
}

/**
 * Writes the pages into `site/api/`.
 *
 * @throws Error if TypeDoc warns: of a broken link, of a type that is not exported, of an export without a docstring
 */
export async function writeApi(): Promise<void> {
  rmSync(join(root, API_FOLDER), { recursive: true, force: true })
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: API_PAGES.map(({ source }) => join(root, source)),
    tsconfig: join(root, 'site/tsconfig.json'),
    // `npm run typecheck` does that.
    skipErrorChecking: true,
    readme: 'none',
    disableGit: true,
    basePath: root,
    sourceLinkTemplate: `${manifest.repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/{path}#L{line}`,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    groupOrder: ['Functions', 'Classes', 'Variables', '*'],
    intentionallyNotExported: NOT_EXPORTED,
    validation: {
      notExported: true,
      invalidLink: true,
      // See `undocumented`.
      notDocumented: false,
      rewrittenLink: true,
      unusedMergeModuleWith: true,
    },
    logLevel: LogLevel.Warn,
    router: 'module',
    outputs: [{ name: 'markdown', path: join(root, API_FOLDER) }],
    ...FORMATS,
  })

  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return
    const page = API_PAGES.find(({ source }) => source.replace(/(\/index)?\.ts$/, '') === reflection.name)
    if (page) reflection.name = page.entry
  })
  const project = await app.convert()
  if (project) app.validate(project)
  for (const name of project ? undocumented(project) : []) app.logger.warn(`${name} has no docstring`)
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('TypeDoc warns of docstrings. Warnings are errors.')
  await app.generateOutputs(project)
}

/** The exports without a docstring. TypeDoc's own check also wants one for each property. */
function undocumented({ children: entries = [] }: ProjectReflection): string[] {
  return entries.flatMap(({ name: entry, children = [] }) =>
    children
      // A variable that is taken out of an object has the docstring of its type.
      .filter(({ kind }) => kind !== ReflectionKind.Variable && kind !== ReflectionKind.Reference)
      .filter(({ comment, signatures = [] }) => ![{ comment }, ...signatures].some(({ comment }) => comment))
      .map(({ name }) => `${entry}.${name}`),
  )
}

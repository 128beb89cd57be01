/** Writes the pages of the API: one for each entry of the package, from the docstrings of its exports. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  Application,
  type CommentDisplayPart,
  Converter,
  type DeclarationReflection,
  IntersectionType,
  LogLevel,
  ReflectionKind,
  ReflectionType,
  UnionType,
} from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import manifest from '../package.json' with { type: 'json' }
import { modelEvents } from '../src/testing/model/model-events.ts'
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

/** What must have a docstring: every export, and every member of one. */
const DOCUMENTED: ReflectionKind.KindString[] = [
  'Module',
  'Class',
  'Interface',
  'TypeAlias',
  'Enum',
  'EnumMember',
  'Function',
  'Variable',
  'Constructor',
  'Property',
  'Method',
  'Accessor',
]

/** Members that a type computes: they have no place of their own for a docstring. */
const COMPUTED: string[] = [
  // The keys of `using`, if the types of the app know them.
  'authchart.Auth.[dispose]',
  'authchart/server.AuthPool.[asyncDispose]',
  'authchart/testing.ListeningTokenServer.[asyncDispose]',
  // Patterns of conditional types.
  'authchart.AuthEventMap.__type.type',
  'authchart.Signal.__type.AbortSignal',
  'authchart.Signal.__type.AbortSignal.__type.prototype',
  'authchart.TokenAnswer.__type.Response',
  'authchart.TokenAnswer.__type.Response.__type.prototype',
  'authchart/server.PoolEventMap.__type.type',
  // The events of the model, each with a description there.
  ...Object.keys(modelEvents).flatMap((name) => [
    `authchart/testing.AuthTestModelOptions.events.__type.${name}`,
    `authchart/testing.testBedDrivers.__type.${name}`,
  ]),
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
 * @throws Error if TypeDoc warns: of a broken link, of a type that is not exported, of an export or a member without a docstring
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
      notDocumented: true,
      rewrittenLink: true,
      unusedMergeModuleWith: true,
    },
    requiredToBeDocumented: DOCUMENTED,
    intentionallyNotDocumented: COMPUTED,
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
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('TypeDoc warns of docstrings. Warnings are errors.')
  for (const alias of project.getReflectionsByKind(ReflectionKind.TypeAlias))
    listMembers(alias as DeclarationReflection)
  await app.generateOutputs(project)
}

/** Adds a list of members to a union of types like `{ … } & Other`, for which the theme has no place. */
function listMembers({ type, comment }: DeclarationReflection): void {
  if (!(type instanceof UnionType)) return
  for (const joined of type.types) {
    if (!(joined instanceof IntersectionType)) continue
    const members = joined.types.flatMap((part) =>
      part instanceof ReflectionType ? (part.declaration.children ?? []) : [],
    )
    // The first member says which type of the union it is.
    const isFirst = ({ type }: DeclarationReflection) => type?.type === 'literal'
    members.sort((one, other) => Number(isFirst(other)) - Number(isFirst(one)))
    comment?.summary.push(...members.flatMap((member, at) => describeMember(member, at > 0)))
  }
}

const describeMember = (
  { name, flags, type, comment }: DeclarationReflection,
  isNested: boolean,
): CommentDisplayPart[] => [
  { kind: 'text', text: isNested ? '\n  - ' : '\n- ' },
  { kind: 'code', text: `\`${name}${flags.isOptional ? '?' : ''}: ${type}\`` },
  { kind: 'text', text: ': ' },
  ...(comment?.summary ?? []),
]

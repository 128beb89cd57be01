/** Reads the tables and snippets of the pages, and the sources that they are compared with, as text. */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

export const root = new URL('../../', import.meta.url)

/** Reads a page or another file, by its path from the root of the repository. */
export const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** The pages of `docs/`, by their paths from the root of the repository. */
export const DOCS: readonly string[] = readdirSync(new URL('docs/', root), {
  recursive: true,
  encoding: 'utf8',
})
  .map((name) => `docs/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.md') && !name.includes('/.vitepress/'))
  .sort()

/** All pages that people read, by their paths from the root of the repository. */
export const PAGES: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'visualizations/README.md',
  'visualizations/playground/README.md',
  'examples/common/README.md',
  ...DOCS,
]

export interface Snippet {
  /** The path of its page from the root of the repository. */
  readonly page: string
  /** Its heading and its first line. */
  readonly name: string
  readonly heading: string
  readonly line: number
  readonly language: 'ts' | 'tsx'
  /** Declarations that the snippet needs, from the comment before it. */
  readonly prelude: string
  readonly code: string
}

/** The part of Playwright Test that the snippets use. This repository does not depend on it. */
const PLAYWRIGHT = [
  "import type { Locator, Page } from 'playwright-core'",
  'type Body = (given: { page: Page }) => unknown',
  'declare const test: ((title: string, body: Body) => void) & Record<"beforeAll" | "beforeEach", (body: Body) => void>',
  'declare const expect: (locator: Locator) => { toBeVisible(): Promise<void> }',
  'declare const defineConfig: (config: { use: { baseURL: string }; webServer: { command: string; url: string } }) => object',
].join('; ')

export function snippetsOf(page = 'README.md'): Snippet[] {
  const text = read(page)
  const pattern = /(?:<!-- prelude: (.*?) -->\n)?```(tsx?)\n([\s\S]*?)```/g
  return [...text.matchAll(pattern)].map(
    ({ 0: whole, 1: prelude = '', 2: language, 3: code = '', index }) => {
      const line = text.slice(0, index + whole.indexOf('```')).split('\n').length
      const heading =
        text
          .slice(0, index)
          .match(/^#+ .*$/gm)
          ?.at(-1)
          ?.replace(/^#+ /, '') ?? ''
      return {
        page,
        name: `${heading}, line ${line}`,
        heading,
        line,
        language: language as 'ts' | 'tsx',
        prelude,
        code,
      }
    },
  )
}

/** The anchor that GitHub creates from a heading. */
export const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** The cells of all table rows under a heading, without header rows and rules. */
export function tableUnder(heading: string, text: string): string[][] {
  const [, rest = ''] = text.split(`\n## ${heading}\n`)
  const section = rest.split(/\n## /, 1)[0] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  const cells = rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
  const isRule = (row: string[] | undefined) => row?.every((cell) => /^:?-+:?$/.test(cell)) === true
  return cells.filter((row, index) => !isRule(row) && !isRule(cells[index + 1]))
}

/** The names in backquotes in one column, without arguments: `signIn(credentials)` is `signIn`. */
export function namesIn(rows: readonly string[][], column = 0): string[] {
  return rows.flatMap((row) =>
    [...(row[column] ?? '').matchAll(/`([\w.[\]]+)[^`]*`/g)].map(([, name = '']) => name),
  )
}

const parse = (path: string) => ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true)

function declaration<T extends ts.Node>(path: string, name: string, is: (node: ts.Node) => node is T): T {
  const found = parse(path).statements.find(
    (node): node is ts.Statement & T => is(node) && (node as { name?: ts.Identifier }).name?.text === name,
  )
  if (!found) throw new Error(`${path} declares no ${name}`)
  return found
}

/** The members of an interface, including those of nested object types: `retry.attempts`. */
export function membersOf(path: string, name: string): string[] {
  return declaration(path, name, ts.isInterfaceDeclaration).members.flatMap((member) => {
    if (member.name === undefined) return []
    const key = member.name.getText()
    const type = ts.isPropertySignature(member) ? member.type : undefined
    if (!type || !ts.isTypeLiteralNode(type)) return [key]
    return type.members.map((inner) => `${key}.${inner.name?.getText()}`)
  })
}

/** The string literals of a union type. */
export function literalsOf(path: string, name: string): string[] {
  const literals: string[] = []
  const visit = (node: ts.Node) => {
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) literals.push(node.literal.text)
    ts.forEachChild(node, visit)
  }
  visit(declaration(path, name, ts.isTypeAliasDeclaration).type)
  return literals
}

/** The fields of each member of a union of objects, by its `type`: `{ type: 'a'; b?: number }` has `b`. */
export function fieldsOf(path: string, name: string): Record<string, string[]> {
  const fields: Record<string, string[]> = {}
  const visit = (node: ts.Node): void => {
    if (!ts.isTypeLiteralNode(node)) {
      ts.forEachChild(node, visit)
      return
    }
    const [type, ...others] = node.members
    const [, key = ''] = /'(.*)'/.exec(type?.getText() ?? '') ?? []
    fields[key] = others.map((member) => member.name?.getText() ?? '')
  }
  visit(declaration(path, name, ts.isTypeAliasDeclaration).type)
  return fields
}

/** All classes of a file that are not abstract. */
export function classesOf(path: string): string[] {
  return parse(path)
    .statements.filter(ts.isClassDeclaration)
    .filter(({ modifiers }) => !modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword))
    .map(({ name }) => name?.text ?? '')
}

/** The name in the first line of a snippet, such as `// auth.ts`. Other snippets of the page can import the file. */
export const fileNameOf = ({ code }: Pick<Snippet, 'code'>) =>
  /^\/\/ ([\w.-]+\.tsx?)(?:$|:)/m.exec(code.split('\n')[0] ?? '')?.[1]

/** Pages whose snippets have names get a folder of their own. The others are in the root, so that preludes can name files. */
const folderOf = (base: string, { page }: Snippet) =>
  /```tsx?\n\/\/ [\w.-]+\.tsx?/.test(page.startsWith('control') ? '' : read(page))
    ? `${base}${page.replace(/\W+/g, '-')}/`
    : base

/** Compiles snippets with the repository's own options, in one program because that is slow. Returns the errors. */
export function problemsIn(snippets: readonly Snippet[]): string[] {
  const base = root.pathname
  const config = ts.readConfigFile(`${base}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, base)
  const files = new Map(
    snippets.map((snippet, index) => [
      `${folderOf(base, snippet)}${fileNameOf(snippet) ?? `snippet-${index}.${snippet.language}`}`,
      snippet,
    ]),
  )
  const folders = new Set(snippets.map((snippet) => folderOf(base, snippet).slice(0, -1)))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile, directoryExists } = host
  const textOf = (file: string) => {
    const snippet = files.get(file)
    const code = snippet?.code.replace(/^import .* from '@playwright\/test'$/m, PLAYWRIGHT)
    return snippet && `${snippet.prelude}\n${code}`
  }
  host.directoryExists = (path) => folders.has(path) || directoryExists?.call(host, path) === true
  host.fileExists = (file) => files.has(file) || fileExists.call(host, file)
  host.readFile = (file) => textOf(file) ?? readFile.call(host, file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = textOf(file)
    return text === undefined
      ? getSourceFile.call(host, file, version, ...rest)
      : ts.createSourceFile(file, text, version)
  }
  host.getCurrentDirectory = () => base
  const entries = Object.entries({ ...SOURCES, 'react-native': 'test/native/react-native.d.ts' }).map(
    ([entry, path]) => [entry, [`${base}${path}`]],
  )
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, paths: Object.fromEntries(entries) },
    host,
  )
  return [...files].flatMap(([file, snippet]) => {
    const source = program.getSourceFile(file)
    // Only the snippets: `npm run typecheck` checks the sources.
    const diagnostics = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ]
    return diagnostics.map(({ start = 0, messageText }) => {
      const { line = 0 } = source?.getLineAndCharacterOfPosition(start) ?? {}
      return `${snippet.page}:${snippet.line + line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  })
}

/** The entries of the package, with the paths of their sources. */
export const SOURCES: Readonly<Record<string, string>> = {
  authchart: 'src/index.ts',
  'authchart/machines': 'machines/index.ts',
  'authchart/fetch': 'src/transports/fetch.ts',
  'authchart/ofetch': 'src/transports/ofetch.ts',
  'authchart/axios': 'src/transports/axios.ts',
  'authchart/graphql': 'src/transports/graphql.ts',
  'authchart/ky': 'src/transports/ky.ts',
  'authchart/connect': 'src/transports/connect.ts',
  'authchart/grpc': 'src/transports/grpc.ts',
  'authchart/undici': 'src/transports/undici.ts',
  'authchart/storage': 'src/storage/index.ts',
  'authchart/tabs': 'src/coordination/tabs.ts',
  'authchart/react': 'src/bindings/react.ts',
  'authchart/vue': 'src/bindings/vue.ts',
  'authchart/solid': 'src/bindings/solid.ts',
  'authchart/svelte': 'src/bindings/svelte.ts',
  'authchart/angular': 'src/bindings/angular.ts',
  'authchart/guard': 'src/bindings/guard.ts',
  'authchart/realtime': 'src/bindings/realtime.ts',
  'authchart/oauth2': 'src/oauth2/index.ts',
  'authchart/file': 'src/file.ts',
  'authchart/react-native': 'src/react-native.ts',
  'authchart/logout-token': 'src/oauth2/logout-token.ts',
  'authchart/mcp': 'src/oauth2/mcp.ts',
  'authchart/events': 'src/bindings/events.ts',
  'authchart/worker': 'src/worker/index.ts',
  'authchart/server': 'src/server/index.ts',
  'authchart/hono': 'src/adapters/hono.ts',
  'authchart/express': 'src/adapters/express.ts',
  'authchart/fastify': 'src/adapters/fastify.ts',
  'authchart/next': 'src/adapters/next.ts',
  'authchart/sveltekit': 'src/adapters/sveltekit.ts',
  'authchart/nuxt': 'src/adapters/nuxt.ts',
  'authchart/react-router': 'src/adapters/react-router.ts',
  'authchart/redis': 'src/fleet/redis.ts',
  'authchart/postgres': 'src/fleet/postgres.ts',
  'authchart/inspect': 'src/inspect/index.ts',
  'authchart/devtools': 'src/devtools/index.ts',
  'authchart/testing': 'src/testing/index.ts',
}

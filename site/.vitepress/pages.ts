/** The pages of the site, and their order in the sidebar. Both come from the files of the repository. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, normalize } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import { API_PAGES } from './api-pages.ts'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

/** The pages that are not in `docs/`, with their routes. */
const OTHERS: Readonly<Record<string, string>> = {
  'README.md': '/',
  'CHANGELOG.md': '/changelog',
  'CONTRIBUTING.md': '/contributing',
  'SECURITY.md': '/reporting',
  'visualizations/README.md': '/drawings',
  'visualizations/playground/README.md': '/playground',
  'examples/common/README.md': '/examples',
}

/** Every page, by its path in the repository. */
export const PAGES: readonly string[] = [
  ...Object.keys(OTHERS),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.md'))
    .sort(),
]

/** The route of a page: `docs/start/redirect.md` is at `/start/redirect`. */
export const routeOf = (page: string): string =>
  OTHERS[page] ?? (page === 'docs/README.md' ? '/docs' : page.replace(/^docs|\/README\.md$|\.md$/g, ''))

/** A page, or a file or folder of the repository, that a link of a page leads to. */
export function targetOf(page: string, link: string): string | undefined {
  const target = normalize(join(page, '..', link)).replace(/\/$/, '')
  const file = join(root, target)
  if (target.startsWith('..') || !existsSync(file)) return undefined
  return statSync(file).isDirectory() && existsSync(join(file, 'README.md')) ? `${target}/README.md` : target
}

/** The text of a page. */
export const read = (page: string) => readFileSync(join(root, page), 'utf8')

interface Part {
  readonly text: string
  readonly items: { readonly text: string; readonly link: string; readonly page: string }[]
}

/** The parts of `docs/README.md`, with the pages that they list. */
export function parts(): Part[] {
  const [, ...sections] = read('docs/README.md').split(/^## /m)
  return sections.map((section) => ({
    text: section.slice(0, section.indexOf('\n')),
    items: [...section.matchAll(/\[([^\]]+)\]\(([^)#]+\.md)\)/g)].map(([, text = '', link = '']) => {
      const page = targetOf('docs/README.md', link) ?? ''
      return { text: text.replaceAll('`', ''), link: routeOf(page), page }
    }),
  }))
}

export const sidebar = () => [
  {
    text: 'authchart',
    items: [
      { text: 'Ten minutes', link: '/' },
      { text: 'All pages', link: '/docs' },
    ],
  },
  ...parts(),
  {
    text: 'API',
    items: API_PAGES.map(({ entry, route }) => ({ text: entry, link: route })),
  },
]

/** The documentation as a site: `npm run docs`. Its pages are the Markdown files of this repository, as they are. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineConfig } from 'vitepress'
import { buildPage } from '../../visualizations/playground/server/build-page.ts'
import { API_FOLDER, API_PAGES } from './api-pages.ts'
import { links } from './links.ts'
import { llmsText } from './llms.ts'
import { PAGES, root, routeOf, sidebar } from './pages.ts'
import { sequences } from './sequences.ts'
import { tables } from './tables.ts'

/** The routes of all pages, by their paths in the repository. */
const ROUTES = [...PAGES.map((page) => ({ page, route: routeOf(page) })), ...API_PAGES]

/** Where the site keeps a page. */
const placeOf = (route: string) => `${route.slice(1) || 'index'}.md`

/** Files that pages link to, such as examples. They are copied beside the pages. */
const files = new Set<string>()

export default defineConfig({
  title: 'authchart',
  description: 'Keeps users signed in: one refresh, however many requests, tabs or processes need it.',
  lang: 'en',
  // Browsers look for an icon otherwise.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '../',
  srcExclude: [
    'node_modules/**',
    'test/**',
    'coverage/**',
    'dist/**',
    'src/**',
    'bench/**',
    `${API_FOLDER}/index.md`,
  ],
  rewrites: Object.fromEntries(ROUTES.map(({ page, route }) => [page, placeOf(route)])),
  cleanUrls: true,
  markdown: {
    config(md) {
      links(md, files)
      tables(md)
      sequences(md)
    },
  },
  vite: {
    // The largest are the index of the search and the page of the drawings.
    build: { chunkSizeWarningLimit: 2_000 },
    publicDir: false,
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Start', link: '/start/quick-start' },
      { text: 'Guides', link: '/guides/session-ends' },
      { text: 'Reference', link: '/reference/options' },
      { text: 'API', link: '/reference/api' },
      { text: 'Playground', link: '/playground' },
      { text: 'Changes', link: '/changelog' },
    ],
    sidebar: sidebar(),
    docFooter: { prev: 'Previous', next: 'Next' },
  },
  transformPageData({ relativePath, frontmatter }) {
    if (relativePath.startsWith('api/')) return { frontmatter: { ...frontmatter, pageClass: 'api' } }
    // Its tables have a column for each library.
    if (relativePath === 'scoreboard.md')
      return { frontmatter: { ...frontmatter, aside: false, pageClass: 'scoreboard' } }
    // As wide as the window; see `theme/index.ts`.
    if (relativePath === 'playground.md') return { frontmatter: { ...frontmatter, layout: 'home' } }
    return undefined
  },
  async buildEnd({ outDir }) {
    for (const [path, { body }] of await buildPage('browser')) {
      const file = join(outDir, 'play', path === '/' ? 'index.html' : path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, body)
    }
    for (const file of files) {
      mkdirSync(dirname(join(outDir, 'files', file)), { recursive: true })
      cpSync(join(root, file), join(outDir, 'files', `${file}.txt`))
    }
    for (const { page, route } of ROUTES) {
      const copy = join(outDir, placeOf(route))
      mkdirSync(dirname(copy), { recursive: true })
      writeFileSync(copy, readFileSync(join(root, page)))
    }
    writeFileSync(join(outDir, 'llms.txt'), llmsText())
  },
})

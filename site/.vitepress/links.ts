/** Lets links and pictures of the Markdown files work on the site. On GitHub and in the package they work as they are. */
import { relative } from 'node:path/posix'
import type { MarkdownRenderer } from 'vitepress'
import { API_PAGES } from './api-pages.ts'
import { PAGES, root, routeOf, targetOf } from './pages.ts'

type Token = ReturnType<MarkdownRenderer['parse']>[number]

/** A drawing for light pages and one for dark pages. */
const PICTURE =
  /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*<img alt="([^"]*)" src="([^"]+)">\s*<\/picture>/g

/** The site has a switch for its colours, which `<picture>` does not know. */
const withoutPictures = (html: string) =>
  html
    .replace(PICTURE, '<img class="on-dark" alt="$2" src="$1"><img class="on-light" alt="$2" src="$3">')
    // Vite takes `a/b.svg` for the name of a package.
    .replace(/ (src|srcset)="(?=\w+[/.])(?!https?:)/g, ' $1="./')

/**
 * Changes the tokens of each page before they become HTML.
 *
 * @param files receives the files of the repository that pages link to
 */
export function links(md: MarkdownRenderer, files: Set<string>): void {
  const change = (token: Token, page: string): void => {
    if (token.type === 'html_block') token.content = withoutPictures(token.content)
    if (token.type === 'link_open') {
      const [link = '', anchor] = (token.attrGet('href') ?? '').split('#')
      if (link !== '' && !/^[a-z]+:/.test(link)) token.attrSet('href', hrefOf(page, link, anchor))
    }
    for (const child of token.children ?? []) change(child, page)
  }

  function hrefOf(page: string, link: string, anchor: string | undefined): string {
    const target = targetOf(page, decodeURI(link))
    if (target === undefined) throw new Error(`${page} links to ${link}, which does not exist`)
    // The page of an entry shows what its source says.
    const api = API_PAGES.find(({ page, source }) => page === target || source === target)
    if (api || PAGES.includes(target))
      return (api?.route ?? routeOf(target)) + (anchor === undefined ? '' : `#${anchor}`)
    files.add(target)
    return `/files/${target}.txt`
  }

  md.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
    // The path before the rewriting of routes.
    const path = env.realPath ?? env.path
    if (typeof path !== 'string') return
    const page = relative(root, path)
    for (const token of tokens) change(token, page)
  })
}

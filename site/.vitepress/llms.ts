/** `llms.txt`: the pages as a list, for programs that read them. See https://llmstxt.org. */
import { API_PAGES, aboutEntry } from './api-pages.ts'
import { PAGES, parts, read, routeOf } from './pages.ts'

/** The first paragraph of a page that is not a heading, code, a list or a table. */
function summaryOf(page: string): string {
  const text = read(page)
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/<!--[\s\S]*?-->/g, '')
  const paragraph = text.split(/\n\s*\n/).find((block) => /^\s*[A-Za-z*`[]/.test(block)) ?? ''
  return paragraph
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The pages that the index does not list. */
const others = () => {
  const listed = new Set(['README.md', ...parts().flatMap(({ items }) => items.map(({ page }) => page))])
  return PAGES.filter((page) => !listed.has(page))
}

const titleOf = (page: string) => /^# (.*)$/m.exec(read(page))?.[1]?.replaceAll('`', '') ?? page

export const llmsText = () =>
  [
    '# authchart',
    '',
    `> ${summaryOf('README.md')}`,
    '',
    'The first page: [ten minutes](/index.md). Each page is also available as Markdown.',
    ...parts().flatMap(({ text, items }) => [
      '',
      `## ${text}`,
      '',
      ...items.map((item) => `- [${item.text}](${routeOf(item.page)}.md): ${summaryOf(item.page)}`),
    ]),
    '',
    '## API',
    '',
    ...API_PAGES.map((page) => `- [${page.entry}](${page.route}.md): ${aboutEntry(page)}`),
    '',
    '## More',
    '',
    ...others().map((page) => `- [${titleOf(page)}](${routeOf(page)}.md): ${summaryOf(page)}`),
    '',
  ].join('\n')

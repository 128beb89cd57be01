/** A table that is wider than the page scrolls in a box of its own, which the keyboard reaches. */
import type { MarkdownRenderer } from 'vitepress'

export function tables({ renderer }: MarkdownRenderer): void {
  renderer.rules.table_open = () => '<div class="table-box" tabindex="0"><table>\n'
  renderer.rules.table_close = () => '</table></div>\n'
}

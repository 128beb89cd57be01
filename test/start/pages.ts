/** What a page asks a new user to do: commands, and files with their content. `test/frameworks` reads its pages with it, too. */
import { readFileSync } from 'node:fs'

/** A command of a page; `npx` starts what goes on running. */
export interface Guide {
  readonly commands: readonly string[]
  readonly files: ReadonlyMap<string, string>
}

/** Names of files, also such as `app/[...path]/route.ts`, `(app)/+page.ts` and `routes/$.tsx`. */
const NAMED = /^(?:\/\/|<!--) ([\w.()[\]/$+-]*[\w-]\.\w+)\b/

/**
 * @param unnamed the file for a snippet without a name, as the page says in words
 * @param folder the folder of the page in `docs/`
 */
export function guideOf(page: string, unnamed?: string, folder = 'start'): Guide {
  const text = readFileSync(new URL(`../../docs/${folder}/${page}.md`, import.meta.url), 'utf8')
  const commands: string[] = []
  const files = new Map<string, string>()
  for (const [, language, code = ''] of text.matchAll(/^```(sh|tsx?|html|vue|svelte)\n([\s\S]*?)^```/gm)) {
    if (language === 'sh') commands.push(...code.trim().split('\n'))
    else {
      const name = NAMED.exec(code)?.[1] ?? (files.size === 0 ? unnamed : undefined)
      if (name) files.set(name, code)
    }
  }
  return { commands, files }
}

/** What a page asks a new user to do: commands, and files with their content. `test/frameworks` reads its pages with it, too. */
import { readFileSync } from 'node:fs'

export interface Guide {
  readonly commands: readonly string[]
  /** Files of the old code, which a page of a migration deletes in the end. */
  readonly removed: readonly string[]
  readonly files: ReadonlyMap<string, string>
}

/** Names of files, also such as `app/[...path]/route.ts`, `(app)/+page.ts` and `routes/$.tsx`. */
const NAMED = /^(?:\/\/|<!--) ([\w.()[\]/$+-]*[\w-]\.\w+)\b/

/** @param page its path in `docs/` */
export function guideOf(page: string): Guide {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8')
  const commands: string[] = []
  const files = new Map<string, string>()
  for (const [, language, code = ''] of text.matchAll(/^```(sh|tsx?|js|html|vue|svelte)\n([\s\S]*?)^```/gm)) {
    if (language === 'sh') commands.push(...code.trim().split('\n'))
    else {
      const name = NAMED.exec(code)?.[1]
      if (name) files.set(name, code)
    }
  }
  const at = commands.findIndex((line) => line.startsWith('rm '))
  const [, ...removed] = commands[at]?.split(' ') ?? []
  return { commands: at < 0 ? commands : commands.slice(0, at), removed, files }
}

/** What a page of docs/start asks a new user to do: commands, and files with their content. */
import { readFileSync } from 'node:fs'

/** A command of a page; `npx` starts what goes on running. */
export interface Guide {
  readonly commands: readonly string[]
  readonly files: ReadonlyMap<string, string>
}

const NAMED = /^(?:\/\/|<!--) ([\w-]+\.\w+)\b/

/** @param unnamed the file for a snippet without a name, as the page says in words */
export function guideOf(page: string, unnamed?: string): Guide {
  const text = readFileSync(new URL(`../../docs/start/${page}.md`, import.meta.url), 'utf8')
  const commands: string[] = []
  const files = new Map<string, string>()
  for (const [, language, code = ''] of text.matchAll(/^```(sh|ts|html)\n([\s\S]*?)^```/gm)) {
    if (language === 'sh') commands.push(...code.trim().split('\n'))
    else {
      const name = NAMED.exec(code)?.[1] ?? (files.size === 0 ? unnamed : undefined)
      if (name) files.set(name, code)
    }
  }
  return { commands, files }
}

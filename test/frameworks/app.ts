/** The app of a framework: what its template has, and the files of its page, as they are written there. */
import { strict as assert } from 'node:assert'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guideOf } from '../start/pages.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Writes the app of a page. Returns its folder, which is removed and written again with each call. */
export function writeApp(name: string): string {
  const folder = join(here, 'built', name)
  rmSync(folder, { recursive: true, force: true })
  cpSync(join(here, 'apps', name), folder, { recursive: true })
  const { files } = guideOf(`frameworks/${name}`)
  assert.ok(files.size >= 6, `docs/frameworks/${name}.md names ${files.size} files`)
  for (const [path, code] of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, code)
  }
  return folder
}

/** The pages of frameworks without a server, whose first files replace those of a template of Vite. */
import { strict as assert } from 'node:assert'
import type { App } from './app.ts'
import { type Guide, guideOf } from './pages.ts'

export interface Template {
  /** Its path in `docs/`. */
  readonly page: string
  readonly template: string
  /** Checks the types, with the settings of the template. */
  readonly check: string
}

export const TEMPLATES: readonly Template[] = ['react', 'vue', 'solid', 'svelte'].map((name) => ({
  page: `frameworks/${name}`,
  template: `${name}-ts`,
  check: name === 'svelte' ? 'npm run check' : 'npm run build',
}))

/** The commands and files of the page, with the server of the quick start. */
export function templateGuide({ page, template, check }: Template): Guide {
  const { files, commands } = guideOf(page)
  const quickStart = guideOf('start/quick-start')
  assert.match(commands[0] ?? '', /^npm i authchart /, 'the page says how to install')
  return {
    removed: [],
    commands: [
      `npm create --yes vite@latest . -- --template ${template} --no-interactive`,
      commands[0] ?? '',
      check,
      'npm i -D tsx',
      ...quickStart.commands.filter((line) => line.startsWith('npx ')),
    ],
    files: new Map([
      ['server.ts', quickStart.files.get('server.ts') ?? ''],
      ...[...files].map(([name, code]) => [`src/${name}`, code] as const),
    ]),
  }
}

/** Its form says that a password is wrong, and signs in. Its button signs out. */
export async function driveForm(app: App): Promise<void> {
  const { page } = app
  await app.open()
  const enter = async (password: string) => {
    await page.getByLabel('User name').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  await app.shows(/The name or the password is wrong/, () => enter('wrong'))
  await app.shows(/Sign ada out/, () => enter('correct'))
  await page.getByRole('button', { name: 'Sign ada out' }).click()
  await page.getByLabel('User name').waitFor()
}

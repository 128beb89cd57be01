// Pictures of an example in each of its views: `node --import tsx scripts/example-shots.mjs react`.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHarness as createRig } from '../test/bindings/harness.ts'

const [, , example = 'react'] = process.argv
const directory = mkdtempSync(join(tmpdir(), `authchart-${example}-shots-`))

const SCREENS = {
  light: { viewport: { width: 1100, height: 720 }, colorScheme: 'light' },
  dark: { viewport: { width: 1100, height: 720 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: 'light', deviceScaleFactor: 2 },
}

async function tour(page, shoot) {
  const part = (id) => page.getByTestId(id)
  const press = (id) => part(id).click()
  await part('view-signed-out').waitFor()
  await part('username').fill('ada')
  await part('password').fill('wrong')
  await press('sign-in')
  await part('sign-in-error').filter({ hasText: 'Wrong' }).waitFor()
  await shoot('1-sign-in')
  await part('password').fill('correct')
  await press('sign-in')
  await press('load')
  await page.getByText('Solaris').waitFor()
  await shoot('2-signed-in')
  await press('end-session')
  await page.getByText('ended on the server').waitFor()
  await press('burst')
  await part('held').filter({ hasText: '50 requests' }).waitFor()
  await shoot('3-expired')
}

const rig = await createRig({ example })
try {
  for (const [name, options] of Object.entries(SCREENS)) {
    const page = await rig.open('/?idle=25', options)
    await tour(page, (step) =>
      page.screenshot({ path: join(directory, `${step}-${name}.png`), animations: 'disabled' }),
    )
  }
} finally {
  await rig.close()
}
console.log(directory)

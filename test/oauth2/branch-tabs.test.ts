import { describe, expect, test } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { browserSuite, ROUNDS, resultOf } from './browser-suite.ts'

/** A tab keeps its lock for a moment after each write, so a round takes seconds. */
const rounds = Math.ceil(ROUNDS / 5)
const APIS = ['https://payments.example.com/', 'https://mail.example.com/']

describe.skipIf(!hasChromium)('branches of a session in several tabs', () => {
  const { start } = browserSuite()

  test(
    'refresh all at once, and no refresh token is used twice',
    async () => {
      const { server, open, answer } = await start({}, { branches: APIS })
      const first = await open()
      await first.goto(await answer(first))
      expect(await resultOf(first)).toBe('ada')
      const pages = [first, await open(), await open(), await open()]

      for (let round = 0; round < rounds; round++)
        await Promise.all(
          pages.map((page) =>
            page.evaluate(() => Promise.all([app.auth, ...app.branches].map((each) => each.refresh()))),
          ),
        )

      expect(server.problems).toEqual([])
      const tokens = await Promise.all(
        pages.map((page) =>
          page.evaluate(() => Promise.all(app.branches.map((each) => each.getAccessToken()))),
        ),
      )
      const found = await Promise.all(tokens.flat().map((token) => server.introspect(token)))
      expect(found.map((token) => token?.aud)).toEqual(pages.flatMap(() => APIS))
      await first.evaluate(() => app.auth.signOut())
      for (const page of pages)
        await page.waitForFunction(() => app.branches.every(({ session }) => session === undefined))
    },
    60_000 + rounds * 10_000,
  )
})

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { findTokens } from '../browser/token-search.ts'
import { hasChromium } from '../support/chromium.ts'
import { exported, panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

/** A secret that is longer than any shown word. Even half of it is recognizable. */
const secret = (name: string) => `marked-${name}-`.repeat(4)

const SECRETS = Object.fromEntries(
  ['password', 'error', 'description', 'query', 'header', 'body', 'event'].map((name) => [
    name,
    secret(name),
  ]),
)

describe.skipIf(!hasChromium)('secrets in the panel', () => {
  const { open, server, tokens } = siteSuite()

  /** Takes a session through all kinds of events, with marked secrets. */
  async function exerciseSession(page: Page) {
    const failure = { body: { error: SECRETS.error, error_description: SECRETS.description } }
    await page.evaluate(async ({ password }) => {
      await place
        .session()
        .auth.signIn({ username: 'ada', password: String(password) })
        .catch(() => {})
      await place.signIn()
    }, SECRETS)
    server().expireAccessTokens()
    server().failNext(1, { status: 503, ...failure })
    await page.evaluate(async ({ query, header, body, event }) => {
      const { auth, api } = place.session()
      await api(`/api/books?token=${query}`, {
        method: 'POST',
        headers: { 'x-secret': String(header) },
        body: String(body),
      })
      // Past the check of what an app sends.
      const actor = auth.actor as unknown as { deliver(event: object): void }
      const send = (event: object) => actor.deliver(event)
      send({ type: 'clock.check', facts: { generation: 1, token: event }, error: { cause: event } })
      send({ type: `custom ${event}`, output: { accessToken: event } })
      await auth.refresh()
      await Promise.all([api('/api/always-401'), api('/api/forbidden'), api('/api/step-up')])
      await auth.signOut()
      await place.signIn(0, 'grace')
    }, SECRETS)
    server().failNext(1, { status: 400, ...failure })
    await page.evaluate(() =>
      place
        .session()
        .auth.refresh()
        .then(
          () => {},
          () => {},
        ),
    )
    server().killRefreshTokens()
    server().expireAccessTokens()
    const refused = await page.evaluate(() => place.ask(2))
    expect(refused).toEqual(['SessionExpiredError', 'SessionExpiredError'])
    await page.evaluate(() => place.signIn())
    expect(await page.evaluate(() => place.ask(2))).toEqual(['200', '200'])
  }

  it('never appear on the screen, in an export, or in objects behind the element', async () => {
    const page = await open()
    await page.evaluate(() => place.show({ open: true }))
    await exerciseSession(page)
    const panel = panelOf(page)
    await panel.filter('chart').click()
    await panel.unfold()
    await panel.part('[data-event=expired]').waitFor()
    await panel.part('[data-event=other]').waitFor()
    const secrets = [...tokens(), ...Object.values(SECRETS)]
    expect(secrets.length).toBeGreaterThan(12)

    // Everything that the panel shows, live and of past moments.
    const shown: string[] = []
    const look = async () => {
      shown.push(await page.evaluate(() => place.element().shadowRoot?.innerHTML ?? ''))
    }
    await look()
    const moments = Number(await panel.slider.getAttribute('max'))
    expect(moments).toBeGreaterThan(30)
    await panel.log.focus()
    const last = (await panel.events()).length - 1
    for (const key of ['Home', 'End']) {
      await page.keyboard.press(key)
      await expect.poll(panel.active).toBe(key === 'Home' ? 0 : last)
      await look()
    }
    await page.keyboard.press('Escape')
    const { text } = await exported(page)
    await panel.load('kept.json', text)
    await panel.banner.filter({ hasText: 'kept.json' }).waitFor()
    await look()
    expect(shown[0]).toContain('GET /api/forbidden')
    expect(text).toContain('books:read')
    // An exported file must not contain the subject.
    expect(text).not.toContain('grace')
    for (const said of [...shown, text]) for (const one of secrets) expect(said).not.toContain(one)

    // The browser itself records the requested URLs, so the query is excluded.
    const withoutQuery = secrets.filter((one) => one !== SECRETS.query)
    expect(await findTokens(page, withoutQuery)).toEqual([])
    // The search would find a secret.
    await panel
      .part('.state-words')
      .evaluate((words, token) => words.setAttribute('title', `${token}`), secrets[0])
    expect(await findTokens(page, withoutQuery)).not.toEqual([])
  })
})

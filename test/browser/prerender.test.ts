import { describe, expect, it } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { ENGINE } from '../support/browsers/engine.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { hasChromium, openInChromium } from '../support/chromium.ts'
import { createSite } from '../support/site.ts'

/** Collects what pages say under a path. */
function mailbox() {
  let resolve = (_: string) => {}
  const text = new Promise<string>((settle) => {
    resolve = settle
  })
  return { text, resolve }
}

describe.skipIf(!hasChromium || ENGINE !== 'chromium')('a page that Chromium loads in advance', () => {
  it('leaves the refresh of a session in sessionStorage to the page that is shown', async () => {
    const server = createTokenServer()
    const { url, close } = await server.listen()
    const [loaded, ended] = [mailbox(), mailbox()]
    const script = await bundlePage(new URL('./prerender.page.ts', import.meta.url))
    const site = await createSite(script, (path, response, request) => {
      if (request.method !== 'POST' || path === '/problem') return false
      const answer = () => response.writeHead(204).end()
      if (path === '/leave') void loaded.text.then(answer)
      else answer()
      let text = ''
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      request.on('end', () =>
        (path === '/loaded' ? loaded : path === '/ended' ? ended : mailbox()).resolve(text),
      )
      return true
    })
    const closeBrowser = await openInChromium(`${site.origin}/first?server=${encodeURIComponent(url)}`)
    try {
      expect(await loaded.text).toBe('true')
      expect(await ended.text).toBe('refreshed, authenticated')
      expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
      expect(site.problems).toEqual([])
    } finally {
      await closeBrowser()
      await Promise.all([close(), site.close()])
    }
  })
})

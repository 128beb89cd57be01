import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { browserEnvironment, emptyEnvironment } from '../../src/environment/browser.ts'
import { createAuth } from '../../src/index.ts'

const KINDS = ['online', 'offline', 'visible', 'wake'] as const

/** An event target that counts its listeners. */
class CountingTarget extends EventTarget {
  listening = 0
  override addEventListener(...parameters: Parameters<EventTarget['addEventListener']>) {
    this.listening++
    super.addEventListener(...parameters)
  }
  override removeEventListener(...parameters: Parameters<EventTarget['removeEventListener']>) {
    this.listening--
    super.removeEventListener(...parameters)
  }
}

function stubPage() {
  const window = new CountingTarget()
  const document = Object.assign(new CountingTarget(), { visibilityState: 'visible' })
  const navigator: { onLine?: boolean } = { onLine: true }
  vi.stubGlobal('window', window)
  vi.stubGlobal('document', document)
  vi.stubGlobal('navigator', navigator)
  return { window, document, navigator, listening: () => window.listening + document.listening }
}

let page: ReturnType<typeof stubPage>
beforeEach(() => {
  page = stubPage()
})
afterEach(() => {
  expect(page.listening(), 'remaining listeners').toBe(0)
  vi.unstubAllGlobals()
})

describe('the environment of a page', () => {
  it.each([
    [true, true],
    [undefined, true],
    [false, false],
  ])('the page environment reads navigator.onLine %s as online: %s', (onLine, expected) => {
    Object.assign(page.navigator, { onLine })
    expect(browserEnvironment().online()).toBe(expected)
  })

  it.each([
    ['online', 'window', 'online'],
    ['offline', 'window', 'offline'],
    ['visible', 'window', 'focus'],
    ['visible', 'document', 'visibilitychange'],
    ['wake', 'window', 'pageshow'],
    ['wake', 'document', 'resume'],
  ] as const)(
    'the page environment emits "%s" when the %s receives %s, until the listener is removed',
    (kind, target, event) => {
      const listener = vi.fn()
      const others = KINDS.filter((other) => other !== kind).map((other) =>
        browserEnvironment().subscribe(other, () => expect.unreachable()),
      )
      const stop = browserEnvironment().subscribe(kind, listener)
      page[target].dispatchEvent(new Event(event))
      expect(listener).toHaveBeenCalledTimes(1)
      stop()
      page[target].dispatchEvent(new Event(event))
      expect(listener).toHaveBeenCalledTimes(1)
      for (const stopOther of others) stopOther()
    },
  )

  it('the page environment emits "wake" after a sleep without an event, and never while time passes normally', () => {
    vi.useFakeTimers()
    try {
      const listener = vi.fn()
      const stop = browserEnvironment().subscribe('wake', listener)
      vi.advanceTimersByTime(300_000)
      expect(listener).not.toHaveBeenCalled()
      vi.setSystemTime(Date.now() + 3_600_000)
      vi.advanceTimersByTime(15_000)
      expect(listener).toHaveBeenCalledTimes(1)
      vi.advanceTimersByTime(60_000)
      expect(listener).toHaveBeenCalledTimes(1)
      stop()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('the page environment emits nothing when the page is hidden', () => {
    const listener = vi.fn()
    const stop = browserEnvironment().subscribe('visible', listener)
    page.document.visibilityState = 'hidden'
    page.document.dispatchEvent(new Event('visibilitychange'))
    expect(listener).not.toHaveBeenCalled()
    page.document.visibilityState = 'visible'
    page.document.dispatchEvent(new Event('visibilitychange'))
    expect(listener).toHaveBeenCalledTimes(1)
    stop()
  })

  it('a session uses the page environment if a document exists, and removes its listeners on dispose', async () => {
    const refresh = vi.fn(() => ({ access_token: 'b' }))
    const auth = createAuth({ refresh, initialTokens: { access_token: 'a', expires_in: 0 } })
    expect(page.listening()).toBeGreaterThan(3)
    await auth.getAccessToken()
    auth.dispose()
    expect(page.listening()).toBe(0)
  })

  it('a session that is offline waits after an attempt, and refreshes when it is online again', async () => {
    page.navigator.onLine = false
    const refresh = vi.fn(() => {
      if (!page.navigator.onLine) throw new TypeError('Failed to fetch')
      return { access_token: 'b' }
    })
    const auth = createAuth({ refresh, initialTokens: { access_token: 'a', expires_in: 0 } })
    const offline = new Promise((resolve) => auth.on('refreshFailed', resolve))
    expect(await offline).toMatchObject({ reason: 'offline' })
    const token = auth.getAccessToken()
    page.navigator.onLine = true
    page.window.dispatchEvent(new Event('online'))
    expect(await token).toBe('b')
    auth.dispose()
  })
})

describe('the empty environment', () => {
  it('the empty environment is online and emits nothing', () => {
    expect(emptyEnvironment.online()).toBe(true)
    for (const kind of KINDS) emptyEnvironment.subscribe(kind, () => expect.unreachable())()
    expect(page.listening()).toBe(0)
  })

  it('a session uses the empty environment without a document', () => {
    vi.stubGlobal('document', undefined)
    const auth = createAuth({ refresh: () => ({ access_token: 'a' }) })
    expect(page.listening()).toBe(0)
    auth.dispose()
    vi.stubGlobal('document', page.document)
  })
})

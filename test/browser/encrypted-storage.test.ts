import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageFeature } from '../../src/core/features/feature.ts'
import { defineStorage } from '../../src/core/features/share.ts'
import type { SessionRecord, StoredRotation } from '../../src/core/ports.ts'
import { FULL, LEAST, storageContract } from '../storage/contract.ts'
import { crash } from '../support/browsers/crash.ts'
import { hasBrowser, hasDevtools, survivesCrash } from '../support/browsers/engine.ts'
import { launchBrowser } from '../support/browsers/launch.ts'
import { type Browser, type Profile, pageOf, type Tab } from '../support/browsers/tab.ts'
import { openTab, until } from '../support/browsers/until.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { createSite, type Site } from '../support/site.ts'
import type { Answer, Spoiler } from './encrypted-storage.page.ts'

declare global {
  var encryptedScenarios: typeof import('./encrypted-storage.page.ts').scenarios
}

const SPOILERS: Spoiler[] = [
  'text',
  'a record that is not encrypted',
  'an entry of a later version',
  'a record without its key',
  'a record under another key',
  'a record with another IV',
  'half of a record',
  'a record with one flipped bit',
  'a record of another database',
  'an encrypted text that is not JSON',
  'nothing',
]

describe.skipIf(!hasBrowser)('encryptedStorage in a browser', () => {
  let browser: Browser
  let site: Site
  let script: string
  let context: Profile
  let tabs: Tab[]
  const listeners = new Map<string, () => void>()
  let created = 0

  const openScenarios = (url = site.origin, profile = context): Promise<Tab> =>
    openTab(profile, url, () => 'encryptedScenarios' in globalThis)

  beforeAll(async () => {
    script = await bundlePage(new URL('./encrypted-storage.page.ts', import.meta.url))
    site = await createSite(script, (path, response, request) => {
      if (path !== '/notify') return false
      request.setEncoding('utf8').on('data', (id: string) => listeners.get(id)?.())
      response.writeHead(204).end()
      return true
    })
    browser = await launchBrowser()
    context = await browser.newContext()
    tabs = [await openScenarios(), await openScenarios()]
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    site?.close()
  })

  const unpack = (answer: Answer): unknown => {
    if ('value' in answer) return answer.value
    const { name, reason, text } = answer.error
    if (name === 'StorageError') throw new StorageError(text, { reason })
    throw Object.assign(new Error(text), { name })
  }

  /** Creates a store that runs in a tab. */
  function remote(tab: Tab, name: string): StorageFeature {
    const id = `store ${created++}`
    return defineStorage({
      read: async () =>
        unpack(await tab.evaluate(([name, id]) => encryptedScenarios.read(name, id), [name, id] as const)),
      write: async (record) =>
        unpack(
          await tab.evaluate(([name, id, record]) => encryptedScenarios.write(name, id, record), [
            name,
            id,
            record,
          ] as const),
        ),
      clear: async () =>
        unpack(await tab.evaluate(([name, id]) => encryptedScenarios.clear(name, id), [name, id] as const)),
      subscribe(onChange) {
        const listener = `listener ${created++}`
        listeners.set(listener, onChange)
        void tab.evaluate(([name, id, listener]) => encryptedScenarios.subscribe(name, id, listener), [
          name,
          id,
          listener,
        ] as const)
        return () => void tab.evaluate((listener) => encryptedScenarios.stop(listener), listener)
      },
    })
  }

  /** Two tabs that share a place, each with the start of its session. */
  async function openTwoTabs() {
    const { name } = place()
    const [one, other] = [await openScenarios(), await openScenarios()]
    onTestFinished(async () => void (await Promise.all([one.close(), other.close()])))
    const start = (tab: Tab, token?: string) =>
      tab.evaluate(
        ([name, token]) =>
          encryptedScenarios.start(name, token === undefined ? undefined : { access_token: token }),
        [name, token] as const,
      )
    return { name, one, other, start }
  }

  /** Creates a database. Its stores run in the two tabs alternately. */
  function place() {
    const name = `place ${created++}`
    let opened = 0
    return {
      name,
      open: () => remote(tabs[opened++ % 2]!, name),
      put: (value: unknown) =>
        tabs[0]!.evaluate(([name, value]) => encryptedScenarios.put(name, value), [name, value] as const),
    }
  }

  storageContract('encryptedStorage', place, {
    reports: 'others',
    garbage: Object.fromEntries(
      SPOILERS.map((how) => [
        how,
        ({ name }: { name: string }) =>
          tabs[1]!.evaluate(([name, how]) => encryptedScenarios.spoil(name, how), [name, how] as const),
      ]),
    ),
    faults: {
      'a browser that blocks storage': {
        begin: () => tabs[0]!.evaluate(() => encryptedScenarios.forbid()),
        end: () => tabs[0]!.evaluate(() => void encryptedScenarios.allow()),
        kind: /^SecurityError$/,
      },
      'a database of the same name from another script': {
        begin: ({ name }) => tabs[1]!.evaluate((name) => encryptedScenarios.occupy(name), name),
        end: ({ name }) => tabs[1]!.evaluate((name) => encryptedScenarios.deleteDatabase(name), name),
        kind: /^VersionError$/,
      },
    },
  })

  it('uses a new key for each write, which cannot be exported', async () => {
    const { name, open } = place()
    const store = open()
    await store.write(FULL)
    const first = await tabs[1]!.evaluate((name) => encryptedScenarios.inspect(name), name)
    expect(first).toMatchObject({
      version: 1,
      exported: 'InvalidAccessError',
      extractable: false,
      usages: expect.toSatisfy((usages: string[]) => usages.sort().join() === 'decrypt,encrypt'),
      algorithm: { name: 'AES-GCM', length: 256 },
      rest: {},
    })
    expect(first.iv).toHaveLength(12)
    await store.write(FULL)
    const second = await tabs[1]!.evaluate((name) => encryptedScenarios.inspect(name), name)
    expect(second.iv).not.toEqual(first.iv)
    expect(second.texts[1]).not.toBe(first.texts[1])
    expect(second.texts[1]).toHaveLength(first.texts[1]?.length ?? 0)
  })

  it('stores one entry that contains no text of the record, and clear removes it', async () => {
    const { name, open } = place()
    const store = open()
    const own = (all: { name: string; keys: unknown[] }[]) => all.filter((database) => database.name === name)
    await store.write(FULL)
    const { texts } = await tabs[0]!.evaluate((name) => encryptedScenarios.inspect(name), name)
    for (const word of Object.values(FULL)) {
      if (String(word).length > 2) expect(texts.join('\n')).not.toContain(String(word))
    }
    const databases = () => tabs[0]!.evaluate(() => encryptedScenarios.databases())
    expect(own(await databases())).toEqual([{ name, stores: ['session'], keys: ['current'] }])
    await store.clear()
    expect(own(await databases())).toEqual([{ name, stores: ['session'], keys: [] }])
  })

  it("posts only 'changed' on its channel, and uses the name 'authchart' by default", async () => {
    const messages = await tabs[0]!.evaluate(
      (record) => encryptedScenarios.recordMessages('authchart', record),
      FULL,
    )
    expect(messages).toEqual(['changed', 'changed'])
    expect((await remote(tabs[0]!, 'authchart').read()) ?? undefined).toBeUndefined()
  })

  it.runIf(survivesCrash)(
    'contains a complete record after the tab that writes it crashed',
    async () => {
      const { name, open } = place()
      const store = open()
      const rotations: number[] = []
      for (let round = 0; round < 3; round++) {
        const tab = await openScenarios()
        await tab.evaluate(([name, record]) => encryptedScenarios.writeForEver(name, record), [
          name,
          FULL,
        ] as const)
        await crash(tab)
        const record = (await store.read()) as SessionRecord
        expect(record).toEqual({ ...FULL, rotation: record.rotation })
        rotations.push(record.rotation)
        await tab.close()
      }
      expect(Math.max(...rotations), 'writes before the crash').toBeGreaterThan(0)
      // A busy machine notices a crashed tab late.
    },
    60_000,
  )

  it('replaces older tokens in one step, and neither newer ones nor those of a session that has ended', async () => {
    const { name, open } = place()
    const [one, other] = [open(), open()]
    const replace = (tab: number, record: SessionRecord, expected?: StoredRotation) =>
      tabs[tab]!.evaluate(
        ([name, record, expected]) =>
          encryptedScenarios.replace(name, `replace in ${name}`, record, expected),
        [name, record, expected] as const,
      )
    const next = { ...FULL, rotation: FULL.rotation + 1 }
    expect(await replace(0, FULL)).toEqual({ value: 'written' })
    expect(await replace(1, next, FULL)).toEqual({ value: 'written' })
    expect(await replace(0, { ...next, accessToken: 'other' }, FULL)).toEqual({ value: 'newer' })
    expect(await replace(0, { ...FULL, id: 'earlier', startedAt: 1 })).toEqual({ value: 'newer' })
    expect(await one.read()).toEqual(next)
    await other.clear()
    expect(await replace(0, { ...next, rotation: next.rotation + 1 }, next)).toEqual({ value: 'gone' })
    expect((await one.read()) ?? undefined).toBeUndefined()
    expect(await replace(1, FULL)).toEqual({ value: 'written' })
    expect(await one.read()).toEqual(FULL)
  })

  it('replaces an entry of an earlier version, which says nothing of its record', async () => {
    const { name, open, put } = place()
    await put(FULL)
    const replaced = await tabs[1]!.evaluate(
      ([name, record]) => encryptedScenarios.replace(name, `replace in ${name}`, record),
      [name, LEAST] as const,
    )
    expect(replaced).toEqual({ value: 'written' })
    expect(await open().read()).toEqual(LEAST)
  })

  it('rejects with DataCloneError if the browser cannot store a key, and reports nothing else', async () => {
    const tab = await openScenarios()
    onTestFinished(() => tab.close())
    const store = remote(tab, `place ${created++}`)
    await tab.evaluate(() => encryptedScenarios.forbidKeys())
    await expect(store.write(FULL)).rejects.toMatchObject({ reason: 'DataCloneError' })
    expect((await store.read()) ?? undefined).toBeUndefined()
    expect(site.problems.splice(0)).toEqual([])
  })

  it('does not block the deletion of the database, and works again after it', async () => {
    const { name, open } = place()
    const [one, other] = [open(), open()]
    await one.write(FULL)
    await other.read()
    expect(await tabs[1]!.evaluate((name) => encryptedScenarios.deleteDatabase(name), name)).toBe('deleted')
    expect((await one.read()) ?? undefined).toBeUndefined()
    await one.write(LEAST)
    expect(await other.read()).toEqual(LEAST)
  })

  it.runIf(hasDevtools)('works again after the user deleted the data of the site', async () => {
    const store = place().open()
    await store.write(FULL)
    const page = pageOf(tabs[0]!)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' })
    expect((await store.read()) ?? undefined).toBeUndefined()
    await store.write(LEAST)
    expect(await store.read()).toEqual(LEAST)
  })

  it.each(['Worker', 'SharedWorker'] as const)(
    'works in a %s, and shares its record with the page',
    async (kind) => {
      const { name, open } = place()
      const store = open()
      await store.write(FULL)
      const results = await tabs[0]!.evaluate(
        ([kind, name]) =>
          new Promise((resolve, reject) => {
            const worker = new globalThis[kind]('/page.js', { type: 'module', name })
            const port = worker instanceof SharedWorker ? worker.port : worker
            worker.onerror = (event) => reject(new Error(String((event as ErrorEvent).message)))
            port.onmessage = ({ data }) => resolve(data)
            port.postMessage(name)
          }),
        [kind, name] as const,
      )
      expect(results).toMatchObject({ window: 'undefined', before: { value: FULL } })
      expect(results).toMatchObject({ after: { value: { accessToken: 'worker' } } })
      expect(await store.read()).toMatchObject({ accessToken: 'worker' })
    },
  )

  it.runIf(hasDevtools)(
    'rejects with insecure_context in an insecure page, but can still be cleared',
    async () => {
      await pageOf(tabs[0]!)
        .context()
        .route('http://insecure.test/**', (route) =>
          route.request().url().endsWith('/page.js')
            ? route.fulfill({ contentType: 'text/javascript', body: script })
            : route.fulfill({
                contentType: 'text/html',
                body: '<script type="module" src="/page.js"></script>',
              }),
        )
      const tab = await openScenarios('http://insecure.test/')
      onTestFinished(() => tab.close())
      const store = remote(tab, 'insecure')
      await expect(store.write(FULL)).rejects.toMatchObject({ reason: 'insecure_context' })
      expect((await store.read()) ?? undefined).toBeUndefined()
      await store.clear()
      expect(await tab.evaluate(() => encryptedScenarios.start('insecure', { access_token: 'a' }))).toBe(
        'authenticated',
      )
      expect(await tab.evaluate(() => encryptedScenarios.token())).toBe('a')
    },
  )

  it.runIf(hasDevtools)(
    'rejects without free space while the session continues in memory, and works again with space',
    async () => {
      // In its own profile, because a browser that had free space does not check the quota again for a while.
      const profile = await browser.newContext()
      onTestFinished(() => profile.close())
      const tab = await openScenarios(site.origin, profile)
      const page = pageOf(tab)
      const quota = await page.context().newCDPSession(page)
      const { origin } = site
      await quota.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100 })
      const store = remote(tab, 'full')
      await expect(store.write(FULL)).rejects.toMatchObject({ reason: 'QuotaExceededError' })
      expect((await store.read()) ?? undefined).toBeUndefined()
      expect(await tab.evaluate(() => encryptedScenarios.start('full', { access_token: 'a' }))).toBe(
        'authenticated',
      )
      expect(await tab.evaluate(() => encryptedScenarios.token())).toBe('a')
      await quota.send('Storage.overrideQuotaForOrigin', { origin })
      await store.write(FULL)
      // The session in memory is newer, so it is written again.
      await expect.poll(() => store.read(), { timeout: 10_000 }).toMatchObject({ accessToken: 'a' })
    },
  )

  it('rejects with SecurityError in a page without storage, while the session continues in memory', async () => {
    const tab = await openScenarios(`${site.origin}/sandboxed`)
    onTestFinished(() => tab.close())
    const store = remote(tab, 'sandboxed')
    for (const operation of [() => store.read(), () => store.write(FULL), () => store.clear()])
      await expect(operation()).rejects.toMatchObject({ reason: 'SecurityError' })
    expect(await tab.evaluate(() => encryptedScenarios.start('sandboxed', { access_token: 'a' }))).toBe(
      'authenticated',
    )
    expect(await tab.evaluate(() => encryptedScenarios.token())).toBe('a')
  })

  it('restores the session after a reload, and passes it and its sign-out to another tab', async () => {
    const { name, one, other, start } = await openTwoTabs()
    const waitForState = (tab: Tab, state: string) =>
      tab.evaluate((state) => encryptedScenarios.waitForState(state), state)
    expect(await start(other)).toBe('anonymous')
    expect(await start(one, 'a')).toBe('authenticated')
    await waitForState(other, 'authenticated')
    expect(await other.evaluate(() => encryptedScenarios.token())).toBe('a')
    await one.reload()
    await until(one, () => 'encryptedScenarios' in globalThis)
    expect(await start(one)).toBe('authenticated')
    expect(await one.evaluate(() => encryptedScenarios.token())).toBe('a')
    await one.evaluate(() => encryptedScenarios.signOut())
    await waitForState(other, 'loggedOut')
    expect((await remote(one, name).read()) ?? undefined).toBeUndefined()
  })

  it('keeps a user signed out whose session another tab is refreshing', async () => {
    const { one, other, start } = await openTwoTabs()
    expect(await start(one, 'a')).toBe('authenticated')
    expect(await start(other)).toBe('authenticated')
    await other.evaluate(() => encryptedScenarios.refreshSlowly())
    await one.evaluate(() => encryptedScenarios.signOut())
    await other.evaluate(() => encryptedScenarios.release())
    await other.evaluate(() => encryptedScenarios.waitForState('loggedOut'))
    expect(await one.evaluate(() => encryptedScenarios.state())).toBe('loggedOut')
    await one.reload()
    await until(one, () => 'encryptedScenarios' in globalThis)
    expect(await start(one)).toBe('anonymous')
  })
})

import type { CDPSession } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ENGINE, hasBrowser, hasDevtools } from '../support/browsers/engine.ts'
import { pageOf, type Tab } from '../support/browsers/tab.ts'
import { until, workerSuite } from './worker-suite.ts'

/** The outcome of a request that a test started without waiting for it. */
const ended = (opened: Tab) => opened.evaluate(() => page.outcome(page.kept() as Promise<unknown>))

describe.skipIf(!hasBrowser)('a request that the worker sends', () => {
  const { serve, connected } = workerSuite()

  it('sends every kind of body byte for byte, and again in a replay', async () => {
    const { url, server, requests } = await serve()
    const opened = await connected()
    const kinds = ['text', 'bytes', 'view', 'blob', 'parameters', 'form', 'request'] as const
    for (const kind of kinds) {
      server.expireAccessTokens()
      const answer = await opened.evaluate(
        async ([url, kind]) => {
          const bytes = new Uint8Array([0, 255, 13, 10, 128, 1])
          const form = new FormData()
          form.set('name', 'Äda')
          form.set('file', new Blob([bytes], { type: 'application/x-any' }), 'bytes.bin')
          const target = `${url}/api/${kind}`
          const bodies: Record<Exclude<typeof kind, 'request'>, BodyInit> = {
            text: 'Äda',
            bytes: bytes.buffer,
            view: bytes.subarray(1, 4),
            blob: new Blob([bytes], { type: 'image/x-any' }),
            parameters: new URLSearchParams({ q: 'a b&c' }),
            form,
          }
          const init = { method: 'PUT', headers: { 'x-own': 'yes' } }
          const sending =
            kind === 'request'
              ? api(new Request(target, { ...init, body: bytes }))
              : api(target, { ...init, body: bodies[kind] })
          // The body is copied at the moment of the call.
          bytes.fill(7)
          return (await sending).json()
        },
        [url, kind] as const,
      )
      const [refused, replayed] = requests(`/api/${kind}`)
      expect(refused?.status, kind).toBe(401)
      expect(replayed?.status, kind).toBe(200)
      expect(replayed?.bodyBytes, kind).toEqual(refused?.bodyBytes)
      expect(replayed?.headers['content-type'], kind).toBe(refused?.headers['content-type'])
      expect(replayed?.headers['x-own'], kind).toBe('yes')
      expect(answer.body, kind).toBe(Buffer.from(replayed!.bodyBytes).toString('base64'))
    }
    const sent = (kind: string) => Buffer.from(requests(`/api/${kind}`)[0]!.bodyBytes)
    const type = (kind: string) => requests(`/api/${kind}`)[0]?.headers['content-type']
    expect(sent('text').toString()).toBe('Äda')
    expect(type('text')).toBe('text/plain;charset=UTF-8')
    for (const kind of ['bytes', 'blob', 'request'])
      expect([...sent(kind)], kind).toEqual([0, 255, 13, 10, 128, 1])
    expect([...sent('view')]).toEqual([255, 13, 10])
    expect(type('blob')).toBe('image/x-any')
    expect(sent('parameters').toString()).toBe('q=a+b%26c')
    const [, boundary = 'none'] = /^multipart\/form-data; boundary=(.*)$/.exec(type('form') ?? '') ?? []
    expect(sent('form').includes(`--${boundary}--`)).toBe(true)
    expect(sent('form').includes(Buffer.from([0, 255, 13, 10, 128, 1]))).toBe(true)
  })

  it('sends a stream if streams are buffered, and otherwise rejects with the reason', async () => {
    const { url, requests } = await serve()
    const opened = await connected({ worker: { bufferStreams: true } })
    const upload = (path: string) => {
      const body = new Blob(['one ', 'two ', 'three']).stream()
      return api(path, { method: 'POST', body, duplex: 'half' } as RequestInit).then(({ status }) => status)
    }
    expect(await opened.evaluate(upload, `${url}/api/stream`)).toBe(200)
    expect(requests('/api/stream')[0]?.bodyText).toBe('one two three')
    await opened.close()

    const plain = await connected()
    // Chromium sends no streams over HTTP/1.1, the others none at all.
    await plain.evaluate((path) => {
      const body = new Blob(['one']).stream()
      page.keep(api(path, { method: 'POST', body, duplex: 'half' } as RequestInit))
    }, `${url}/api/plain`)
    const message = expect.stringMatching(/^Failed to fetch$|Set bufferStreams in serveAuth/)
    expect(await ended(plain)).toMatchObject({ error: { name: 'TypeError', message } })
  })

  it('resolves with the same response as fetch', async () => {
    const { url } = await serve()
    const opened = await connected()
    const seen = await opened.evaluate(async (url) => {
      const facts = async (response: Response) => ({
        url: response.url.slice(url.length),
        status: response.status,
        ok: response.ok,
        redirected: response.redirected,
        type: response.type,
        hasBody: response.body !== null,
        isResponse: response instanceof Response,
        length: (await response.clone().text()).length,
        clone: response.clone().url.slice(url.length),
      })
      const to = encodeURIComponent(`${url}/api/end`)
      return {
        plain: await facts(await api(`${url}/api/plain`)),
        empty: await facts(await api(`${url}/api/empty`)),
        head: await facts(await api(`${url}/api/head`, { method: 'HEAD' })),
        redirected: await facts(await api(`${url}/api/redirect?to=${to}`)),
        manual: await facts(await api(`${url}/api/redirect?to=${to}`, { redirect: 'manual' })),
        missing: await facts(await api(`${url}/missing`)),
      }
    }, url)
    const common = { ok: true, redirected: false, type: 'cors', isResponse: true }
    expect(seen).toMatchObject({
      plain: { ...common, url: '/api/plain', status: 200, hasBody: true, clone: '/api/plain' },
      empty: { ...common, url: '/api/empty', status: 204, hasBody: false, length: 0 },
      head: { ...common, url: '/api/head', status: 200, hasBody: false, length: 0 },
      redirected: { ...common, url: '/api/end', status: 200, redirected: true },
      manual: { status: 0, ok: false, type: 'opaqueredirect' },
      missing: { ...common, url: '/missing', status: 404, ok: false },
    })
    expect(seen.plain.length).toBeGreaterThan(50)
    // WebKit gives an opaque redirect an empty body, as its own fetch does.
    expect(seen.manual.hasBody).toBe(ENGINE === 'webkit')
  })

  it('streams the response body in chunks as they arrive', async () => {
    const { url, nextStream } = await serve()
    const opened = await connected()
    await opened.evaluate(async (url) => {
      const seen: string[] = []
      const read = async () => {
        const response = await api(`${url}/stream`)
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
        for (let part = await reader.read(); !part.done; part = await reader.read()) seen.push(part.value)
        return seen
      }
      page.keep(seen)
      Object.assign(globalThis, { reading: read() })
    }, url)
    const stream = await nextStream()
    for (const [index, text] of ['one', 'two', 'three', 'four', 'five', 'six', 'seven'].entries()) {
      stream.write(text)
      await until(opened, (count) => (page.kept() as string[]).length === count, index + 1)
    }
    stream.end()
    expect(
      await opened.evaluate(() => (globalThis as unknown as { reading: Promise<string[]> }).reading),
    ).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven'])
  })

  it('receives a large response body completely and in order', async () => {
    const { url, nextStream } = await serve()
    const opened = await connected()
    await opened.evaluate((url) => page.keep(api(`${url}/stream`).then((response) => response.text())), url)
    const stream = await nextStream()
    const line = (index: number) => `${index}`.padStart(1024, '.')
    for (let index = 0; index < 4096; index++) stream.write(line(index))
    stream.end()
    const seen = await opened.evaluate(async () => {
      const text = (await page.kept()) as string
      const wrong = Array.from({ length: 4096 }, (_, index) => index).filter(
        (index) => Number(text.slice(index * 1024, (index + 1) * 1024).replace(/^\.+/, '')) !== index,
      )
      return [text.length, wrong.length]
    })
    expect(seen).toEqual([4096 * 1024, 0])
  })

  it('fails like fetch if the response body breaks off', async () => {
    const { url, nextStream } = await serve()
    const opened = await connected()
    await opened.evaluate(async (url) => {
      const response = api(`${url}/stream`)
      page.keep(response.then((answer) => answer.text()))
    }, url)
    const stream = await nextStream()
    stream.write('one')
    stream.drop()
    expect(await ended(opened)).toMatchObject({ error: { name: 'TypeError' } })
  })

  it.each(['fetch', 'ofetch', 'axios'] as const)(
    'rejects at once if sent by %s and aborted while it is held',
    async (client) => {
      const { url, server, requests } = await serve()
      const opened = await connected()
      server.expireAccessTokens()
      const held = server.holdNext()
      await opened.evaluate(
        ([url, client]) => {
          const controller = new AbortController()
          const { signal } = controller
          const senders: Record<typeof client, () => Promise<unknown>> = {
            fetch: () => api(`${url}/api/leaves`, { signal }),
            ofetch: () => ofetch(`${url}/api/leaves`, { signal }),
            axios: () => http.get(`${url}/api/leaves`, { signal }),
          }
          const stays = api(`${url}/api/stays`).then(({ status }) => status)
          const leaves = senders[client]().catch((error: Error) => {
            const reason = error.cause ?? error
            return (reason as Error).message
          })
          page.keep({ controller, stays, leaves })
        },
        [url, client] as const,
      )
      await held.arrived
      await until(opened, () => auth.actor.getSnapshot().context.held === 2)
      const left = await opened.evaluate(() => {
        const { controller, leaves } = page.kept() as { controller: AbortController; leaves: Promise<string> }
        controller.abort(new Error('on purpose'))
        return leaves
      })
      expect(left).toMatch(client === 'axios' ? /canceled|on purpose/ : /^on purpose$/)
      await until(opened, () => auth.actor.getSnapshot().context.held === 1)
      held.answer()
      const stayed = await opened.evaluate(() => (page.kept() as { stays: Promise<number> }).stays)
      expect(stayed).toBe(200)
      // The only 401 is the one that it was held for.
      expect(requests('/api/leaves').length).toBeLessThan(2)
    },
  )

  it('is cancelled when its caller aborts in flight or while reading the body', async () => {
    const { url, server, nextStream } = await serve()
    const opened = await connected()
    const flight = server.holdApiNext(({ path }) => path === '/api/flight')
    const abort = () => {
      const { controller, sent } = page.kept() as { controller: AbortController; sent: Promise<unknown> }
      controller.abort(new Error('on purpose'))
      return page.outcome(sent)
    }
    const aborted = { error: expect.objectContaining({ message: 'on purpose' }) }
    await opened.evaluate((url) => {
      const controller = new AbortController()
      page.keep({ controller, sent: api(`${url}/api/flight`, { signal: controller.signal }) })
    }, url)
    await flight.arrived
    expect(await opened.evaluate(abort)).toEqual(aborted)

    await opened.evaluate((url) => {
      const controller = new AbortController()
      const sent = api(`${url}/stream`, { signal: controller.signal }).then((answer) => answer.text())
      page.keep({ controller, sent })
    }, url)
    const stream = await nextStream()
    stream.write('one')
    expect(await opened.evaluate(abort)).toEqual(aborted)
    await stream.gone
  })

  it('is not sent if its signal is already aborted', async () => {
    const { url, requests } = await serve()
    const opened = await connected()
    const outcome = await opened.evaluate(
      (url) => page.outcome(api(`${url}/api/never`, { signal: AbortSignal.abort(new Error('too late')) })),
      url,
    )
    expect(outcome).toMatchObject({ error: { message: 'too late' } })
    expect(await opened.evaluate(async (url) => (await api(`${url}/api/after`)).status, url)).toBe(200)
    expect(requests('/api/never')).toEqual([])
  })

  it('is cancelled when its response body is cancelled', async () => {
    const { url, nextStream } = await serve()
    const opened = await connected()
    await opened.evaluate((url) => page.keep(api(`${url}/stream`)), url)
    const stream = await nextStream()
    stream.write('one')
    await opened.evaluate(async () => {
      const reader = ((await page.kept()) as Response).body!.getReader()
      await reader.read()
      await reader.cancel()
    })
    await stream.gone
  })

  describe.runIf(hasDevtools)('and the garbage collector', () => {
    const collect = (session: CDPSession) => session.send('HeapProfiler.collectGarbage')

    it('is cancelled when its unread response is garbage-collected', async () => {
      const { url, nextStream } = await serve()
      const opened = await connected()
      await opened.evaluate((url) => api(`${url}/stream`).then(() => {}), url).catch(() => {})
      const stream = await nextStream()
      const session = await pageOf(opened).context().newCDPSession(pageOf(opened))
      let gone = false
      void stream.gone.then(() => {
        gone = true
      })
      // More than the worker sends without a request for more.
      while (!gone) {
        stream.write('x'.repeat(65_536))
        await collect(session)
      }
      await stream.gone
    })

    it('is not cancelled while a read of its body is pending', async () => {
      const { url, nextStream } = await serve()
      const opened = await connected()
      await opened.evaluate(async (url) => {
        const seen: number[] = []
        Object.assign(globalThis, { seen })
        const read = async () => {
          const reader = (await api(`${url}/stream`)).body!.getReader()
          let length = 0
          for (let part = await reader.read(); !part.done; part = await reader.read())
            length += part.value.length
          return length
        }
        // Only the pending read references them.
        void read().then((length) => seen.push(length))
        void api(`${url}/stream`)
          .then((response) => response.text())
          .then((text) => seen.push(text.length))
      }, url)
      const streams = [await nextStream(), await nextStream()]
      const session = await pageOf(opened).context().newCDPSession(pageOf(opened))
      for (let round = 0; round < 20; round++) {
        for (const stream of streams) stream.write('x'.repeat(1_000))
        await collect(session)
        await opened.evaluate(() => Array.from({ length: 1_000 }, () => new Response('young')).length)
      }
      for (const stream of streams) stream.end()
      await until(opened, () => (globalThis as unknown as { seen: number[] }).seen.length === 2)
      const seen = await opened.evaluate(() => (globalThis as unknown as { seen: number[] }).seen)
      expect(seen).toEqual([20_000, 20_000])
    })
  })
})

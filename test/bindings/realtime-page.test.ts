import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { until } from '../support/browsers/until.ts'
import { createLiveServer, type LiveServer } from './live-server.ts'
import { openPages } from './page-suite.ts'
import type { How } from './realtime-page.ts'
import { bundlePage } from './vite-bundles.ts'

describe.skipIf(!hasBrowser)('keepConnected in a browser', () => {
  let server: LiveServer
  beforeEach(async () => {
    server = await createLiveServer()
  })
  afterEach(() => server.close())

  const { run, tab } = openPages<typeof import('./realtime-page.ts').scenarios>(() =>
    bundlePage('realtime-page.ts', []),
  )

  const start = async (how: How) => {
    await run('start', how, server.url)
    await server.until(() => server.connections.length === 1)
  }
  const receives = (...texts: string[]) =>
    until(
      tab(),
      (texts: string[]) =>
        texts.every((text) => (globalThis as any).scenarios.seen().received.join().includes(text)),
      texts,
    )
  const opens = (...tokens: string[]) => server.until(() => server.open().join() === tokens.join())

  describe('with a WebSocket', () => {
    it('sends the token in the subprotocol, and a new token on a new connection', async () => {
      await start('socket')
      expect(server.connections[0]).toMatchObject({ how: 'subprotocol', token: 'at-ada-1' })
      server.connections[0]?.send('first')
      await receives('first')
      await run('refresh')
      await opens('at-ada-2')
      server.connections[1]?.send('second')
      await receives('first', 'second')
      expect(await run('seen')).toMatchObject({ overlapped: false, made: 2 })
    })

    it('is closed at the moment of a sign-out, and before the next user has one', async () => {
      await start('socket')
      await run('switchTo', 'grace')
      await opens('at-grace-1')
      expect(await run('signOut')).toBe(0)
      await opens()
      expect(await run('seen')).toMatchObject({ overlapped: false, made: 2 })
    })

    it('is opened again with a new token if the server rejects the current one', async () => {
      await start('socket')
      server.connections[0]?.end(3000)
      await opens('at-ada-2')
    })

    it('is retried until the server accepts it', async () => {
      server.turnAwayNext(3)
      await start('socket')
      expect(server.open()).toEqual(['at-ada-1'])
      expect(await run('seen')).toMatchObject({ made: 4, overlapped: false })
      server.connections[0]?.end(1011)
      await server.until(() => server.connections.length === 2)
      expect(server.open()).toEqual(['at-ada-1'])
    })

    it('is closed after stop() is called', async () => {
      await start('socket')
      await run('stop')
      await opens()
      await run('refresh')
      expect(await run('seen')).toMatchObject({ made: 1 })
    })
  })

  it('reopens an EventSource itself, and prevents its own reconnection', async () => {
    await start('events')
    server.connections[0]?.send('first')
    await receives('first')
    server.connections[0]?.end()
    await server.until(() => server.connections.length === 2)
    await run('refresh')
    await server.until(() => server.connections.length === 3 && server.open().length === 1)
    server.connections[2]?.send('third')
    await receives('third')
    expect(await run('signOut')).toBe(0)
    await opens()
    expect(await run('seen')).toMatchObject({ overlapped: false, made: 3 })
  })

  it('reads a stream with the token in a header, and aborts it when the session ends', async () => {
    await start('stream')
    expect(server.connections[0]).toMatchObject({ how: 'header', token: 'at-ada-1' })
    server.connections[0]?.send('first')
    await receives('first')
    await run('refresh')
    await opens('at-ada-2')
    await run('signOut')
    await opens()
  })
})

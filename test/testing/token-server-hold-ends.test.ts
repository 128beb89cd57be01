import { describe, expect, test } from 'vitest'
import { refreshWith, serve, turn } from './held-requests-setup.ts'
import { start, tokensOf } from './token-server-setup.ts'

describe('the end of holds', () => {
  test('closing the server ends all holds', async () => {
    const { server, refresh, api, close } = await start()
    const { access_token, refresh_token } = server.issue()
    const held = server.holdNext()
    const heldApi = server.holdApiNext()
    const rejected = [refresh(refresh_token), api('/api/a', access_token)].map((reply) =>
      expect(reply).rejects.toThrow(TypeError),
    )
    await Promise.all([held.arrived, heldApi.arrived])
    await close()
    await Promise.all(rejected)
    expect(() => held.answer()).toThrow(/closed/)
    expect(() => heldApi.answer()).toThrow(/closed/)
    expect(server.refreshes).toBe(0)
  })

  test('reset ends all holds: held requests reject, and so does arrived', async () => {
    const { server, refresh, api } = serve()
    const held = server.holdNext()
    const never = server.holdNext()
    const heldApi = server.holdApiNext()
    const neverApi = server.holdApiNext()
    const replies = [refresh(), api('/api/a')]
    const rejected = replies.map((reply) => expect(reply).rejects.toThrow(TypeError))
    await Promise.all([held.arrived, heldApi.arrived])
    server.reset()
    await Promise.all(rejected)
    await expect(never.arrived).rejects.toThrow(/cleared/)
    await expect(neverApi.arrived).rejects.toThrow(/cleared/)
    for (const { drop } of [held, never, heldApi, neverApi]) expect(drop).toThrow(/reset/)
    await tokensOf(refresh())
  })

  test('clearScripts does not end requests that wait already', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext(2)
    const reply = refresh()
    await turn()
    server.clearScripts()
    await expect(held.arrived).rejects.toThrow(/cleared/)
    held.answer()
    await tokensOf(reply)
    expect(server.pendingScripts).toBe(0)
  })

  test('a cleared hold leaves no unhandled rejection if the test did not await arrived', async () => {
    const { server } = serve()
    server.holdNext()
    server.holdApiNext()
    server.clearScripts()
    // Vitest fails a run with an unhandled rejection.
    await turn()
    expect(server.pendingScripts).toBe(0)
  })

  test('closing one listener does not end holds of another, even if it is closed twice', async () => {
    const { server, refresh } = await start()
    const { refresh_token } = server.issue()
    const other = await server.listen()
    const held = server.holdNext()
    const reply = refresh(refresh_token)
    await held.arrived
    await Promise.all([other.close(), other.close()])
    held.answer()
    await tokensOf(reply)
  })

  test('a hold for two requests still waits for the second one after the first was dropped', async () => {
    const { server, refresh, tokens } = serve()
    const listening = await server.listen()
    const held = server.holdNext(2)
    const first = expect(refresh()).rejects.toThrow(TypeError)
    await turn()
    await listening.close()
    await first
    const second = refreshWith(server, tokens)
    await held.arrived
    held.answer()
    await tokensOf(second)
  })
})

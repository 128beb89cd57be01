import { afterEach, describe, expect, it, vi } from 'vitest'
import { createAuth } from '../../src/index.ts'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const boom = new Error('a listener fails')

async function listenerFails() {
  const auth = createAuth({ refresh: () => ({ access_token: 'a' }) })
  auth.on('signedIn', () => {
    throw boom
  })
  await auth.setTokens({ access_token: 'a' })
  expect(auth.state).toBe('authenticated')
  auth.dispose()
}

describe('an error thrown by a listener', () => {
  it('an error thrown by a listener goes to reportError if the platform has it', async () => {
    const reportError = vi.fn()
    vi.stubGlobal('reportError', reportError)
    await listenerFails()
    expect(reportError.mock.calls).toEqual([[boom]])
  })

  it('an error thrown by a listener goes to the console on platforms without reportError', async () => {
    vi.stubGlobal('reportError', undefined)
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    await listenerFails()
    expect(error.mock.calls).toEqual([[boom]])
  })
})

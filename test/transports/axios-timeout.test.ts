import axios, { AxiosError, type AxiosInstance, type CreateAxiosDefaults, getAdapter } from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { setUp } from '../conformance/harness.ts'
import { closeGate, startOrigin, to } from './support.ts'

const rejection = async (call: Promise<unknown>): Promise<AxiosError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AxiosError)
  return error as AxiosError
}

describe.each(['http', 'fetch'] as const)('axios (%s adapter): timeout', (adapter) => {
  const held = async (defaults: CreateAxiosDefaults = {}) => {
    const gate = await closeGate()
    const instance = axios.create({ baseURL: gate.url, adapter, proxy: false, ...defaults })
    attachAuth(instance, gate.auth)
    return { ...gate, instance }
  }

  /** Calls while the refresh never ends, so that the call's own timeout ends it. */
  const timesOut = async (instance: AxiosInstance, config = {}) =>
    rejection(instance.get('/api/a', { timeout: 50, ...config }))

  test('the time of a hold counts: the call rejects with axios’s own error, and nothing is sent', async () => {
    const { instance, server, open, first } = await held()

    const error = await timesOut(instance)

    expect([error.code, error.message]).toEqual([AxiosError.ECONNABORTED, 'timeout of 50ms exceeded'])
    expect(error.config?.url).toBe('/api/a')
    open()
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/a')).toEqual([])
    expect(server.refreshes).toBe(1)
  })

  test('clarifyTimeoutError makes the code of a timeout during a hold ETIMEDOUT', async () => {
    const { instance } = await held({ transitional: { clarifyTimeoutError: true } })

    expect((await timesOut(instance)).code).toBe(AxiosError.ETIMEDOUT)
  })

  test('timeoutErrorMessage is the message of a timeout during a hold', async () => {
    const { instance } = await held()

    expect((await timesOut(instance, { timeoutErrorMessage: 'too slow' })).message).toBe('too slow')
  })

  test('a timeout in the defaults of the instance works like that of a call', async () => {
    const { instance } = await held({ timeout: 50 })

    const error = await rejection(instance.get('/api/a'))

    expect([error.code, error.message]).toEqual([AxiosError.ECONNABORTED, 'timeout of 50ms exceeded'])
  })

  test('a timeout of 0 never expires', async () => {
    const { instance, open } = await held({ timeout: 0 })

    const call = instance.get('/api/a')
    open()

    expect((await call).status).toBe(200)
  })

  test('after a hold the adapter gets the rest of the timeout, and the error names the caller’s timeout', async () => {
    const { auth, open } = await closeGate()
    const silent = await startOrigin(() => new Promise<undefined>(() => {}))
    const timeouts: unknown[] = []
    const instance = axios.create({
      baseURL: silent.url,
      adapter: (config) => {
        timeouts.push(config.timeout)
        return getAdapter(adapter)(config)
      },
    })
    attachAuth(instance, auth)

    const call = rejection(instance.get('/never', { timeout: 300 }))
    setTimeout(open, 100)
    const error = await call

    expect(error.code).toMatch(/^(ECONNABORTED|ETIMEDOUT)$/)
    expect(error.message).toBe('timeout of 300ms exceeded')
    expect(error.config?.timeout).toBe(300)
    expect(timeouts).toHaveLength(1)
    expect(timeouts[0]).toBeLessThan(210)
    expect(silent.log).toHaveLength(1)
  })

  test('a hold that the session’s own deadline ends does not look like a timeout of the caller’s', async () => {
    const gate = await closeGate({ timeouts: { hold: 40 } })
    const instance = axios.create({ baseURL: gate.url, adapter, proxy: false })
    attachAuth(instance, gate.auth)

    await expect(instance.get('/api/a', { timeout: 60_000 })).rejects.toMatchObject({ code: 'hold_timeout' })
    expect(to(gate.server.log, '/api/a')).toEqual([])
  })

  test('a request that is not held keeps the bare client’s timeout', async () => {
    const { url, signedIn } = await setUp()
    const instance = axios.create({ baseURL: url, adapter, proxy: false })
    attachAuth(instance, await signedIn())

    const error = await rejection(instance.get('/api/slow?ms=60000', { timeout: 50 }))

    expect(error.message).toBe('timeout of 50ms exceeded')
  })
})

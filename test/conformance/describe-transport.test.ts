import { describe, expect, it, onTestFinished } from 'vitest'
import { describeTransport, type TransportFactory } from '../../src/testing/index.ts'
import { flawed, neverRefreshing } from './broken-transports.ts'
import { collect, failuresOf } from './collect.ts'

const REFUSALS = 'refusals that a refresh cannot fix'

describe('describeTransport', () => {
  it('describeTransport declares one group for the transport, one group in it for each theme, and unique titles', () => {
    const declared = collect(flawed({}))

    expect(new Set(declared.map(({ theme }) => theme)).size).toBe(16)
    expect(declared.filter(({ theme }) => theme === '' || theme.includes('>'))).toEqual([])
    expect(new Set(declared.map(({ title }) => title)).size).toBe(declared.length)
    expect(declared.length).toBeGreaterThanOrEqual(100)
  })

  it('describeTransport uses the global functions of the test runner', () => {
    const declared: string[] = []
    Object.assign(globalThis, {
      describe: (_: string, body: () => void) => body(),
      it: (title: string) => declared.push(title),
      expect,
    })
    onTestFinished(() => {
      for (const name of ['describe', 'it', 'expect']) Reflect.deleteProperty(globalThis, name)
    })

    describeTransport('a transport', flawed({}))

    expect(declared).toEqual(collect(flawed({})).map(({ title }) => title))
  })

  it('describeTransport throws an error that says what to pass if the runner has no globals', () => {
    expect(() => describeTransport('a transport', flawed({}), { expect })).toThrow(
      new TypeError(
        'describeTransport: describe and it not found. Pass the functions of your test runner as the third parameter: describeTransport(name, factory, { describe, it, expect }).',
      ),
    )
  })

  it('describeTransport throws an error that says what a factory is if it gets something else', () => {
    const notAFactory = { request: fetch } as unknown as TransportFactory
    expect(() => describeTransport('a transport', notAFactory, { describe, it, expect })).toThrow(
      /^describeTransport: factory must be a function/,
    )
  })

  it('describeTransport declares the timeout scenarios only if the client has a timeout', () => {
    const titles = collect(flawed({})).map(({ title }) => title)
    const more = collect(flawed({}), { isTimeout: () => true }).filter(({ title }) => !titles.includes(title))

    expect(more.map(({ title }) => title)).toEqual([
      "the client's own timeout includes the wait for a token, and a timed-out request is not sent",
      "the client's own timeout ends a request in flight and causes no refresh",
    ])
  })

  it('describeTransport fails a client that reports refusals in another way than givesRefusalsAs', async () => {
    const givenAs =
      (name: string): TransportFactory =>
      (auth, options) => {
        const { request } = flawed({})(auth, options)
        return { request: async (path, init) => ({ ...(await request(path, init)), givenAs: name }) }
      }

    expect(await failuresOf(givenAs('HTTPError'), REFUSALS, { givesRefusalsAs: 'HTTPError' })).toEqual({})
    expect(
      Object.keys(await failuresOf(givenAs('Response'), REFUSALS, { givesRefusalsAs: 'HTTPError' })),
    ).toHaveLength(6)
  })

  it('describeTransport closes clients and servers after passed and failed scenarios', async () => {
    const origins: string[] = []
    let open = 0
    const counted =
      (factory: TransportFactory): TransportFactory =>
      (auth, options) => {
        origins.push(options.origin)
        open++
        return {
          ...factory(auth, options),
          async close() {
            open--
          },
        }
      }

    expect(await failuresOf(counted(flawed({})), REFUSALS)).toEqual({})
    expect(Object.keys(await failuresOf(counted(neverRefreshing), REFUSALS))).toHaveLength(7)

    expect([origins.length, open]).toEqual([16, 0])
    const answers = await Promise.allSettled(origins.map((origin) => fetch(`${origin}/public`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill('rejected'))
  })

  it('describeTransport fails a scenario whose client cannot be closed', async () => {
    const stuck: TransportFactory = (auth, options) => ({
      ...flawed({})(auth, options),
      close() {
        throw new Error('it is stuck')
      },
    })

    expect(Object.values(await failuresOf(stuck, 'the origins that receive the token'))).toEqual(
      Array(3).fill('it is stuck'),
    )
  })
})

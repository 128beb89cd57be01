import { describe, expect, it, onTestFinished } from 'vitest'
import { describeTransport, type TransportFactory } from '../../src/testing/index.ts'
import { flawed, neverRefreshing } from './broken-transports.ts'
import { collect, failuresOf } from './collect.ts'

const REFUSALS = 'a refusal no renewal can help'

describe('describeTransport', () => {
  it('declares one group for the transport, one in it for each theme, and no title twice', () => {
    const declared = collect(flawed({}))

    expect(new Set(declared.map(({ theme }) => theme)).size).toBe(16)
    expect(declared.filter(({ theme }) => theme === '' || theme.includes('>'))).toEqual([])
    expect(new Set(declared.map(({ title }) => title)).size).toBe(declared.length)
    expect(declared.length).toBeGreaterThanOrEqual(100)
  })

  it('takes the hooks of the runner that are global', () => {
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

  it('says what to pass where there are none', () => {
    expect(() => describeTransport('a transport', flawed({}), { expect })).toThrow(
      new TypeError(
        "describeTransport: there is no describe, no it here. Pass your test runner's as the third parameter: describeTransport(name, factory, { describe, it, expect }).",
      ),
    )
  })

  it('says what a factory is where it is given none', () => {
    const notAFactory = { request: fetch } as unknown as TransportFactory
    expect(() => describeTransport('a transport', notAFactory, { describe, it, expect })).toThrow(
      /^describeTransport: factory must be a function/,
    )
  })

  it('asks about a timeout only where the client has one', () => {
    const titles = collect(flawed({})).map(({ title }) => title)
    const more = collect(flawed({}), { isTimeout: () => true }).filter(({ title }) => !titles.includes(title))

    expect(more.map(({ title }) => title)).toEqual([
      "the wait for a token counts against the client's own timeout, and nothing is sent",
      "the client's own timeout ends a request in flight, and costs no renewal",
    ])
  })

  it('holds the client to its own way of giving a refusal', async () => {
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

  it('closes clients and servers, whatever a scenario came to', async () => {
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

  it('fails a scenario whose client cannot be closed', async () => {
    const stuck: TransportFactory = (auth, options) => ({
      ...flawed({})(auth, options),
      close() {
        throw new Error('it is stuck')
      },
    })

    expect(Object.values(await failuresOf(stuck, 'where the token goes'))).toEqual(
      Array(3).fill('it is stuck'),
    )
  })
})

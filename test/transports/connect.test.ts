import { create } from '@bufbuild/protobuf'
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { describe, expect, test } from 'vitest'
import { WORKER_FETCH } from '../../src/core/auth.ts'
import { isSessionError, TokenConfinedError } from '../../src/index.ts'
import { authConnect } from '../../src/transports/connect.ts'
import { outcomes, setUp } from '../conformance/harness.ts'
import { PROTOCOLS, type Protocol, serveEcho, type Text, TextSchema } from './echo-service.ts'

/** A server that refuses the first token of a session, and a client with its session. */
async function start(protocol: Protocol) {
  const harness = await setUp()
  const auth = await harness.signedIn()
  const log: [path: string, token: string | undefined][] = []
  const check = (path: string, { requestHeader }: HandlerContext) => {
    const token = requestHeader.get('authorization')
    log.push([path, token?.replace(/^Bearer (at-\d+-\d+).*/, '$1') ?? undefined])
    if (!token?.startsWith('Bearer at-') || token.startsWith('Bearer at-1-1-'))
      throw new ConnectError('Sign in', Code.Unauthenticated)
  }
  const { baseUrl, connect } = await serveEcho(protocol, {
    echo(message: Text, context: HandlerContext) {
      check('echo', context)
      return message
    },
    async *list({ text }: Text, context: HandlerContext) {
      check('list', context)
      for (const part of text) {
        if (part === '!') throw new ConnectError('Signed out', Code.Unauthenticated)
        yield { text: part }
      }
    },
    async collect(messages: AsyncIterable<Text>, context: HandlerContext) {
      check('collect', context)
      let text = ''
      for await (const message of messages) text += message.text
      return { text }
    },
  })
  const client = connect(authConnect(auth, { origins: [baseUrl], exclude: (url) => url.endsWith('/Public') }))
  return { ...harness, auth, client, log, baseUrl }
}

const read = async (messages: AsyncIterable<Text>) => {
  let all = ''
  for await (const { text } of messages) all += text
  return all
}

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('twenty unary calls at once with a rejected token cause one refresh, and each is replayed', async () => {
    const { client, server } = await start(protocol)

    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => client.echo({ text: `n${n}` })))

    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, n) => `n${n}`))
    expect(server.refreshes).toBe(1)
  })

  test('a message is replayed as it was at the call, although its caller uses the object again', async () => {
    const { client } = await start(protocol)
    const message = create(TextSchema, { text: '' }) as unknown as { text: string }

    const answers = await Promise.all(
      ['a', 'b', 'c'].map((text) => {
        message.text = text
        return client.echo(message)
      }),
    )

    expect(answers.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })

  test('a server stream that is refused is replayed, and its messages are those of the replay', async () => {
    const { client, server, log } = await start(protocol)
    expect(await read(client.list({ text: 'abc' }))).toBe('abc')
    expect(log).toEqual([
      ['list', 'at-1-1'],
      ['list', 'at-1-2'],
    ])
    expect(server.refreshes).toBe(1)
  })

  test('a server stream is not replayed once a message was handed on', async () => {
    const { client, auth, log, server } = await start(protocol)
    await auth.refresh()
    const got: string[] = []
    const [error] = await outcomes([
      (async () => {
        for await (const { text } of client.list({ text: 'a!b' })) got.push(text)
      })(),
    ])
    expect([(error as ConnectError).code, got, log.length]).toEqual([Code.Unauthenticated, ['a'], 1])
    expect(server.refreshes).toBe(1)
  })

  test('a stream of the client gets the token, and its refusal reaches the caller', async () => {
    const { client, auth } = await start(protocol)
    const messages = async function* () {
      yield { text: 'a' }
      yield { text: 'b' }
    }
    const [error] = await outcomes([client.collect(messages())])
    expect((error as ConnectError).code).toBe(Code.Unauthenticated)
    expect(auth.state).not.toBe('expired')

    expect(await client.collect(messages())).toMatchObject({ text: 'ab' })
  })

  test('an ended session is recognised in the error, in one try', async () => {
    const { client, server, log, auth } = await start(protocol)
    server.killRefreshTokens()
    const [first] = await outcomes([client.echo({ text: 'a' })])
    const sent = log.length
    const [second, third] = await outcomes([client.echo({ text: 'a' }), read(client.list({ text: 'a' }))])

    expect([first, second, third].map(isSessionError)).toEqual([true, true, true])
    expect([auth.state, log.length]).toEqual(['expired', sent])
  })

  test('a call that waits ends by its signal and at its deadline, and is not sent', async () => {
    const { client, server, log } = await start(protocol)
    const refresh = server.holdNext()
    const first = client.echo({ text: 'a' })
    await refresh.arrived
    const controller = new AbortController()
    const calls = [
      client.echo({ text: 'b' }, { signal: controller.signal }),
      client.echo({ text: 'c' }, { timeoutMs: 50 }),
    ]
    controller.abort()
    const codes = (await outcomes(calls)).map((error) => (error as ConnectError).code)
    expect(codes).toEqual([Code.Canceled, Code.DeadlineExceeded])

    refresh.answer()
    expect(await first).toMatchObject({ text: 'a' })
    expect(log.length).toBe(2)
  })

  test('a caller’s own authorization is not changed', async () => {
    const { client, log } = await start(protocol)
    await outcomes([client.echo({ text: 'a' }, { headers: { authorization: 'Basic eA==' } })])
    expect(log).toEqual([['echo', 'Basic eA==']])
  })
})

describe('authConnect', () => {
  test('gives the token to no other origin, and to no excluded URL', async () => {
    const { auth } = await start('Connect')
    const interceptor = authConnect(auth, {
      origins: ['https://api.example.com'],
      exclude: (url) => url.endsWith('/Public'),
    })
    const seen: (string | null)[] = []
    const call = interceptor(async (request) => {
      seen.push(request.header.get('authorization'))
      return { stream: false } as never
    })
    for (const url of [
      'https://api.example.com/a/B',
      'https://other.example.com/a/B',
      'https://api.example.com/a/Public',
    ])
      await call({
        url,
        header: new Headers(),
        method: { methodKind: 'unary' },
        requestMethod: 'POST',
      } as never)
    expect(seen.map((token) => token?.slice(0, 13))).toEqual(['Bearer at-1-1', undefined, undefined])
  })

  test('does not take a session in a worker', async () => {
    const { auth } = await start('Connect')
    const confined = Object.assign(Object.create(auth), { [WORKER_FETCH]: fetch })
    expect(() => authConnect(confined, { origins: ['https://a.example.com'] })).toThrow(TokenConfinedError)
  })
})

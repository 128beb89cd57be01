import * as grpc from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isSessionError } from '../../src/index.ts'
import { inspectRequests } from '../../src/inspect/index.ts'
import { authCredentials, authGrpc } from '../../src/transports/grpc.ts'
import { outcomes, setUp, type TestOptions } from '../conformance/harness.ts'
import { failureOf, messagesAround } from './grpc-streams.ts'

const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer): string => JSON.parse(String(bytes)),
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer): string => JSON.parse(String(bytes)),
}
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  ...json,
})
const definition = {
  echo: method('/test.Echo/Echo', false, false),
  list: method('/test.Echo/List', false, true),
  collect: method('/test.Echo/Collect', true, false),
} satisfies grpc.ServiceDefinition

interface Echo extends grpc.Client {
  echo(
    message: string,
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: (error: grpc.ServiceError | null, answer?: string) => void,
  ): grpc.ClientUnaryCall
  list(
    message: string,
    metadata?: grpc.Metadata,
    options?: grpc.CallOptions,
  ): grpc.ClientReadableStream<string>
  collect(done: (error: grpc.ServiceError | null, answer?: string) => void): grpc.ClientWritableStream<string>
}

/** A server that refuses the first token of a session, and a client with its session. */
async function start(use: 'interceptor' | 'credentials' = 'interceptor', options: TestOptions = {}) {
  const harness = await setUp()
  const auth = await harness.signedIn(options)
  const log: [path: string, token: string, note: unknown][] = []
  const isRefused = (path: string, { metadata }: { metadata: grpc.Metadata }) => {
    const token = String(metadata.get('authorization'))
    log.push([path, token.slice(7, 13), metadata.get('x-note')[0]])
    return !token.startsWith('Bearer at-') || token.startsWith('Bearer at-1-1-')
  }
  const refusal = { code: grpc.status.UNAUTHENTICATED, details: 'Sign in' }
  const demand = {
    code: grpc.status.PERMISSION_DENIED,
    details: 'Ask for more',
    metadata: grpc.Metadata.fromHttp2Headers({
      'www-authenticate': 'Bearer error="insufficient_scope", scope="write"',
    }),
  }
  const server = new grpc.Server()
  server.addService(definition, {
    echo: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) =>
      isRefused('echo', call) ? done(refusal) : done(null, call.request),
    list: (call: grpc.ServerWritableStream<string, string>) => {
      if (isRefused('list', call)) return call.emit('error', refusal)
      for (const part of call.request) call.write(part)
      if (call.request === 'and no end') return
      if (call.request === 'and a demand') return call.emit('error', demand)
      return call.request === 'and a refusal' ? call.emit('error', refusal) : call.end()
    },
    collect: async (call: grpc.ServerReadableStream<string, string>, done: grpc.sendUnaryData<string>) => {
      if (isRefused('collect', call)) return done(refusal)
      let all = ''
      for await (const part of call) all += part
      return done(null, all)
    },
  })
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  const Client = grpc.makeGenericClientConstructor(definition, 'Echo')
  const client = new Client(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
    use === 'interceptor' ? { interceptors: [authGrpc(auth)] } : {},
  ) as unknown as Echo
  onTestFinished(() => {
    client.close()
    server.forceShutdown()
  })
  const own = use === 'credentials' ? { credentials: authCredentials(auth) } : {}
  const echo = (message: string, options: grpc.CallOptions = {}, metadata = new grpc.Metadata()) =>
    new Promise<string | undefined>((resolve, reject) => {
      client.echo(message, metadata, { ...own, ...options }, (error, answer) =>
        error ? reject(error) : resolve(answer),
      )
    })
  return { ...harness, auth, client, echo, log }
}

const expire = async ({ server, echo }: Awaited<ReturnType<typeof start>>) => {
  server.killRefreshTokens()
  return (await outcomes([echo('x')]))[0]
}

describe('gRPC: unary calls', () => {
  test('twenty calls at once with a rejected token cause one refresh, and each is replayed', async () => {
    const { echo, server, log } = await start()
    const metadata = new grpc.Metadata()
    metadata.set('x-note', 'kept')

    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => echo(`n${n}`, {}, metadata)))

    expect(answers).toEqual(Array.from({ length: 20 }, (_, n) => `n${n}`))
    expect(server.refreshes).toBe(1)
    expect(log.map(([, , note]) => note)).toEqual(Array(log.length).fill('kept'))
    expect(metadata.get('authorization')).toEqual([])
  })

  test.each(['replayed', 'held'])(
    'messages that are %s are those of the calls, although their caller uses one object for all',
    async (way) => {
      const { client, server, auth } = await start()
      const message = { n: 0 }
      const refresh = way === 'held' ? server.holdNext() : undefined
      const refreshed = refresh && auth.refresh()

      const calls = [1, 2, 3].map((n) => {
        message.n = n
        return new Promise((resolve) =>
          client.echo(message as never, new grpc.Metadata(), {}, (error, answer) => resolve(error ?? answer)),
        )
      })
      refresh?.answer()
      await refreshed

      expect(await Promise.all(calls)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    },
  )

  test('a message arrives whole, also with a map that has the key __proto__', async () => {
    const { echo } = await start()
    const message = '{"labels":{"__proto__":"a","b":"c"}}'

    expect(JSON.stringify(await echo(JSON.parse(message)))).toBe(message)
  })

  test('a call of a client that was closed does not fail as one of a user who is signed out', async () => {
    const { echo, client, auth } = await start()
    client.close()

    const [error] = await outcomes([echo('x')])

    expect(error).toMatchObject({ code: grpc.status.INTERNAL, details: 'Channel has been shut down' })
    expect(auth.state).toBe('authenticated')
  })

  test('an ended session is recognised in the error of a call, in one try', async () => {
    const all = await start()
    const first = await expire(all)
    const sent = all.log.length
    const [second] = await outcomes([all.echo('x')])

    expect([isSessionError(first), isSessionError(second), all.auth.state]).toEqual([true, true, 'expired'])
    expect(second).toMatchObject({ code: grpc.status.UNAUTHENTICATED })
    expect(all.log.length).toBe(sent)
  })

  test('a call that waits ends at its deadline, and by a cancellation, and is not sent', async () => {
    const { echo, client, server, log } = await start()
    const refresh = server.holdNext()
    const first = echo('a')
    await refresh.arrived
    const late = await outcomes([echo('b', { deadline: Date.now() + 50 })])
    expect(late).toMatchObject([{ code: grpc.status.DEADLINE_EXCEEDED }])

    const cancelled = new Promise((resolve) => {
      const call = client.echo('c', new grpc.Metadata(), {}, (error) => resolve(error?.code))
      setImmediate(() => call.cancel())
    })
    expect(await cancelled).toBe(grpc.status.CANCELLED)

    refresh.answer()
    expect(await first).toBe('a')
    expect(log.length).toBe(2)
  })
})

describe('gRPC: streams', () => {
  const read = async (stream: grpc.ClientReadableStream<string>) => (await stream.toArray()).join('')

  test('a refused stream reaches the caller, and the next one has a new token', async () => {
    const { client, log } = await start()
    await expect(read(client.list('abc'))).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED })

    expect(await read(client.list('abc'))).toBe('abc')
    expect(log.map(([path, token]) => [path, token])).toEqual([
      ['list', 'at-1-1'],
      ['list', 'at-1-2'],
    ])
  })

  test('a stream of the client waits for the token, and keeps its messages', async () => {
    const { client, auth, echo } = await start()
    await echo('renews')
    const answer = new Promise((resolve, reject) => {
      const call = client.collect((error, all) => (error ? reject(error) : resolve(all)))
      for (const part of ['a', 'b']) call.write(part)
      call.end('c')
    })
    expect(await answer).toBe('abc')
    expect(auth.state).toBe('authenticated')
  })

  test('a stream that waits has the message of its call, although its caller uses the object again', async () => {
    const { client, echo, server } = await start()
    const refresh = server.holdNext()
    const first = echo('renews')
    await refresh.arrived
    const message = ['before']

    const answer = read(client.list(message as never))
    message[0] = 'after'
    refresh.answer()

    expect([await first, await answer]).toEqual(['renews', 'before'])
  })

  test('a stream that waits ends after its message, for the interceptors behind it', async () => {
    const { auth, client, echo, server } = await start()
    const steps: unknown[] = []
    const observe: grpc.Interceptor = (options, next) =>
      new grpc.InterceptingCall(next(options), {
        sendMessage(message, pass) {
          steps.push(message)
          pass(message)
        },
        halfClose(pass) {
          steps.push('end')
          pass()
        },
      })
    const refresh = server.holdNext()
    const first = echo('renews')
    await refresh.arrived

    const options = { interceptors: [authGrpc(auth), observe] }
    const answer = read(client.list('abc', new grpc.Metadata(), options))
    refresh.answer()

    expect([await first, await answer]).toEqual(['renews', 'abc'])
    expect(steps).toEqual(['abc', 'end'])
  })

  test('a stream leaves the metadata of its caller as it is', async () => {
    const { client, echo, log } = await start()
    await echo('renews')
    const metadata = new grpc.Metadata()
    metadata.set('x-note', 'kept')
    const stream = client.list('abc', metadata)
    metadata.set('x-note', 'changed')

    expect(await read(stream)).toBe('abc')
    expect(log.at(-1)).toEqual(['list', 'at-1-2', 'kept'])
    expect(metadata.getMap()).toEqual({ 'x-note': 'changed' })
  })

  test.each([
    ['', false],
    [', also if requests are inspected', true],
  ])(
    'a stream that waited makes room for the next call with its first message, not with its end%s',
    async (_, isInspected) => {
      const all = await start('interceptor', { release: { concurrency: 1 } })
      if (isInspected) onTestFinished(inspectRequests(all.auth, () => {}))
      expect(await messagesAround(all)).toEqual(['a', 'a', 'b'])
    },
  )

  test('a stream that is refused after a message causes a refresh, too', async () => {
    const { client, echo, server, log } = await start()
    await echo('renews')
    expect(await failureOf(client.list('and a refusal'))).toMatchObject({
      messages: 'and a refusal',
      error: { code: grpc.status.UNAUTHENTICATED },
    })
    await echo('b')
    expect(server.refreshes).toBe(2)
    expect(log.at(-1)?.[1]).toBe('at-1-3')
  })

  test('a stream that asks for a stronger sign-in after a message emits stepUpRequired', async () => {
    const { client, echo, server, emitted } = await start()
    await echo('renews')
    expect(await failureOf(client.list('and a demand'))).toMatchObject({
      messages: 'and a demand',
      error: { code: grpc.status.PERMISSION_DENIED },
    })
    await echo('b')
    expect(emitted('stepUpRequired')).toMatchObject([{ scope: 'write' }])
    expect(server.refreshes).toBe(1)
  })

  test('a stream of an ended session fails, and is not sent', async () => {
    const all = await start()
    await expire(all)
    const sent = all.log.length
    const [error] = await outcomes([read(all.client.list('abc'))])
    expect([isSessionError(error), all.log.length]).toEqual([true, sent])
  })
})

test('gRPC: an authorization of the caller is sent as it is, also after a sign-out', async () => {
  const { client, echo, auth, log } = await start()
  const metadata = new grpc.Metadata()
  metadata.set('authorization', 'Bearer at-own')

  for (let round = 0; round < 2; round++) {
    expect(await echo('a', {}, metadata)).toBe('a')
    expect(await client.list('abc', metadata).toArray()).toEqual(['a', 'b', 'c'])
    await auth.signOut()
  }

  expect(log.map(([, token]) => token)).toEqual(Array(4).fill('at-own'))
  expect(metadata.get('authorization')).toEqual(['Bearer at-own'])
})

describe('gRPC: credentials', () => {
  test('bring the token to each call, and replay nothing', async () => {
    const { echo, auth, log } = await start('credentials')
    expect(await outcomes([echo('a')])).toMatchObject([{ code: grpc.status.UNAUTHENTICATED }])
    await auth.refresh()
    expect(await echo('b')).toBe('b')
    expect(log.map(([, token]) => token)).toEqual(['at-1-1', 'at-1-2'])
  })
})

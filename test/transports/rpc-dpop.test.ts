import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import * as grpc from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dpopProofs } from '../../src/oauth2/index.ts'
import { createHarness } from '../../src/testing/conformance/harness.ts'
import { authConnect } from '../../src/transports/connect.ts'
import { authCredentials, authGrpc } from '../../src/transports/grpc.ts'
import { outcomes, type TestOptions, times } from '../conformance/harness.ts'
import { startDPoPFront } from '../support/dpop-front.ts'
import { createProofCheck, type Refusal } from '../support/rpc-proof.ts'
import { PROTOCOLS, type Protocol, serveEcho, type Text } from './echo-service.ts'
import { messagesAround } from './grpc-streams.ts'

/** What twenty calls send. */
const NAMES = Array.from({ length: 20 }, (_, n) => `n${n}`)

/** A session whose tokens are bound to a key. Its first token is refused by the servers of this file. */
async function bound(options: TestOptions = {}) {
  const proofs = dpopProofs()
  const harness = await createHarness({}, async (target) => {
    const { url, close } = await startDPoPFront(target)
    return { url, fetch: proofs.fetch, session: { proof: proofs }, close }
  })
  onTestFinished(harness.close)
  return { ...harness, auth: await harness.signedIn(options), check: createProofCheck() }
}

async function startConnect(protocol: Protocol) {
  const made = await bound()
  const { auth, check } = made
  async function admit(method: string, { requestHeader }: HandlerContext) {
    const header = (name: string) => requestHeader.get(name) ?? undefined
    const refusal = await check.refusalOf(header, `${baseUrl}/test.Echo/${method}`)
    if (refusal) throw new ConnectError('Sign in', Code.Unauthenticated, { ...refusal })
  }
  const { baseUrl, connect } = await serveEcho(protocol, {
    async echo(message: Text, context: HandlerContext) {
      await admit('Echo', context)
      return message
    },
    async *list({ text }: Text, context: HandlerContext) {
      await admit('List', context)
      for (const part of text) yield { text: part }
    },
  })
  return { ...made, client: connect(authConnect(auth, { origins: [baseUrl] })) }
}

describe.each(PROTOCOLS)('%s with DPoP', (protocol) => {
  test('each call has a proof, and a new nonce costs one call more', async () => {
    const { client, check, server } = await startConnect(protocol)
    expect(await client.echo({ text: 'a' })).toMatchObject({ text: 'a' })
    expect(check.verdicts).toEqual(['nonce', 'token', 'ok'])
    expect(await client.echo({ text: 'b' })).toMatchObject({ text: 'b' })
    check.changeNonce()
    expect(await client.echo({ text: 'c' })).toMatchObject({ text: 'c' })
    expect(check.verdicts.slice(3)).toEqual(['ok', 'nonce', 'ok'])
    expect(server.refreshes).toBe(1)
  })

  test('a server stream has one, too, and twenty calls share a refresh', async () => {
    const { client, check, server } = await startConnect(protocol)
    const answers = await Promise.all(times(20, (n) => client.echo({ text: `n${n}` })))
    expect(answers.map(({ text }) => text)).toEqual(NAMES)
    expect(server.refreshes).toBe(1)
    check.changeNonce()
    let all = ''
    for await (const { text } of client.list({ text: 'abc' })) all += text
    expect(all).toBe('abc')
    expect([...new Set(check.verdicts)].sort()).toEqual(['nonce', 'ok', 'token'])
  })
})

describe('@grpc/grpc-js with DPoP', () => {
  const TARGET = 'https://api.example.com'
  const texts = {
    requestSerialize: (value: string) => Buffer.from(value),
    requestDeserialize: (bytes: Buffer) => String(bytes),
    responseSerialize: (value: string) => Buffer.from(value),
    responseDeserialize: (bytes: Buffer) => String(bytes),
  }
  const definition = {
    echo: { path: '/test.Echo/Echo', requestStream: false, responseStream: false, ...texts },
    list: { path: '/test.Echo/List', requestStream: false, responseStream: true, ...texts },
  } satisfies grpc.ServiceDefinition
  interface Client extends grpc.Client {
    echo(
      text: string,
      options: grpc.CallOptions,
      done: (error: grpc.ServiceError | null, answer?: string) => void,
    ): grpc.ClientUnaryCall
    list(text: string): grpc.ClientReadableStream<string>
  }

  /** A server with the name of `TARGET`, as a proxy that ends TLS would pass it on. */
  async function startGrpc(target: string | undefined = TARGET, options: TestOptions = {}) {
    const made = await bound(options)
    const { auth, check } = made
    const refusalOf = (path: string, { metadata }: { readonly metadata: grpc.Metadata }) =>
      check.refusalOf((name) => metadata.get(name)[0]?.toString(), TARGET + path)
    const failed = (refusal: Refusal) => ({
      code: grpc.status.UNAUTHENTICATED,
      details: 'Sign in',
      metadata: grpc.Metadata.fromHttp2Headers({ ...refusal }),
    })
    const server = new grpc.Server()
    server.addService(definition, {
      async echo(call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) {
        const refusal = await refusalOf(definition.echo.path, call)
        return refusal ? done(failed(refusal)) : done(null, call.request)
      },
      async list(call: grpc.ServerWritableStream<string, string>) {
        const refusal = await refusalOf(definition.list.path, call)
        if (refusal) return call.emit('error', failed(refusal))
        for (const part of call.request) call.write(part)
        if (call.request === 'and no end') return
        const isLast = call.request === 'and a nonce'
        return call.end(
          isLast ? grpc.Metadata.fromHttp2Headers({ 'dpop-nonce': check.changeNonce() }) : undefined,
        )
      },
    })
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, taken) =>
        error ? reject(error) : resolve(taken),
      ),
    )
    const Constructor = grpc.makeGenericClientConstructor(definition, 'Echo')
    const open = (options: object) => {
      const client = new Constructor(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options)
      onTestFinished(() => client.close())
      return client as unknown as Client
    }
    onTestFinished(() => server.forceShutdown())
    const client = open({ interceptors: [authGrpc(auth, target === '' ? {} : { target })] })
    const echo = (text: string, by = client, options: grpc.CallOptions = {}) =>
      new Promise<string | undefined>((resolve, reject) => {
        by.echo(text, options, (error, answer) => (error ? reject(error) : resolve(answer)))
      })
    return { ...made, client, echo, open }
  }

  test('each call has a proof for the address of the server and the path of the method', async () => {
    const { echo, check, server } = await startGrpc()
    expect(await echo('a')).toBe('a')
    expect(check.verdicts).toEqual(['nonce', 'token', 'ok'])
    check.changeNonce()
    expect(await Promise.all(times(20, (n) => echo(`n${n}`)))).toEqual(NAMES)
    expect([...new Set(check.verdicts)].sort()).toEqual(['nonce', 'ok', 'token'])
    expect(server.refreshes).toBe(1)
  })

  test('a stream is sent with the newest nonce, and its refusal reaches the caller', async () => {
    const { client, echo, check } = await startGrpc()
    await echo('renews')
    const read = async () => (await client.list('abc').toArray()).join('')
    expect(await read()).toBe('abc')
    check.changeNonce()
    await expect(read()).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED })
    expect(await read()).toBe('abc')
    expect(check.verdicts.slice(3)).toEqual(['ok', 'nonce', 'ok'])
  })

  test('the nonce that a server sends after the messages of a stream is used for the next call', async () => {
    const { client, echo, check } = await startGrpc()
    await echo('renews')
    expect((await client.list('and a nonce').toArray()).join('')).toBe('and a nonce')
    expect(await echo('b')).toBe('b')
    expect(check.verdicts.slice(3)).toEqual(['ok', 'ok'])
  })

  test('a stream that waited makes room for the next call with its first message', async () => {
    const all = await startGrpc(TARGET, { release: { concurrency: 1 } })
    expect(await messagesAround(all)).toEqual(['a', 'a', 'b'])
  })

  test('without a target no call is sent, and the error says what is missing', async () => {
    const { client, echo, check } = await startGrpc('')
    const refused = { message: expect.stringMatching(/does not say what to prove/) }
    expect(await outcomes([echo('a'), client.list('a').toArray()])).toMatchObject([refused, refused])
    expect(check.verdicts).toEqual([])
  })

  test('call credentials refuse a bound token, because they cannot prove anything', async () => {
    const { auth, open, echo, check } = await startGrpc()
    const [error] = await outcomes([echo('a', open({}), { credentials: authCredentials(auth) })])
    expect(error).toMatchObject({ message: expect.stringMatching(/Use authGrpc with the option target/) })
    expect(check.verdicts).toEqual([])
  })
})

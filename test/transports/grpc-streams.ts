/** What tests of gRPC do with streams of the server. */
import type { ClientReadableStream } from '@grpc/grpc-js'
import type { TokenServer } from '../../src/testing/index.ts'

interface Calls {
  readonly client: { list(message: string): ClientReadableStream<string> }
  readonly echo: (message: string) => Promise<string | undefined>
  readonly server: Pick<TokenServer, 'holdNext'>
}

/**
 * While a refresh is on its way, sends a call, a stream that does not end, and another call. Returns their first messages.
 */
export async function messagesAround({ client, echo, server }: Calls): Promise<unknown[]> {
  const refresh = server.holdNext()
  const first = echo('a')
  await refresh.arrived
  const stream = client.list('and no end')
  const begun = new Promise((resolve) => stream.once('data', resolve))
  const second = echo('b')
  refresh.answer()

  const messages = await Promise.all([first, begun, second])
  stream.on('error', () => {})
  stream.cancel()
  return messages
}

/** The messages of a stream that fails, and its error. */
export async function failureOf(
  stream: ClientReadableStream<string>,
): Promise<{ readonly messages: string; readonly error: unknown }> {
  let messages = ''
  stream.on('data', (message) => {
    messages += message
  })
  const error = await new Promise((resolve) => stream.on('error', resolve))
  return { messages, error }
}

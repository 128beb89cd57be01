import { copyMessage } from '../copy-message.ts'

/** Makes the messages of a request readable for each sending. They are read once, at the call. */
export function readOnce<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  const read = collect(messages)
  // Each sending receives the error.
  read.catch(() => {})
  return {
    async *[Symbol.asyncIterator]() {
      yield* await read
    },
  }
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const message of messages) all.push(copyMessage(message))
  return all
}

/**
 * Waits for the first message of a response.
 *
 * @returns all messages
 * @throws the error that came instead of the first message
 */
export async function handOn<T>(messages: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = messages[Symbol.asyncIterator]()
  let first: Promise<IteratorResult<T>> | undefined = Promise.resolve(await iterator.next())
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const result = first ?? iterator.next()
        first = undefined
        return result
      },
      return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
    }),
  }
}

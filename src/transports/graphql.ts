/**
 * Challenges for GraphQL and tRPC, whose servers refuse a token inside an answer that HTTP takes for a success.
 *
 * @module
 */
import { readChallenge } from '../core/requests/challenge.ts'
import { jsonAnswer } from './json-answer.ts'

/** A value for the option `isChallenge` of a transport. */
export type ResponseChallenge = (answer: Response) => Promise<boolean>

/**
 * Recognises that a GraphQL server refused the token: each field of the answer is missing, and one of its `errors` has one of the
 * codes in its `extensions`. An answer with data is left alone, because a mutation may have done its work. A 401 is recognised as
 * without this function.
 *
 * Only JSON answers of at most 64 kB are looked into. They reach the caller when they have been read to their end.
 *
 * @param codes the codes of a refused token. Default: `['UNAUTHENTICATED']`, as in Apollo Server, Yoga and Mercurius
 * @returns the value of the option `isChallenge`
 *
 * @example
 * ```ts
 * const api = createAuthFetch(auth, { origins: ['https://api.example.com'], isChallenge: graphqlChallenge() })
 * const client = new GraphQLClient('https://api.example.com/graphql', { fetch: api })
 * ```
 */
export function graphqlChallenge(codes: readonly string[] = ['UNAUTHENTICATED']): ResponseChallenge {
  const refusals = new Set(codes)
  const isRefused = (result: unknown) => {
    const { data, errors } = fieldsOf(result)
    if (!Array.isArray(errors) || Object.values(fieldsOf(data)).some((field) => field !== null)) return false
    return errors.some((error) => refusals.has(String(fieldsOf(fieldsOf(error).extensions).code)))
  }
  return async (answer) => {
    if (answer.status === 401) return isTokenRefused(answer)
    const body = await jsonAnswer(answer)
    // A batch goes again only if each operation was refused.
    return Array.isArray(body) ? body.length > 0 && body.every(isRefused) : isRefused(body)
  }
}

/**
 * Recognises that a tRPC server refused the token of each call of a batch: the answer has the status 207, and each call the code
 * `UNAUTHORIZED`. Of a batch of queries one refused call is enough, because queries can be sent again.
 *
 * @returns the value of the option `isChallenge`
 *
 * @example
 * ```ts
 * const api = createAuthFetch(auth, { origins: ['https://api.example.com'], isChallenge: trpcChallenge() })
 * const client = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url, fetch: api })] })
 * ```
 */
export function trpcChallenge(): ResponseChallenge {
  const isRefused = (call: unknown) => {
    const { error } = fieldsOf(call)
    // A transformer such as superjson puts the error into `json`.
    const { data } = fieldsOf(fieldsOf(error).json ?? error)
    return fieldsOf(data).code === 'UNAUTHORIZED'
  }
  return async (answer) => {
    if (answer.status === 401) return isTokenRefused(answer)
    if (answer.status !== 207) return false
    const calls = await jsonAnswer(answer)
    if (!Array.isArray(calls) || calls.length === 0) return false
    // Queries have their input in the URL, and mutations in the body.
    return answer.url.includes('input=') ? calls.some(isRefused) : calls.every(isRefused)
  }
}

const isTokenRefused = ({ status, headers }: Response) =>
  readChallenge(status, headers.get('www-authenticate')) === 'refresh'

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

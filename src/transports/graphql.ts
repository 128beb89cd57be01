/**
 * Challenges for GraphQL and tRPC, whose servers refuse a token inside an answer that HTTP takes for a success.
 *
 * @module
 */
import { isObject } from '../core/platform/is-object.ts'
import { readChallenge } from '../core/requests/challenge.ts'
import { jsonAnswer } from './json-answer.ts'

/** A value for the option `isChallenge` of a transport. */
export type ResponseChallenge = (answer: Response) => Promise<boolean>

/**
 * Recognises that a GraphQL server refused the token: for each field of the operation, one of the `errors` has one of the codes in its
 * `extensions`. An answer is left alone if a field of it may have been resolved, or only a field of a field was refused, because a
 * mutation may have done its work. If the type of a mutation is not nullable, the answer does not tell what became of the others in
 * the same operation: send such mutations one by one. A 401 is recognised as without this function.
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
    if (!Array.isArray(errors) || errors.length === 0) return false
    const isRefusal = (error: unknown) => refusals.has(String(fieldsOf(fieldsOf(error).extensions).code))
    // A field of a field is only resolved when the mutation around it has run.
    const isOuter = (error: unknown) => depthOf(error) < 2 && isRefusal(error)
    if (data === undefined) return errors.some(isOuter)
    const fields = Object.entries(fieldsOf(data))
    if (fields.length === 0) return errors.every(isOuter)
    return fields.every(
      ([name, value]) =>
        value === null && errors.some((error) => isOuter(error) && isAbout(error, name, fields.length === 1)),
    )
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

/** How deep in the answer the field of an error is. */
const depthOf = (error: unknown): number => {
  const { path } = fieldsOf(error)
  return Array.isArray(path) ? path.length : 0
}

/** @param isOnly whether the operation has no other field that an error without a path could be about */
const isAbout = (error: unknown, field: string, isOnly: boolean): boolean => {
  const { path } = fieldsOf(error)
  return Array.isArray(path) && path.length > 0 ? path[0] === field : isOnly
}

const isTokenRefused = ({ status, headers }: Response) =>
  readChallenge(status, headers.get('www-authenticate')) === 'refresh'

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})

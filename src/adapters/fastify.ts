/**
 * The backend for frontends in Fastify.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bff } from '../server/bff/types.ts'
import { answerNode } from './node.ts'

/** The part of a Fastify instance that is used. */
export interface FastifyLike {
  /** Adds a hook that runs for each request before its body is read. */
  addHook(
    name: 'onRequest',
    hook: (request: { raw: IncomingMessage }, reply: FastifyReplyLike) => Promise<unknown>,
  ): unknown
}

/** The part of a reply that is used. */
export interface FastifyReplyLike {
  /** Node's response, to which the backend writes its answer. */
  readonly raw: ServerResponse
  /** The headers that hooks of the app have set, such as those of CORS. */
  getHeaders(): { readonly [name: string]: number | string | string[] | undefined }
  /** Leaves the answer to the caller: Fastify sends nothing more. */
  hijack(): unknown
}

/**
 * Adds the backend to a Fastify instance, before its routes. Call it before `listen`.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * const app = fastify()
 * fastifyBff(app, bff)
 * ```
 */
export function fastifyBff(app: FastifyLike, bff: Pick<Bff<unknown>, 'handle' | 'origin'>): void {
  app.addHook('onRequest', async (request, reply) => {
    const keepHeaders = () => {
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value)
    }
    if (await answerNode(bff, request.raw, reply.raw, keepHeaders)) reply.hijack()
  })
}

/** A router of which one procedure needs a token. */
import { initTRPC, TRPCError } from '@trpc/server'
import type { CreateHTTPContextOptions } from '@trpc/server/adapters/standalone'

export const createContext = ({ req }: CreateHTTPContextOptions) => ({
  authorization: req.headers.authorization,
})

const t = initTRPC.context<typeof createContext>().create()

export const router = t.router({
  open: t.procedure.query(() => 'open'),
  secret: t.procedure.query(({ ctx }) => {
    if (!ctx.authorization || ctx.authorization.startsWith('Bearer at-1-1-'))
      throw new TRPCError({ code: 'UNAUTHORIZED' })
    return 'secret'
  }),
})

export type AppRouter = typeof router

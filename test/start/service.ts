/** Hosted services, for pages that name an address at one. */
import { serve as listen, type ServerType } from '@hono/node-server'

export interface Service {
  /** What is put in the place of the addresses of the page. */
  readonly replace: Readonly<Record<string, string>>
  /** Lets all access tokens expire. */
  expire(): void
  close(): Promise<void>
}

/** Serves on this machine. */
export async function serve(fetch: (request: Request) => Promise<Response>, port = 0) {
  let server!: ServerType
  const at = await new Promise<number>((resolve) => {
    server = listen({ fetch, port, hostname: 'localhost' }, (info) => resolve(info.port))
  })
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()))
  return { url: `http://localhost:${at}`, close }
}

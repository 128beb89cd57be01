/** The twin of `origin.ts` for a page without a server: the server runs in a worker that all tabs share, or in this page. */
import { type AxiosAdapter, getAdapter } from 'axios'
import { createPortFetch } from '../browser/port-fetch.ts'

export const usesNetwork: boolean = false

async function connect(): Promise<MessagePort> {
  if ('SharedWorker' in globalThis) {
    // Vite recognises a worker by this form.
    const worker = new SharedWorker(new URL('../browser/shared-worker.ts', import.meta.url), {
      type: 'module',
    })
    return worker.port
  }
  const { serve } = await import('../browser/serve.ts')
  const { port1, port2 } = new MessageChannel()
  serve(port1)
  return port2
}

export const originFetch: typeof fetch = createPortFetch(await connect())

export const originAdapter: AxiosAdapter = getAdapter('fetch', {
  env: { fetch: originFetch },
})

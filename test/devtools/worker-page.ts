/** What runs in pages whose session lives in a worker: bundled, served, and called by name. */
import { showDevtools } from 'authchart/devtools'
import { createAuthFetch } from 'authchart/fetch'
import { connectAuth } from 'authchart/worker'

const settings = encodeURIComponent(JSON.stringify({ api: location.origin }))
const worker = new SharedWorker(`/worker.js?settings=${settings}`, { type: 'module', name: 'auth' })
const auth = connectAuth<{ username: string; password: string }>(worker)
const api = createAuthFetch(auth)

export const distant = {
  auth,
  /** Before the worker has said a word. */
  stop: showDevtools(auth, { open: true }),
  signIn: () => auth.signIn({ username: 'ada', password: 'correct' }).then(() => {}),
  ask: async (count: number) => {
    const answers = Array.from({ length: count }, (_, number) => api(`/api/item-${number}`))
    return (await Promise.all(answers)).map(({ status }) => status)
  },
}

Object.assign(globalThis, { distant, ready: true })

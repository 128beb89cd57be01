/** The script of the page whose session lives in a worker. Tests call it through the global `distant`. */
import { showDevtools } from 'authchart/devtools'
import { createAuthFetch } from 'authchart/fetch'
import { connectAuth } from 'authchart/worker'

const settings = encodeURIComponent(JSON.stringify({ api: location.origin }))
const worker = new SharedWorker(`/worker.js?settings=${settings}`, { type: 'module', name: 'auth' })
const auth = connectAuth<{ username: string; password: string }>(worker)
const api = createAuthFetch(auth)

export const distant = {
  auth,
  /** The panel is shown before the first message of the worker. */
  stop: showDevtools(auth, { open: true }),
  signIn: () => auth.signIn({ username: 'ada', password: 'correct' }).then(() => {}),
  ask: async (count: number) => {
    const answers = Array.from({ length: count }, (_, number) => api(`/api/item-${number}`))
    return (await Promise.all(answers)).map(({ status }) => status)
  },
}

Object.assign(globalThis, { distant, ready: true })

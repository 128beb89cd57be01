/** A page whose session is in a worker. It opens the windows that the worker needs. */

import { handOverAnswer, offerPopups } from '../../src/oauth2/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth } from '../../src/worker/index.ts'

declare const setUp: { readonly resource: string; readonly worker: string; readonly isSilent?: boolean }

if (!(await handOverAnswer())) {
  const auth = connectAuth<undefined>(() => new SharedWorker(setUp.worker, { type: 'module' }))
  const api = createAuthFetch(auth, { origins: [setUp.resource] })
  const add = (id: string) =>
    Object.assign(document.body.appendChild(document.createElement('button')), { id, textContent: id })
  if (!setUp.isSilent)
    offerPopups('test', async ({ openPopup, signal }) => {
      const buttons = [add('again'), add('never'), add('fail')]
      try {
        return await new Promise((resolve, reject) => {
          buttons[0]?.addEventListener('click', () => resolve(openPopup()))
          buttons[1]?.addEventListener('click', () => resolve(undefined))
          buttons[2]?.addEventListener('click', () => reject(new Error(`${openPopup()} is open`)))
          signal.addEventListener('abort', () => resolve(undefined))
        })
      } finally {
        for (const button of buttons) button.remove()
      }
    })
  Object.assign(globalThis, {
    inWorker: {
      auth,
      signIn: () => auth.signIn(undefined).then(({ subject }) => subject, String),
      call: async (path: string) => (await api(setUp.resource + path)).status,
    },
  })
}

export interface InWorker {
  readonly auth: ReturnType<typeof connectAuth<undefined>>
  signIn(): Promise<string>
  call(path: string): Promise<number>
}

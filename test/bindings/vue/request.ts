/** Creates the app of one request, on the server and in the browser. */
import type { Auth } from 'authchart'
import { createAuthPlugin } from 'authchart/vue'
import { type App, type Component, createSSRApp, h, Suspense } from 'vue'
import Owner from './owner.vue'
import RequestPage from './request-page.vue'

export interface RequestProps {
  readonly id: string
  readonly waits?: boolean
  readonly late?: Component
  /** Delays a part in the middle of the page until this resolves. */
  readonly wait?: Promise<void>
}

export function createRequestApp(auth: Auth<never>, { wait, ...props }: RequestProps): App {
  const owner = () => h(Suspense, null, { default: () => h(Owner, { wait }) })
  const root = () => [h(RequestPage, props), wait && owner()]
  return createSSRApp({ render: root }).use(createAuthPlugin(auth))
}

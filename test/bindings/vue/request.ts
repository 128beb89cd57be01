/** Creates the app of one request, on the server and in the browser. */
import type { Auth } from 'authchart'
import { createAuthPlugin, type InitialSession } from 'authchart/vue'
import { type App, type Component, createSSRApp, h, Suspense } from 'vue'
import Name from './name.vue'
import Owner from './owner.vue'
import RequestPage from './request-page.vue'

export interface RequestProps {
  readonly id: string
  readonly waits?: boolean
  readonly late?: Component
  /** Whether the part in the middle is the name of the user. */
  readonly name?: boolean
  /** Delays a part in the middle of the page until this resolves. */
  readonly wait?: Promise<void>
  /** What the server knows of the user. */
  readonly initial?: InitialSession
}

export function createRequestApp(auth: Auth<never>, { wait, initial, name, ...props }: RequestProps): App {
  const owner = () => h(Suspense, null, { default: () => h(name ? Name : Owner, { wait }) })
  const root = () => [h(RequestPage, props), wait && owner()]
  return createSSRApp({ render: root }).use(createAuthPlugin(auth, { initialSession: initial }))
}

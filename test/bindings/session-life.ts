/** The life of a session that starts signed out, for pages to show. */
import type { TokenResponse } from 'authchart'
import { deliver } from '../support/deliver.ts'
import { watchTexts, wordsOf } from './page-place.ts'
import type { PageSession } from './page-session.ts'
import { until } from './page-waits.ts'
import { tokens } from './tokens.ts'

/** Called with the name of each phase. Waits until the page shows it. */
export type ShowPhase = (name: string) => Promise<void>

async function failToSignIn({ auth, refuse }: PageSession, step: ShowPhase, name: string): Promise<void> {
  const signedIn = auth.signIn('wrong').catch(() => {})
  await step(name)
  await refuse()
  await signedIn
}

async function signIn({ auth, answer }: PageSession, response: TokenResponse): Promise<void> {
  const signedIn = auth.signIn('right')
  await answer(response)
  await signedIn
}

/** Goes from signed out through a failed and a successful sign-in to a refresh. */
export async function begin(session: PageSession, step: ShowPhase): Promise<void> {
  const { auth, answer, refuse } = session
  await refuse()
  await auth.ready()
  await step('nobody')
  await failToSignIn(session, step, 'signing in')
  await signIn(session, tokens('ada'))
  await step('signed in')
  const refreshed = auth.refresh()
  await step('refreshing')
  await answer(tokens('ada', 2))
  await refreshed
}

/** Goes from an expired session through a failed and a successful sign-in to the sign-out. */
export async function expireAndEnd(session: PageSession, step: ShowPhase): Promise<void> {
  const { auth, refuse } = session
  deliver(auth, { type: 'request.unauthorized', generation: auth.session?.generation ?? 0 })
  await refuse()
  await until(() => auth.state === 'expired')
  await step('expired')
  await failToSignIn(session, step, 'signing in after it expired')
  await signIn(session, tokens('ada', 4))
  await step('back')
  await auth.signOut()
  await step('left')
}

/**
 * Returns every text of an element during the whole life of a session, with the phases in between.
 *
 * @param idle resolves when the framework has rendered all changes
 */
export async function textsOfLife(session: PageSession, place: Node, idle: () => Promise<void>) {
  const { seen, note, stop } = watchTexts(place, () => wordsOf(place))
  const step = async (name: string) => {
    await idle()
    note(name)
  }
  await begin(session, step)
  await failToSignIn(session, step, 'signing in again')
  await expireAndEnd(session, step)
  stop()
  return seen
}

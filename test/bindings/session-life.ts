/** The life of a session that begins with nobody signed in, for pages to show. */
import type { TokenResponse } from 'authchart'
import { watchTexts, wordsOf } from './page-place.ts'
import type { PageSession } from './page-session.ts'
import { until } from './page-waits.ts'
import { tokens } from './tokens.ts'

/** Hears what the session has come to, and lets the page show it. */
export type Step = (name: string) => Promise<void>

async function failToSignIn({ auth, refuse }: PageSession, step: Step, name: string): Promise<void> {
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

/** From nobody, by a sign-in that fails and one that does not, to a renewal. */
export async function begin(session: PageSession, step: Step): Promise<void> {
  const { auth, answer, refuse } = session
  await refuse()
  await auth.ready()
  await step('nobody')
  await failToSignIn(session, step, 'signing in')
  await signIn(session, tokens('ada'))
  await step('signed in')
  const renewed = auth.refresh()
  await step('refreshing')
  await answer(tokens('ada', 2))
  await renewed
}

/** From a session that expires, by a sign-in that fails and one that does not, to its end. */
export async function expireAndEnd(session: PageSession, step: Step): Promise<void> {
  const { auth, refuse } = session
  auth.actor.send({ type: 'request.unauthorized', generation: auth.session?.generation ?? 0 })
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
 * Every text that is in a place through the whole life of a session, with what it has come to in between.
 *
 * @param settle resolves when the framework has drawn what has changed
 */
export async function textsOfLife(session: PageSession, place: Node, settle: () => Promise<void>) {
  const { seen, note, stop } = watchTexts(place, () => wordsOf(place))
  const step = async (name: string) => {
    await settle()
    note(name)
  }
  await begin(session, step)
  await failToSignIn(session, step, 'signing in again')
  await expireAndEnd(session, step)
  stop()
  return seen
}

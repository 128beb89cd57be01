import { OWN_API } from '../calls.ts'
import type { Surroundings } from '../surroundings.ts'
import { named } from './waits.ts'

const PASSES = new Set(['authenticated', 'refreshing', 'anonymous', 'loggedOut'])

export function* closedGatesSendNothing({ facts, headers }: Surroundings) {
  for (const { call, authorization, refused, view, url } of facts.sendings) {
    if (url !== OWN_API) continue
    const subject = `a request of ${call.tab.page.name} left`
    // A request that was released without a token may find that a sign-in has begun within the same promise jobs.
    const begins =
      authorization === undefined &&
      view.state === 'authenticating' &&
      facts.events.some(
        ({ tab, event }) =>
          tab === call.tab &&
          event.type === 'transition' &&
          event.to === 'authenticating' &&
          (event.from === 'anonymous' || event.from === 'loggedOut'),
      )
    if (!PASSES.has(view.state) && !begins) yield `${subject} in ${view.state}`
    if (refused) yield `${subject} with a token that was rejected before`
    if (view.gateClosed) yield `${subject} while the gate was closed`
    if (authorization === undefined) {
      // A request made while signed out may be released without a token just before a sign-in, whose tokens may still be on their
      // way to the store. That is correct.
      const came =
        facts.events.some(({ tab, event }) => tab === call.tab && event.type === 'signedIn') ||
        call.tab.calls.some(({ name, settlements }) => name.startsWith('setTokens') && settlements === 0)
      if (view.session && !came) yield `${subject} without a token, though there is one`
      continue
    }
    if (!view.session) yield `${subject} with a token, after the session`
    else {
      const key = `${call.tab.page.name} ${view.session.generation}`
      if ((headers.get(key) ?? authorization) !== authorization) yield `${subject} with an older token`
      headers.set(key, authorization)
    }
  }
}

export function* tokensGoToTheirOriginOnly({ facts }: Surroundings) {
  for (const { url, authorization } of facts.sendings) {
    if (authorization !== undefined && new URL(url).origin !== new URL(OWN_API).origin)
      yield `a token went to ${new URL(url).origin}`
    if (authorization?.includes('-rt-')) yield 'a refresh token went to the API'
  }
}

export function* oneReplay({ facts }: Surroundings) {
  for (const { call } of facts.sendings) {
    if (call.sends > (call.replayable ? 2 : 1)) yield `${named(call)} was sent ${call.sends} times`
  }
}

import { OWN_API } from '../asks.ts'
import type { Surroundings } from '../surroundings.ts'
import { named } from './waits.ts'

const PASSES = new Set(['authenticated', 'refreshing', 'anonymous', 'loggedOut'])

export function* nothingLeavesAtAClosedGate({ facts, headers }: Surroundings) {
  for (const { ask, authorization, refused, place, url } of facts.sendings) {
    if (url !== OWN_API) continue
    const who = `a request of ${ask.tab.page.name} left`
    if (!PASSES.has(place.state)) yield `${who} in ${place.state}`
    if (refused) yield `${who} with a token that was refused before`
    if (place.gateClosed) yield `${who} while the gate was closed`
    if (authorization === undefined) {
      // Let go as nobody's in the moment before somebody came, it is nobody's: it was asked when nobody was there.
      const came = facts.events.some(({ tab, event }) => tab === ask.tab && event.type === 'signedIn')
      if (place.session && !came) yield `${who} without a token, though there is one`
      continue
    }
    if (!place.session) yield `${who} with a token, after the session`
    else {
      const key = `${ask.tab.page.name} ${place.session.generation}`
      if ((headers.get(key) ?? authorization) !== authorization) yield `${who} with an older token`
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
  for (const { ask } of facts.sendings) {
    if (ask.sends > (ask.replayable ? 2 : 1)) yield `${named(ask)} was sent ${ask.sends} times`
  }
}

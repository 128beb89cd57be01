import { StorageError } from '../../src/core/errors.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { fakeCoordinator, LIFETIME, type Rig, refused, rig, SECRET, tokens } from '../core/auth-setup.ts'

/** What a user signs in with: a password, and the verifier of a redirect flow (RFC 7636). */
const CREDENTIALS = JSON.stringify({ password: `${SECRET}-password`, code_verifier: `${SECRET}-verifier` })

const PATIENCE = 30_000

/** A session as it begins: with tokens at hand, a store and siblings. */
export function newLife() {
  const siblings = fakeCoordinator()
  const store = memoryStorage()
  let broken = false
  const storage = {
    ...store,
    write(record: Parameters<typeof store.write>[0]) {
      if (broken) throw new StorageError(`cannot write ${JSON.stringify(record)}`)
      return store.write(record)
    },
  }
  const made = rig({
    initialTokens: tokens(1, { scope: 'read', subject: 'ada', id_token: `${SECRET}-id` }),
    storage,
    coordinator: siblings.coordinator,
    retry: { attempts: 2 },
    revoke: async () => {
      throw new Error(`${SECRET} in revoke`)
    },
  })
  return {
    ...made,
    breakStore() {
      broken = true
    },
  }
}

/**
 * Everything that can happen to a session, one after another: refreshes that fail in each way and quote what they sent, the
 * last token, a sign-in that fails and one that does not, tokens from elsewhere, a broken store, strange events, a sign-out
 * while a refresh is under way.
 */
export async function liveThrough({
  auth,
  clock,
  refresh,
  signIn,
  outside,
  breakStore,
}: ReturnType<typeof newLife>) {
  const ignore = (promise: Promise<unknown>) => void promise.catch(() => {})
  const renew = async () => {
    ignore(auth.refresh())
    ignore(auth.getAccessToken())
    await clock.advance(0)
  }
  const fail = async (error: unknown) => {
    refresh.call().reject(error)
    await clock.advance(0)
  }
  await clock.advance(0)
  await renew()
  await fail(
    Object.assign(new TypeError(`POST /token?refresh_token=${SECRET}-rt-1`), { cause: { token: SECRET } }),
  )
  await fail(Object.assign(new Error(`{"refresh_token":"${SECRET}-rt-1"}`), { config: { data: SECRET } }))
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
  await renew()
  await fail({ error: `${SECRET}-rt-2`, error_description: SECRET, status: 400, data: { token: SECRET } })
  await clock.advance(PATIENCE)
  refresh.call().resolve({ access_token: `${SECRET}\n` })
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(3))
  await clock.advance(0)
  outside.signal('offline')
  await renew()
  await fail(new TypeError(`no network for ${SECRET}-rt-3`))
  outside.signal('online')
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(4))
  await clock.advance(LIFETIME - 60_000)
  // The refresh token dies early: the last token is used up.
  await fail(refused())
  await clock.advance(LIFETIME)
  ignore(auth.signIn(CREDENTIALS))
  ignore(auth.getAccessToken())
  await clock.advance(0)
  signIn.call().reject(new Error(`${CREDENTIALS} in signIn`))
  await clock.advance(0)
  ignore(auth.signIn(CREDENTIALS))
  await clock.advance(0)
  signIn.call().resolve(tokens(5))
  await clock.advance(0)
  ignore(auth.setTokens({ access_token: SECRET, token_type: 'mac' }))
  ignore(auth.setTokens(tokens(6, { id_token: `${SECRET}-id` })))
  await clock.advance(0)
  breakStore()
  ignore(auth.setTokens(tokens(7)))
  await clock.advance(0)
  tellStrangeThings(auth)
  await renew()
  await auth.signOut()
  refresh.call().resolve(tokens(8))
  await clock.advance(0)
}

/** What the vocabulary does not know, from an app that has the actor at hand. */
function tellStrangeThings({ actor }: Rig['auth']) {
  const send = actor.send as (event: object) => void
  send({ type: 'request.stepUp', scope: 'read write', acrValues: 'mfa', maxAge: 60, token: SECRET })
  send({
    type: 'session.check',
    facts: { generation: 1, token: SECRET },
    error: { reason: 1, cause: SECRET },
  })
  send({ type: `custom ${SECRET}`, output: { accessToken: SECRET } })
}

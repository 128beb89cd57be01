import { StorageError } from '../../src/core/errors.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import {
  createHarness,
  fakeCoordinator,
  type Harness,
  LIFETIME,
  refused,
  SECRET,
  tokens,
} from '../core/auth-setup.ts'
import { deliver } from '../support/deliver.ts'

/** Credentials: a password, and the verifier of a redirect flow (RFC 7636). */
const CREDENTIALS = JSON.stringify({ password: `${SECRET}-password`, code_verifier: `${SECRET}-verifier` })

const PATIENCE = 30_000
/** Longer than two attempts to revoke, shorter than a refresh may take. */
const REVOCATION = 5_000

/** Creates a session with tokens, a store, and other tabs. */
export function createEventfulSession() {
  const otherTabs = fakeCoordinator()
  const store = memoryStorage()
  let broken = false
  const storage = {
    ...store,
    write(record: Parameters<typeof store.write>[0]) {
      if (broken) throw new StorageError(`cannot write ${JSON.stringify(record)}`)
      return store.write(record)
    },
  }
  const made = createHarness({
    initialTokens: tokens(1, { scope: 'read', subject: 'ada', id_token: `${SECRET}-id` }),
    storage,
    coordinator: otherTabs.coordinator,
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
 * Takes a session through everything that can happen to it: refreshes that fail in each way and quote their request, the last
 * token, a failed and a successful sign-in, tokens from another source, a broken store, unknown events, and a sign-out during a
 * refresh.
 */
export async function exerciseSession({
  auth,
  clock,
  refresh,
  signIn,
  outside,
  breakStore,
}: ReturnType<typeof createEventfulSession>) {
  const ignore = (promise: Promise<unknown>) => void promise.catch(() => {})
  const startRefresh = async () => {
    ignore(auth.refresh())
    ignore(auth.getAccessToken())
    await clock.advance(0)
  }
  const fail = async (error: unknown) => {
    refresh.call().reject(error)
    await clock.advance(0)
  }
  await clock.advance(0)
  await startRefresh()
  await fail(
    Object.assign(new TypeError(`POST /token?refresh_token=${SECRET}-rt-1`), { cause: { token: SECRET } }),
  )
  await fail(Object.assign(new Error(`{"refresh_token":"${SECRET}-rt-1"}`), { config: { data: SECRET } }))
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
  await startRefresh()
  await fail({ error: `${SECRET}-rt-2`, error_description: SECRET, status: 400, data: { token: SECRET } })
  await clock.advance(PATIENCE)
  refresh.call().resolve({ access_token: `${SECRET}\n` })
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(3))
  await clock.advance(0)
  outside.signal('offline')
  await startRefresh()
  await fail(new TypeError(`no network for ${SECRET}-rt-3`))
  outside.signal('online')
  await clock.advance(PATIENCE)
  refresh.call().resolve(tokens(4))
  await clock.advance(LIFETIME - 60_000)
  // The refresh token is revoked, and the last access token is used until it expires.
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
  sendUnknownEvents(auth)
  await startRefresh()
  const signedOut = auth.signOut()
  // The revocation fails twice.
  await clock.advance(REVOCATION)
  await signedOut
  refresh.call().resolve(tokens(8))
  await clock.advance(REVOCATION)
}

/** Sends events with fields that are not part of the vocabulary, past the check of what an app sends. */
function sendUnknownEvents(auth: Harness['auth']) {
  const send = (event: object) => deliver(auth, event as never)
  send({ type: 'request.stepUp', scope: 'read write', acrValues: 'mfa', maxAge: 60, token: SECRET })
  send({
    type: 'clock.check',
    facts: { generation: 1, token: SECRET },
    error: { reason: 1, cause: SECRET },
  })
  send({ type: `custom ${SECRET}`, output: { accessToken: SECRET } })
}

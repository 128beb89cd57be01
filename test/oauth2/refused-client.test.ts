import { ClientSecretBasic } from 'oauth4webapi'
import { expect, test } from 'vitest'
import { connect, startIssuer } from './issuer.ts'

/** A session of a backend with a secret. From now on the token endpoint answers 401 with that body and challenge. */
async function setUp(body: unknown, challenge?: string) {
  const issuer = await startIssuer()
  let isRefused = false
  const { oauth, auth } = await connect(issuer, {
    clientAuth: ClientSecretBasic('secret'),
    async fetch(url, init) {
      if (!isRefused || !String(url).endsWith('/token')) return fetch(url, init)
      const headers = challenge === undefined ? {} : { 'www-authenticate': challenge }
      return Response.json(body, { status: 401, headers })
    },
  })
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  isRefused = true
  return auth
}

test.each<[string, unknown, string?]>([
  ['invalid_grant', { error: 'invalid_grant' }],
  ['invalid_token', { error: 'invalid_token' }],
  ['invalid_grant and a challenge for a password', { error: 'invalid_grant' }, 'Basic realm="token"'],
  ['a challenge for a token', {}, 'Bearer error="invalid_token"'],
  ['a challenge for a token with a proof', {}, 'DPoP algs="ES256"'],
])('a backend asks the user to sign in again after a 401 with %s', async (_, body, challenge) => {
  const auth = await setUp(body, challenge)
  await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired' })
})

test.each<[string, unknown, string?]>([
  ['nothing', {}],
  ['a challenge for a password', {}, 'Basic realm="token"'],
  ['invalid_client and a challenge for a token', { error: 'invalid_client' }, 'Bearer'],
  ['a challenge for another proof', {}, 'DPoP error="invalid_dpop_proof"'],
])('a backend keeps the sessions of its users after a 401 with %s', async (_, body, challenge) => {
  const auth = await setUp(body, challenge)
  await expect(auth.refresh()).rejects.toMatchObject({
    code: 'refresh_unavailable',
    reason: 'invalid_client',
  })
  expect(auth.session).toMatchObject({ subject: 'ada' })
})

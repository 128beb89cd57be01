import { ClientSecretBasic } from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { clientCredentials, createOAuth, discoverResource, tokenExchange } from '../../src/oauth2/index.ts'
import { createLogoutVerifier } from '../../src/oauth2/logout-token.ts'
import { authMcp, discoverMcp } from '../../src/oauth2/mcp.ts'

const issuer = 'https://id.example.com'
const clientId = 'app'
const auth = createAuth({ refresh: () => Promise.reject(new Error('No refresh is expected')) })
const memory = { isRemembered: () => false, remember: () => {} }
/** A variable of the environment that is not set. */
const MISSING = undefined as never

const CLIENTS: readonly (readonly [name: string, create: (options: never) => unknown])[] = [
  ['createOAuth', (options: Parameters<typeof createOAuth>[0]) => createOAuth(options)],
  ['clientCredentials', (options: Parameters<typeof clientCredentials>[0]) => clientCredentials(options)],
  ['tokenExchange', (options: Parameters<typeof tokenExchange>[1]) => tokenExchange(auth, options)],
  [
    'createLogoutVerifier',
    (options: Parameters<typeof createOAuth>[0]) => createLogoutVerifier({ ...memory, ...options }),
  ],
]

describe.each(CLIENTS)('%s', (name, create) => {
  it.each([
    [{ issuer: MISSING, clientId }, 'issuer must be a whole URL'],
    [{ issuer: '', clientId }, 'issuer must be a whole URL'],
    [{ issuer: 'id.example.com', clientId }, 'issuer must be a whole URL'],
    [{ issuer: 'localhost:8080', clientId }, 'issuer must be a whole URL'],
    [{ issuer, clientId: MISSING }, 'clientId is missing'],
    [{ issuer, clientId: '' }, 'clientId is missing'],
    [{ issuer, clientId, clientAuth: 'pa55word' }, 'clientAuth must be made by a function of oauth4webapi'],
    [{ issuer, clientId, scope: ['openid'] }, 'scope must be one text'],
    [{ issuer, clientId, redirectUri: '/callback' }, 'redirectUri must be a whole URL'],
  ])('names the option that is missing or wrong: %j', (options, message) => {
    const call = () => create(options as never)
    expect(call).toThrow(TypeError)
    expect(call).toThrow(`${name}: ${message}`)
    expect(call).not.toThrow('pa55word')
  })

  it('takes what is right', () => {
    const right = {
      issuer: new URL(issuer),
      clientId,
      clientAuth: ClientSecretBasic('s'),
      scope: 'openid email',
    }
    expect(() => create({ ...right, redirectUri: 'com.example.app:/callback' } as never)).not.toThrow()
  })
})

it.each([
  ['authMcp', async () => authMcp(auth, MISSING)],
  ['discoverMcp', () => discoverMcp(MISSING, { clientId })],
  ['discoverResource', () => discoverResource(MISSING)],
])('%s names an address that is missing', async (name, call) => {
  await expect(call()).rejects.toThrow(`${name}: url must be a whole URL`)
})

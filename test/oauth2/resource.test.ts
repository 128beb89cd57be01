import type { ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { discoverResource } from '../../src/oauth2/index.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource/mcp'

/** An API at `/mcp` that answers 401, and names the issuer of its tokens. */
async function startApi(answer?: (response: ServerResponse, url: string) => void, named?: string) {
  const requests: string[] = []
  const api = await listen((request, response) => {
    requests.push(request.url ?? '')
    if (request.url === '/mcp') {
      const place = named ?? `${api.url}/metadata`
      response.writeHead(401, { 'www-authenticate': `Bearer realm="a", resource_metadata="${place}"` }).end()
    } else if (answer) answer(response, api.url)
    else send(response, metadataOf(api.url))
  })
  onTestFinished(api.close)
  return { resource: `${api.url}/mcp`, url: api.url, requests }
}

const metadataOf = (url: string) => ({
  resource: `${url}/mcp`,
  authorization_servers: ['https://id.example.com'],
  scopes_supported: ['read'],
})
const send = (response: ServerResponse, body: unknown) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

describe('the metadata of a protected resource', () => {
  test('is where its 401 says, and names its authorization servers', async () => {
    const { resource, requests } = await startApi()
    const answer = await fetch(resource)
    expect(await discoverResource(resource, { answer })).toMatchObject({
      resource,
      authorization_servers: ['https://id.example.com'],
    })
    expect(requests).toEqual(['/mcp', '/metadata'])
  })

  test('is at its well-known address, without an answer that says otherwise', async () => {
    const { resource, requests } = await startApi()
    expect(await discoverResource(resource)).toMatchObject({ resource, scopes_supported: ['read'] })
    expect(requests).toEqual([WELL_KNOWN])
  })

  test.each<[string, (response: ServerResponse, url: string) => void]>([
    [
      'for another resource',
      (response, url) => send(response, { ...metadataOf(url), resource: `${url}/other` }),
    ],
    [
      'for another origin',
      (response, url) => send(response, { ...metadataOf(url), resource: 'https://a.example/mcp' }),
    ],
    ['no JSON', (response) => void response.writeHead(200).end('<p>hello')],
    ['missing', (response) => void response.writeHead(404).end()],
    ['a redirect', (response, url) => void response.writeHead(302, { location: `${url}/elsewhere` }).end()],
    [
      'longer than a megabyte',
      (response, url) => send(response, { ...metadataOf(url), more: 'a'.repeat(2 ** 22) }),
    ],
  ])('is refused if it is %s', async (_, respond) => {
    const { resource, requests } = await startApi(respond)
    const answer = await fetch(resource)
    for (const options of [{}, { answer }])
      await expect(discoverResource(resource, options)).rejects.toMatchObject({
        code: 'oauth_failed',
        reason: 'resource_discovery_failed',
      })
    expect(requests).not.toContain('/elsewhere')
  })

  test.each(['https://10.0.0.1/metadata', 'http://127.0.0.1:1/metadata', 'not a URL'])(
    'is not requested at %s, which is not of the origin of the API',
    async (named) => {
      const { resource, requests } = await startApi(undefined, named)
      const answer = await fetch(resource)
      const sent: unknown[] = []
      const spy: typeof fetch = async (input) => {
        sent.push(input)
        throw new TypeError('fetch failed')
      }
      await expect(discoverResource(resource, { answer, fetch: spy })).rejects.toMatchObject({
        reason: 'resource_discovery_failed',
      })
      expect([sent, requests]).toEqual([[], ['/mcp']])
    },
  )

  test('is not requested over plain http from another machine', async () => {
    await expect(discoverResource('http://api.example.com/')).rejects.toMatchObject({ reason: 'insecure' })
  })
})

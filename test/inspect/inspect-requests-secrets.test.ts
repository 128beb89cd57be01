import { describe, expect, it } from 'vitest'
import { angularTransport } from '../conformance/angular-transport.ts'
import { setUp } from '../conformance/harness.ts'
import { transports as ours } from '../conformance/transports.ts'
import { TOKEN_MARKER } from '../transports/support.ts'
import { begin, outcome, sendBy, watching } from './inspect-requests-harness.ts'

describe.each([...ours, angularTransport])('inspectRequests, $name', ({ create }) => {
  it('reports no query, header, body or token', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const { frames } = watching(auth)

    server.expireAccessTokens()
    await client.post('/api/a?code=MARKED#MARKED', { secret: 'MARKED' }, { headers: { 'x-key': 'MARKED' } })
    await outcome(client.get(url.replace('//', '//MARKED:MARKED@').concat('/api/b')))
    await auth.signOut()

    expect(frames.length).toBeGreaterThan(5)
    expect(JSON.stringify(frames)).not.toMatch(TOKEN_MARKER)
    expect(JSON.stringify(frames)).not.toContain('MARKED')
    expect(frames[0]).toMatchObject({ name: 'POST /api/a', origin: url })
  })
})

describe('inspectRequests', () => {
  describe('over a custom transport', () => {
    it.each([
      ['GET /books?q=MARKED', 'GET /books', ''],
      [
        'GET https://MARKED:MARKED@api.example.com/books?q=MARKED#MARKED',
        'GET /books',
        'https://api.example.com',
      ],
      ['GET //MARKED@api.example.com/books', 'GET //api.example.com/books', ''],
      ['books', 'books', ''],
      ['//MARKED:MARK@MARKED@api.example.com/books?q=\nMARKED', '//api.example.com/books', ''],
      ['https://MARKED:MARKED@api.example.com/books?q=MARKED', '/books', 'https://api.example.com'],
    ])('names the request with the key %s', async (key, name, origin) => {
      const { auth } = await begin()
      const { frames } = watching(auth)

      await sendBy(auth, key, { status: 200 })

      expect(frames[0]).toMatchObject({ name, origin })
      expect(JSON.stringify(frames)).not.toContain('MARKED')
    })
  })
})

/** Run by `process-exit.test.ts` in its own process: uses a session, then reaches the end of the script. */
import { createAuth, type TokenResponse } from '../../src/index.ts'
import { transports } from './transports.ts'

const [url = '', ending = ''] = process.argv.slice(2)

const fetchTokens = async (
  parameters: Record<string, string>,
  signal: AbortSignal,
): Promise<TokenResponse> => {
  const body = new URLSearchParams(parameters)
  const response = await fetch(`${url}/token`, { method: 'POST', body, signal })
  if (!response.ok) throw response
  return (await response.json()) as TokenResponse
}

const auth = createAuth({
  signIn: (username: string, { signal }) =>
    fetchTokens({ grant_type: 'password', username, password: 'correct' }, signal),
  refresh: ({ refreshToken, signal }) =>
    fetchTokens({ grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }, signal),
  retry: { attempts: ending === 'coolDown' ? 1 : 5, minDelay: 200, jitter: 0 },
})
const clients = transports.map((transport) => transport.create(auth, { origin: url }))
const status = async (answer: Promise<{ status: number }>) => (await answer).status

await auth.signIn('ada')
const outcome: unknown[] = await Promise.all(clients.map((client) => status(client.get('/api/x'))))
await auth.refresh()
outcome.push(...(await Promise.all(clients.map((client) => status(client.post('/api/x', { a: 1 }))))))

// The test has scripted the server's answer to this refresh: a failure, or no answer.
if (ending === 'retry') {
  outcome.push(await status(clients[0]!.get('/api/always-401')))
  await auth.refresh()
}
if (ending === 'coolDown') await auth.refresh().catch(() => {})
if (ending === 'dispose') {
  const allHeld = new Promise<void>((resolve) => {
    auth.on('requestHeld', ({ held }) => held === clients.length && resolve())
  })
  const waiting = [auth.refresh(), ...clients.map((client) => client.get('/api/always-401'))]
  const codes = waiting.map((call) => call.catch((error) => error.code))
  await allHeld
  auth.dispose()
  outcome.push(...(await Promise.all(codes)))
}
console.log(JSON.stringify([...outcome, auth.state]))

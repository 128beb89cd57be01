import { createTokenServer } from 'authchart/testing'

/** Starts an OAuth server with an API whose access tokens live for 15 seconds. Returns its address. */
export async function startTokenServer(): Promise<string> {
  const server = createTokenServer({ accessTokenLifetime: 15_000, jwt: true })
  return (await server.listen()).url
}

/**
 * A command line tool that signs a user in: `npm run example cli`. It shows an address and a code, as on a machine without a
 * browser. The session is in a file, so the second run finds it. The provider is a real one, which the tool starts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { fileCoordinator, fileStorage } from 'authchart/file'
import { createOAuth, deviceGrant } from 'authchart/oauth2'
import { CLIENT_ID, startProvider } from '../oauth/provider.ts'

const { url: issuer, close } = await startProvider()
const folder = await mkdtemp(join(tmpdir(), 'authchart-cli-'))
const file = join(folder, 'session.json')

/** One run of the tool. */
async function run(): Promise<void> {
  const oauth = createOAuth({ issuer, clientId: CLIENT_ID, scope: 'openid offline_access' })
  const auth = createAuth({
    ...oauth.ports,
    storage: fileStorage(file),
    coordinator: fileCoordinator(file),
  })
  await auth.ready()
  if (auth.session) console.log('The session of the last run is in the file.')
  else
    await auth.signIn({
      via: deviceGrant,
      onCode: ({ userCode, verificationUri, verificationUriComplete }) => {
        console.log(`Open ${verificationUri} and enter ${userCode},`)
        console.log(`or open ${verificationUriComplete}`)
      },
    })
  const api = createAuthFetch(auth, { origins: [issuer] })
  const response = await api(`${issuer}/me`)
  console.log(
    `Signed in as ${auth.session?.subject}. The API answers ${response.status}: ${await response.text()}`,
  )
  auth.dispose()
}

try {
  await run()
  await run()
} finally {
  await close()
  await rm(folder, { recursive: true })
}

/** One process of the service. */
import { createAuthFetch } from 'authchart/fetch'
import { openFleet } from '../server/fleet.ts'
import { createPool } from './pool.ts'
import { remoteFleet } from './remote-fleet.ts'

interface Start {
  readonly url: string
  readonly secret: string
  readonly keys: readonly string[]
  readonly seconds: number
}

process.on('message', (message: { readonly start?: Start }) => void (message.start && run(message.start)))

async function run({ url, secret, keys, seconds }: Start): Promise<void> {
  const { REDIS_URL, DATABASE_URL } = process.env
  const shared = REDIS_URL || DATABASE_URL ? await openFleet() : undefined
  const pool = createPool(shared?.fleet ?? remoteFleet(), url, secret)
  const end = Date.now() + seconds * 1_000
  let calls = 0
  let failures = 0
  async function callFor(key: string): Promise<void> {
    while (Date.now() < end) {
      const answer = await pool
        .use(key, (auth) => createAuthFetch(auth, { origins: [url] })(`${url}/api/me`))
        .catch(() => undefined)
      calls++
      if (answer?.status !== 200) failures++
      await answer?.arrayBuffer()
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_000))
    }
  }
  await Promise.all(keys.map(callFor))
  await pool.dispose()
  await shared?.close()
  process.send?.({ result: { calls, failures } }, () => process.exit())
}

/**
 * A service that calls an API for 500 users from two processes: `npm run example service`. Each user's token expires several times
 * meanwhile, and each expiry causes one refresh. With `REDIS_URL` or `DATABASE_URL` the processes share that database; otherwise
 * a fleet in the memory of this process, which they reach by messages.
 */
import { fork } from 'node:child_process'
import { memoryFleet } from 'authchart/server'
import { createTokenServer } from 'authchart/testing'
import { openFleet } from '../server/fleet.ts'
import { createPool } from './pool.ts'
import { answerFleet } from './remote-fleet.ts'

const USERS = Number(process.env.USERS ?? 500)
const SECONDS = Number(process.env.SECONDS ?? 10)
const LIFETIME = 3_000

const server = createTokenServer({ accessTokenLifetime: LIFETIME })
const { url } = await server.listen()
const { REDIS_URL, DATABASE_URL } = process.env
const shared = REDIS_URL || DATABASE_URL ? await openFleet() : undefined
const fleet = shared?.fleet ?? memoryFleet()
const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')

const pool = createPool(fleet, url, secret)
const keys: string[] = []
for (let user = 0; user < USERS; user++)
  keys.push((await pool.signIn({ username: `user${user}`, password: 'correct' })).key)
await pool.dispose()
console.log(`${USERS} users have signed in. Two processes call the API for ${SECONDS} seconds.`)

const run = () =>
  new Promise<{ calls: number; failures: number }>((resolve, reject) => {
    const child = fork(new URL('worker.ts', import.meta.url), {
      serialization: 'advanced',
      execArgv: ['--import', 'tsx'],
    })
    answerFleet(child, fleet)
    child.on(
      'message',
      (message: { result?: { calls: number; failures: number } }) =>
        message.result && resolve(message.result),
    )
    child.on('exit', (code) => code && reject(new Error(`A process ended with ${code}`)))
    child.send({ start: { url, secret, keys, seconds: SECONDS } })
  })
const results = await Promise.all([run(), run()])

const calls = results.reduce((sum, result) => sum + result.calls, 0)
const failures = results.reduce((sum, result) => sum + result.failures, 0)
const expiries = (USERS * SECONDS * 1_000) / LIFETIME
console.log(
  `${calls} calls, ${failures} failures, ${server.refreshes} refreshes for about ${Math.round(expiries)} expiries`,
)
console.log(`${server.reuseDetections} refresh tokens were sent twice`)
await shared?.close()
process.exit(failures + server.reuseDetections > 0 ? 1 : 0)

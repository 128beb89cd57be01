import { describe, expect, it, onTestFinished } from 'vitest'
import { exitOf, type Program, startProgram } from './start-program.ts'

function start(name: string, env: Readonly<Record<string, string>>): Program {
  const child = startProgram([`examples/${name}/main.ts`], env)
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

describe('npm run example service', () => {
  it('two processes call the API for many users, and send no refresh token twice', async () => {
    const child = start('service', { USERS: '20', SECONDS: '5', REDIS_URL: '', DATABASE_URL: '' })
    expect(await exitOf(child), child.text()).toBe(0)
    expect(child.text()).toMatch(/\d+ calls, 0 failures, [1-9]\d* refreshes/)
    expect(child.text()).toContain('0 refresh tokens were sent twice')
  }, 120_000)
})

describe('npm run example server', () => {
  it('the page signs a user in, and the server calls the API with a token that the page does not have', async () => {
    const child = start('server', { PORT: '0', REDIS_URL: '', DATABASE_URL: '' })
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', () => {
        const [, port] = /http:\/\/localhost:(\d+)/.exec(child.text()) ?? []
        if (port) resolve(`http://127.0.0.1:${port}`)
      })
      child.on('exit', () => reject(new Error(child.text())))
    })
    const headers = { 'x-csrf': '1' }
    expect(await (await fetch(url)).text()).toContain('id="sign-in"')
    const body = JSON.stringify({ username: 'ada', password: 'correct' })
    const signedIn = await fetch(`${url}/auth/sign-in`, { method: 'POST', body, headers })
    const [cookie = ''] = signedIn.headers.getSetCookie()[0]?.split(';') ?? []
    const page = await (await fetch(url, { headers: { cookie } })).text()
    expect(page).toContain('Hello ada')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        fetch(`${url}/api/notes/${n}`, { headers: { ...headers, cookie } }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const exited = exitOf(child)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  }, 120_000)
})

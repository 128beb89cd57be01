import type { PoolCounts, ServerSession } from 'authchart/server'

const text = (value: unknown) => String(value).replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** The page, as the server renders it. */
export const page = (session: ServerSession | undefined, counts: PoolCounts): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>authchart on a server</title>
<style>body { font: 16px/1.5 system-ui; max-width: 40rem; margin: 3rem auto } pre { background: #f4f4f4; padding: 1rem }</style>
<h1>authchart on a server</h1>
${session ? signedIn(session) : signInForm}
<p>This process: ${counts.resident} sessions in memory, ${counts.refreshes} refreshes.</p>
<script type="module">
  const headers = { 'x-csrf': '1' }
  const send = (path, init) => fetch(path, { method: 'POST', headers, ...init })
  document.querySelector('#sign-in')?.addEventListener('submit', async (event) => {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(event.target))
    const answer = await send('/auth/sign-in', { body: JSON.stringify(fields) })
    if (answer.ok) location.reload()
    else document.querySelector('[role=status]').textContent = 'Wrong user name or password.'
  })
  document.querySelector('#call')?.addEventListener('click', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => fetch('/api/notes/' + n, { headers })))
    document.querySelector('pre').textContent = answers.map(({ status }) => status).join(' ')
  })
  document.querySelector('#sign-out')?.addEventListener('click', async () => {
    await send('/auth/sign-out')
    location.reload()
  })
</script>
`

const signInForm = `<form id="sign-in">
  <label>User name <input name="username" value="ada" required></label>
  <label>Password <input name="password" type="password" value="correct" required></label>
  <button>Sign in</button> <span role="status"></span>
</form>`

const signedIn = ({
  subject,
  expiresAt,
}: ServerSession) => `<p>Hello ${text(subject)}. Your token is on the server.
It expires at ${text(expiresAt ? new Date(expiresAt).toLocaleTimeString() : 'a time that is unknown')}.</p>
<button id="call">Call the API ten times</button> <button id="sign-out">Sign out</button>
<pre></pre>`

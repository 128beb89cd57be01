/** The server code: bundled with either version of React. */
import { Writable } from 'node:stream'
import { createAuth } from 'authchart'
import { AuthProvider } from 'authchart/react'
import { lazy, Suspense } from 'react'
import { renderToPipeableStream, renderToString } from 'react-dom/server'
import { Owner, RequestPage } from './react-request-page.tsx'
import { tokens } from './tokens.ts'

const createSession = (subject: string) =>
  createAuth({ initialTokens: tokens(subject), refresh: () => tokens(subject, 2), refreshOn: 'demand' })

/** Renders the page of one request at once. */
export function render(subject: string, waits = false): string {
  using auth = createSession(subject)
  return renderToString(<RequestPage auth={auth} id={`for-${subject}`} waits={waits} />)
}

/** Streams the page of one request, and returns all of it. One part of the page waits until `wait` resolves. */
export async function stream(subject: string, wait: Promise<void>, waits = false) {
  using auth = createSession(subject)
  const Late = lazy(async () => {
    await wait
    return { default: Owner }
  })
  const errors: string[] = []
  const html = await new Promise<string>((resolve, reject) => {
    let text = ''
    const sink = new Writable({
      write(chunk, _, done) {
        text += chunk
        done()
      },
      final(done) {
        resolve(text)
        done()
      },
    })
    const { pipe } = renderToPipeableStream(
      <>
        <RequestPage auth={auth} id={`for-${subject}`} waits={waits} />
        <AuthProvider auth={auth}>
          <Suspense fallback="…">
            <Late />
          </Suspense>
        </AuthProvider>
      </>,
      {
        onError: (error) => void errors.push(String(error)),
        onShellReady: () => pipe(sink),
        onShellError: reject,
      },
    )
  })
  return { html, errors }
}

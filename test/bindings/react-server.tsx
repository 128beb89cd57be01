/** The server code: bundled with either version of React. */
import { Writable } from 'node:stream'
import { createAuth } from 'authchart'
import { AuthProvider } from 'authchart/react'
import { createElement, lazy, type ReactNode, Suspense } from 'react'
import { renderToPipeableStream, renderToString } from 'react-dom/server'
import { Name, Owner, RequestPage } from './react-request-page.tsx'
import { initialSession } from './server-session.ts'
import { tokens } from './tokens.ts'

const createSession = (subject: string) =>
  createAuth({ initialTokens: tokens(subject), refresh: () => tokens(subject, 2), refreshOn: 'demand' })

/** Renders the page of one request at once. */
export function render(subject: string, waits = false): string {
  using auth = createSession(subject)
  return renderToString(<RequestPage auth={auth} id={`for-${subject}`} waits={waits} />)
}

/** The one session of a server's module. No user is ever signed in. */
const ofModule = createAuth({ refresh: () => tokens('nobody'), refreshOn: 'demand' })

/** Streams a page of a signed-in user, of which one part waits. */
export const streamInitial = (subject: string, wait: Promise<void>) =>
  toText(
    <>
      <RequestPage auth={ofModule} id={`for-${subject}`} waits initial={initialSession(subject)} />
      <AuthProvider auth={ofModule} initialSession={initialSession(subject)}>
        <Suspense fallback="…">{createElement(lateName(wait))}</Suspense>
      </AuthProvider>
    </>,
  )

const lateName = (wait: Promise<void>) =>
  lazy(async () => {
    await wait
    return { default: Name }
  })

/** Streams the page of one request, and returns all of it. One part of the page waits until `wait` resolves. */
export async function stream(subject: string, wait: Promise<void>, waits = false) {
  using auth = createSession(subject)
  const Late = lazy(async () => {
    await wait
    return { default: Owner }
  })
  return toText(
    <>
      <RequestPage auth={auth} id={`for-${subject}`} waits={waits} />
      <AuthProvider auth={auth}>
        <Suspense fallback="…">
          <Late />
        </Suspense>
      </AuthProvider>
    </>,
  )
}

async function toText(page: ReactNode) {
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
    const { pipe } = renderToPipeableStream(page, {
      onError: (error) => void errors.push(String(error)),
      onShellReady: () => pipe(sink),
      onShellError: reject,
    })
  })
  return { html, errors }
}

/** The scenarios of `<Activity>`, which only React 19 has. */
import { AuthProvider, SignedIn, useSession } from 'authchart/react'
import { Activity, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { countListeners } from './listeners.ts'
import { createPlace } from './page-place.ts'
import { createSession } from './page-session.ts'
import { rest } from './page-waits.ts'
import { tokens } from './tokens.ts'

const Name = () => useSession((session) => session?.subject) ?? 'nobody'

export const scenarios = {
  /** The session changes while its views are hidden. Returns what is on the page, and the number of listeners. */
  async change(how: 'another user' | 'sign-out') {
    const { auth } = createSession(tokens('ada'))
    const count = countListeners(auth)
    const place = createPlace()
    let show = (_: boolean) => {}
    const Page = () => {
      const [isShown, setShown] = useState(true)
      show = setShown
      return (
        <Activity mode={isShown ? 'visible' : 'hidden'}>
          <p>
            <SignedIn fallback="out">
              <Name />
            </SignedIn>
          </p>
        </Activity>
      )
    }
    const root = createRoot(place)
    root.render(
      <StrictMode>
        <AuthProvider auth={auth}>
          <Page />
        </AuthProvider>
      </StrictMode>,
    )
    await rest()
    const seen: unknown[] = [place.innerText, count()]
    show(false)
    await rest()
    if (how === 'sign-out') await auth.signOut()
    else await auth.setTokens(tokens('grace'))
    await rest()
    seen.push(place.innerText, count())
    // What is visible after each commit.
    const texts = new Set<string>()
    const observer = new MutationObserver(() => texts.add(place.innerText))
    observer.observe(place, { attributes: true, childList: true, subtree: true, characterData: true })
    show(true)
    await rest()
    observer.disconnect()
    seen.push([...texts])
    root.unmount()
    await rest()
    return [...seen, count()]
  },
}

Object.assign(globalThis, { scenarios })

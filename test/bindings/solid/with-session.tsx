/** @jsxImportSource solid-js */
/** The guard of docs/frameworks/solid.md. */
import { requireSession } from 'authchart/guard'
import { SignedIn, useAuth, useAuthState } from 'authchart/solid'
import { createEffect, on, type ParentProps } from 'solid-js'
import { useLocation, useNavigate } from './router.ts'

export function WithSession(props: ParentProps) {
  const auth = useAuth()
  const location = useLocation()
  const navigate = useNavigate()
  const view = useAuthState(({ view }) => view)
  createEffect(
    on(view, async (now) => {
      if (now !== 'signedOut') return
      const url = location.pathname + location.search + location.hash
      const login = await requireSession(auth, { url, loginPath: '/login' })
      if (login) navigate(login, { replace: true })
    }),
  )
  return <SignedIn>{props.children}</SignedIn>
}
